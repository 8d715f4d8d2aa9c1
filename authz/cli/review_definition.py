"""A review's definition from the options of ``authz review define`` (N-46)."""

from __future__ import annotations

from typing import Any

import click

from authz.review.definition import Definition, from_dict
from authz.review.words import Reviewers


def definition_of(said: dict[str, Any]) -> Definition:
    """The definition that the options say; UsageError of a stage that is none."""
    return from_dict(
        {
            "name": said["name"],
            "scope": {
                "kinds": said["kinds"],
                "organisation": said["organisation"],
                "roles": said["roles"],
                "contract": said["contract"],
                "unused_days": said["unused_days"],
                "new": said["new"],
            },
            "stages": [_stage(each) for each in said["stages"]],
            "fallbacks": said["fallbacks"],
            "no_answer": said["no_answer"],
            "reminders": said["reminders_"],
            "undo_days": said["undo_days"],
        }
    )


def _stage(text: str) -> dict[str, Any]:
    who, _, days = text.rpartition(":")
    if not who or not days.isdigit():
        raise click.UsageError(f"{text!r} is no stage; say school:14, granter:7 or PERSON:14.")
    rule = who if who in {Reviewers.SCHOOL, Reviewers.GRANTER} else Reviewers.NAMED.value
    return {"reviewers": rule, "days": days, "named": "" if rule == who else who}
