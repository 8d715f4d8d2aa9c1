"""``authz import``: rosters, facts and entities; each all or nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import click

from authz.cli.output import as_json, opened, operator, progress, say, settings
from authz.errors import FactError
from authz.policy.load import load
from authz.service.entities import import_entities
from authz.service.record_facts import import_facts
from authz.service.rosters import import_oneroster

because = click.option(
    "--because", default="", help="Why, for the record; without it, command and file."
)
json_option = click.option("--json", "json_", is_flag=True, help="Print the summary as JSON.")


@click.group("import")
def import_() -> None:
    """Bring rosters, facts and entities in."""


@import_.command()
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check and count, and change nothing.")
@click.option("--partial", is_flag=True, help="Leave bad rows out instead of refusing the file.")
@click.option("--source", help="The name of the roster's source, where the manifest has none.")
@click.option(
    "--allow-mass-change",
    is_flag=True,
    help="Let a bulk end more than 10 % of people, or a roster more than half of a kind of row.",
)
@because
@json_option
def oneroster(  # noqa: PLR0917 (one parameter an option)
    path: Path,
    dry_run: bool,  # noqa: FBT001 (an option)
    partial: bool,  # noqa: FBT001 (an option)
    source: str | None,
    allow_mass_change: bool,  # noqa: FBT001 (an option)
    because: str,
    json_: bool,  # noqa: FBT001 (an option)
) -> None:
    """Import a OneRoster 1.1 or 1.2 folder or zip."""
    found = settings()
    with progress() as advance:
        summary = import_oneroster(
            opened(found),
            path,
            local=found.local,
            by=operator(),
            because=because or f"authz import oneroster {path.name}",
            source=source,
            dry_run=dry_run,
            partial=partial,
            allow_mass_change=allow_mass_change,
            progress=advance,
        )
    if json_:
        as_json({"dry_run": dry_run, **summary.as_dict()})
        return
    for line in summary.lines():
        click.echo(line)
    if dry_run:
        say("Dry run: nothing was changed.")


@import_.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@because
@json_option
def facts(file: Path, because: str, json_: bool) -> None:  # noqa: FBT001 (an option)
    """Import a facts file (JSON Lines); `-` is standard input."""
    found = settings()
    lines = _lines(file)
    with progress() as advance:
        done = 0

        def count(more: int) -> None:
            nonlocal done
            done += more
            advance("facts", done, None)

        summary = import_facts(
            opened(found),
            lines,
            name=str(file),
            catalogue=load(found.policy).catalogue,
            local=found.local,
            by=operator(),
            because=because or f"authz import facts {file.name}",
            progress=count,
        )
    if json_:
        as_json(vars(summary))
        return
    for what in ("recorded", "replaced", "ended"):
        for kind, number in sorted(getattr(summary, what).items()):
            click.echo(f"{what} {number} {kind}")
    for person, roles in sorted(summary.apart.items()):
        say(f"{person} holds roles that the policy keeps apart: {', '.join(roles)}.")
    say(f"{summary.lines} lines put on file; the directory is at revision {summary.revision}.")


@import_.command()
@click.argument("file", type=click.Path(path_type=Path))
@because
def entities(file: Path, because: str) -> None:
    """Import generic entities: a JSON list of type, id and properties."""
    found = settings()
    store = opened(found)
    number = import_entities(
        store, file, by=operator(), because=because or f"authz import entities {file.name}"
    )
    say(f"{number} entities put on file.")


def _lines(file: Path) -> Callable[[], Iterable[str]]:
    """The lines of the file, each time anew; standard input is kept for the second reading."""
    if str(file) == "-":
        kept = sys.stdin.read().splitlines()
        return lambda: kept

    def read() -> Iterable[str]:
        try:
            with file.open(encoding="utf-8-sig") as stream:
                yield from stream
        except OSError as error:
            raise FactError(f"It cannot be read: {error.strerror}.", where=str(file)) from error
        except UnicodeDecodeError as error:
            raise FactError("It is not UTF-8.", where=str(file)) from error

    return read
