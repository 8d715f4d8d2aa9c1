"""One fact, as somebody types it in a screen: the same line that a facts file would have (4.4)."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection

from authz import clock
from authz.directory.recording.change import Author
from authz.directory.recording.members import Reading
from authz.errors import FactError, MalformedError
from authz.review.rights import said
from authz.service.changing import By
from authz.service.database import writing
from authz.service.decide import DecisionPoint
from authz.service.record_facts import FactsSummary, put

NAME = "form"
Line = Mapping[str, Any]


def author(who: str, why: str) -> By:
    """Who makes a change now; MalformedError where no reason is given."""
    return By(who, said(why, "why"), clock.now())


def put_down(point: DecisionPoint, lines: Sequence[Line], *, by: str, why: str) -> FactsSummary:
    """Put facts on file, all or none, for a stated reason; MalformedError tells what is wrong."""
    made = author(by, why)
    with writing(point.store) as connection:
        return within(connection, point, lines, made)


def within(
    connection: Connection, point: DecisionPoint, lines: Sequence[Line], made: By
) -> FactsSummary:
    """The same in the transaction of a larger change."""
    texts = [json.dumps(_filled(line), ensure_ascii=False) for line in lines]
    known = Reading(point.place.local, point.policy.catalogue)
    try:
        return put(connection, Author(made.who, made.why, made.at), lambda: texts, known, NAME)
    except FactError as error:
        raise MalformedError(error.message, where=error.where) from error


def _filled(line: Line) -> dict[str, Any]:
    """The line without members that hold nothing; a time as JSON can hold it."""
    return {
        name: value.isoformat() if hasattr(value, "isoformat") else value
        for name, value in line.items()
        if value not in (None, "")
    }
