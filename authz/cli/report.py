"""``authz report``: what the trail answers to a person, an officer, a regulator (page 4.2)."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from authz import clock
from authz.cli.output import operator, ready, say, settings
from authz.config import Settings
from authz.service.decide import DecisionPoint
from authz.service.point import open_point
from authz.service.reports.access_of import access_of
from authz.service.reports.asking import Asker
from authz.service.reports.breach import Asked, breach
from authz.service.reports.cells import Reader
from authz.service.reports.document import Report
from authz.service.reports.output import FORMS
from authz.service.reports.unused import unused

Ask = Callable[..., Report]


@click.group()
def report() -> None:
    """Reports for people, officers and regulators. Reading one is itself recorded."""


def formed(ask: Ask) -> Callable[..., None]:
    """A command that writes the report which ``ask`` gives, in the form that was chosen."""

    @click.option("--format", "form", type=click.Choice(list(FORMS)), default="json")
    @click.option("--language", type=click.Choice(["th", "en"]), default="th", show_default=True)
    @click.option("--output", type=click.Path(path_type=Path), help="Write to a file.")
    @functools.wraps(ask)
    def command(form: str, language: str, output: Path | None, **asked: Any) -> None:
        found = settings()
        for name in ("since", "until"):
            if name in asked:
                asked[name] = moment(asked[name], found, name)
        made = ask(opened_point(found), found, **asked)
        write, _ = FORMS[form]
        parts = write(made, Reader(language, found.local))
        _write(parts, output, binary=form == "pdf")

    return command


def opened_point(found: Settings) -> DecisionPoint:
    """The decision point of the settings, with its tables there."""
    point = open_point(found)
    ready(point.store)
    return point


def moment(text: str | None, found: Settings, name: str) -> datetime | None:
    """The moment that an option says."""
    try:
        return clock.parse(text, found.local) if text else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=f"--{name.replace('_', '-')}") from error


def _write(parts: Iterator[bytes], output: Path | None, *, binary: bool) -> None:
    if output is not None:
        with output.open("wb") as stream:
            stream.writelines(parts)
        say(f"Written to {output}.")
        return
    if binary and sys.stdout.isatty():
        raise click.UsageError("A PDF is no text: say --output FILE.")
    out = sys.stdout.buffer
    out.writelines(parts)
    out.flush()


@report.command("access-of")
@click.argument("person")
@click.option("--since", help="ISO date or time.")
@click.option("--until", help="ISO date or time.")
@click.option(
    "--for", "for_person", help="Who asks: the person, a guardian, an officer; else the operator."
)
@formed
def access_of_(
    point: DecisionPoint,
    found: Settings,
    person: str,
    since: datetime | None,
    until: datetime | None,
    for_person: str | None,
) -> Report:
    """Who used the data of PERSON: applications, roles, kinds of data, purposes, dates."""
    by = Asker(operator(), for_person=for_person)
    return access_of(point, person, by=by, since=since, until=until, staff=found.report_staff)


@report.command("breach")
@click.option("--token", help="Id (jti) of a token that was stolen.")
@click.option("--account", help="Whose account was misused.")
@click.option("--application", help="Which application was.")
@click.option("--rule", help="A rule that permitted what it should not.")
@click.option("--since", help="ISO date or time.")
@click.option("--until", help="ISO date or time.")
@click.option("--incident", help="The incident: a draft of its notice is added.")
@formed
def breach_(point: DecisionPoint, _: Settings, **asked: Any) -> Report:
    """Whose data were within reach: people, fields, how often, schools, draft of the notice."""
    return breach(point, Asked(**asked), by=Asker(operator()))


@report.command("unused")
@click.option("--days", type=click.IntRange(1, 3660), default=90, show_default=True)
@formed
def unused_(point: DecisionPoint, _: Settings, days: int) -> Report:
    """Grants, contracts and rules that nobody used, with what would be lost without them."""
    return unused(point, days, by=Asker(operator()))
