"""``authz incident``: the register of leaks, with its 72-hour clock (E-07, N-50)."""

from __future__ import annotations

from typing import Any

import click

from authz import clock
from authz.cli.output import as_json, operator, say, settings, table
from authz.cli.report import moment, opened_point
from authz.privacy.incidents import Incident
from authz.service import incident_register, incidents


@click.group()
def incident() -> None:
    """Incidents: opened, assigned, updated, closed, against the clock of 72 hours."""


because = click.option("--because", default="", help="Why, for the record.")
person = click.option("--person", "persons", multiple=True, help="Whom it concerns; repeatable.")


@incident.command("open")
@click.argument("title")
@click.option("--known-at", help="When it was known (ISO); the clock begins there. Default: now.")
@click.option("--id", "ident", default="", help="An id of your own.")
@person
@because
def open_(title: str, known_at: str | None, ident: str, **more: Any) -> None:
    """Open an incident and print its id."""
    found = settings()
    known = moment(known_at, found, "known_at")
    point = opened_point(found)
    more["persons"] = list(more["persons"])
    made = incidents.open_incident(point, title, by=operator(), known_at=known, ident=ident, **more)
    click.echo(made.id)
    _clock(made)


@incident.command()
@click.argument("ident", metavar="ID")
@click.option("--to", "assignee", required=True, help="The person who handles it.")
@because
def assign(ident: str, assignee: str, because: str) -> None:
    """Put it into somebody's hands; whom it concerns is then theirs to look at."""
    point = opened_point(settings())
    made = incidents.assign(point, ident, assignee, by=operator(), because=because)
    _clock(made)


@incident.command()
@click.argument("ident", metavar="ID")
@click.option("--cause")
@click.option("--effect")
@click.option("--remedy")
@click.option("--title")
@click.option("--known-at", help="When it was known (ISO).")
@click.option("--reported-at", help="When those concerned were told (ISO); the clock stands.")
@person
@because
def update(ident: str, persons: tuple[str, ...], because: str, **changes: Any) -> None:
    """Write down what became known."""
    found = settings()
    for name in ("known_at", "reported_at"):
        changes[name] = moment(changes[name], found, name)
    point = opened_point(found)
    made = incidents.amend(point, ident, changes, by=operator(), persons=persons, because=because)
    _clock(made)


@incident.command()
@click.argument("ident", metavar="ID")
@click.option("--not-reported", default="", help="Why no report was owed, where none was made.")
@because
def close(ident: str, not_reported: str, because: str) -> None:
    """Close it, once cause, effect, remedy and report are on file."""
    point = opened_point(settings())
    incidents.close(point, ident, by=operator(), not_reported=not_reported, because=because)
    say(f"The incident {ident} is closed.")


@incident.command("list")
@click.option("--all", "everything", is_flag=True, help="Closed ones too.")
@click.option("--json", "json_", is_flag=True)
def list_(everything: bool, json_: bool) -> None:  # noqa: FBT001 (options)
    """The incidents, with how much of their time is left."""
    now = clock.now()
    point = opened_point(settings())
    found = [
        incident_register.as_dict(each, now)
        for each in incident_register.register(point.store, everything=everything)
    ]
    if json_:
        as_json(found)
        return
    names = ("id", "state", "assignee", "known_at", "due_at", "hours_left", "title")
    table(names, [[str(each.get(name, "")) for name in names] for each in found])


@incident.command()
@click.argument("ident", metavar="ID")
def show(ident: str) -> None:
    """One incident and its history."""
    point = opened_point(settings())
    found = incident_register.get(point.store, ident)
    told = incident_register.as_dict(found, clock.now())
    as_json({**told, "history": incident_register.history(point.store, ident)})


def _clock(made: Incident) -> None:
    left = made.left(clock.now())
    if left is None:
        return
    hours = left.total_seconds() / 3600
    said = (
        f"{hours:.1f} hours are left" if hours >= 0 else f"The time is over by {-hours:.1f} hours"
    )
    say(f"{said} to report it (until {made.due_at:%Y-%m-%d %H:%M} UTC).")
