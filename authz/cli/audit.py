"""``authz audit``: is the trail whole, what is in it, a copy of it, where it stands."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from authz import clock
from authz.cli import audit_tree
from authz.cli.output import as_json, opened, operator, progress, say, settings, table
from authz.errors import MalformedError
from authz.service import trail


@click.group()
def audit() -> None:
    """The audit trail."""


@audit.command()
@click.option("--first", type=click.IntRange(1), help="First record to look at.")
@click.option("--last", type=click.IntRange(1), help="Last record to look at.")
@click.option(
    "--since",
    type=click.Path(exists=True, path_type=Path),
    help="A checkpoint file kept elsewhere: finds a tail that was cut.",
)
@click.option(
    "--export",
    "exported",
    type=click.Path(exists=True, path_type=Path),
    help="Verify an exported file instead of the store.",
)
@click.option("--json", "json_", is_flag=True)
def verify(
    first: int | None,
    last: int | None,
    since: Path | None,
    exported: Path | None,
    json_: bool,  # noqa: FBT001
) -> None:
    """Check that no record was changed, removed, added or reordered."""
    known = _checkpoint(since) if since else None
    with progress() as advance:
        if exported:
            verdict = trail.verify_file(exported, since=known)
        else:
            verdict = trail.verify(
                _store(),
                first=first,
                last=last,
                since=known,
                progress=lambda done: advance("records", done, None),
            )
    damage = verdict.damage
    if json_:
        as_json(
            {
                "whole": damage is None,
                "records": verdict.records,
                "damage": {
                    "kind": damage.kind,
                    "sequence": damage.sequence,
                    "detail": damage.text,
                }
                if damage
                else None,
            }
        )
    elif damage is None:
        click.echo(f"The trail is whole: {verdict.records} records.")
    else:
        click.echo(
            f"The trail is damaged at record {damage.sequence}: {damage.kind}. {damage.text}"
        )
    sys.exit(0 if damage is None else 1)


@audit.command()
@click.option("--person", help="Whose data, or what was changed.")
@click.option("--subject", help="Who asked.")
@click.option("--application", help="Which application asked.")
@click.option("--since", help="ISO date or time.")
@click.option("--until", help="ISO date or time.")
@click.option("--decision", type=click.Choice(["permit", "refuse"]))
@click.option("--rule", help="A rule that permitted or refused.")
@click.option("--purpose")
@click.option("--request-id")
@click.option("--event")
@click.option("--limit", type=click.IntRange(1, 1000), default=100, show_default=True)
@click.option("--after", default="", help="Go on where the last page ended.")
@click.option("--json", "json_", is_flag=True)
def search(json_: bool, **asked: Any) -> None:  # noqa: FBT001 (options)
    """Find records, newest first. Looking is itself recorded."""
    found = settings()
    for name in ("since", "until"):
        asked[name] = _moment(asked[name], found.local, name)
    asked["decision"] = {"permit": True, "refuse": False}.get(asked["decision"] or "")
    page = trail.search(_store(), by=operator(), **asked)
    if json_:
        as_json(
            {
                "records": [
                    {"sequence": f.sequence, "hash": f.hash, **f.record} for f in page.records
                ],
                "after": page.after,
            }
        )
        return
    table(
        (
            "record",
            "time",
            "event",
            "application",
            "subject",
            "action",
            "resource",
            "purpose",
            "decision",
            "because",
        ),
        [_row(found.sequence, found.record) for found in page.records],
    )
    if page.after:
        say(f"There are more: --after {page.after}")


@audit.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--first", type=click.IntRange(1), default=1, show_default=True)
@click.option("--last", type=click.IntRange(1))
def export(file: Path, first: int, last: int | None) -> None:
    """Write records to a file that `authz audit verify --export` checks."""
    with progress() as advance:
        number = trail.export(
            _store(),
            file,
            first=first,
            last=last,
            by=operator(),
            progress=lambda done: advance("records", done, None),
        )
    say(f"{number} records written to {file}.")


for _command in audit_tree.COMMANDS:
    audit.add_command(_command)


def _store() -> Any:
    found = settings()
    return opened(found)


def _checkpoint(path: Path) -> dict[str, Any]:
    try:
        known: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise MalformedError("It is no checkpoint.", where=str(path)) from error
    return known


def _moment(text: str | None, local: Any, name: str) -> datetime | None:
    try:
        return clock.parse(text, local) if text else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=f"--{name}") from error


def _row(sequence: int, record: dict[str, Any]) -> tuple[str, ...]:
    def pair(name: str) -> str:
        ref = record.get(name) or {}
        return f"{ref.get('type', '')}:{ref.get('id', '')}" if ref else ""

    decision = record.get("decision")
    return (
        str(sequence),
        record["time"],
        record["event"],
        record.get("application", ""),
        pair("subject"),
        record.get("action", ""),
        pair("resource"),
        record.get("purpose", ""),
        "" if decision is None else "permit" if decision else "refuse",
        " ".join(record.get("rules", ())) or record.get("reason", ""),
    )
