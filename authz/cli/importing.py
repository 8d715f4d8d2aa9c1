"""``authz import``: rosters, facts and entities; each all or nothing."""

from __future__ import annotations

import sys
from codecs import BOM_UTF8
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import click

from authz.cli.output import as_json, opened, operator, progress, say, settings
from authz.errors import FactError
from authz.policy.load import load
from authz.service.entities import import_entities
from authz.service.record_facts import import_facts
from authz.service.rosters import import_oneroster

LONGEST = 8 * 1024 * 1024
"""Bytes that are read of a line: more than a fact can be, so that it is told as too long."""

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
    """The lines of the file, each time anew; what can be read once is kept for the second."""
    if str(file) == "-":
        kept = list(_decoded(lambda: sys.stdin.buffer, "-"))
        return lambda: kept
    if file.exists() and not file.is_file():
        kept = list(_decoded(lambda: file.open("rb"), str(file)))
        return lambda: kept
    return lambda: _decoded(lambda: file.open("rb"), str(file))


def _decoded(opened: Callable[[], BinaryIO], name: str) -> Iterator[str]:
    number = 0
    try:
        with opened() as stream:
            while line := stream.readline(LONGEST):
                number += 1
                if len(line) == LONGEST:
                    raise FactError("The line is longer than any fact.", where=f"{name}:{number}")
                yield (line.removeprefix(BOM_UTF8) if number == 1 else line).decode()
    except OSError as error:
        raise FactError(f"It cannot be read: {error.strerror}.", where=name) from error
    except UnicodeDecodeError as error:
        raise FactError("It is not UTF-8.", where=f"{name}:{number}") from error
