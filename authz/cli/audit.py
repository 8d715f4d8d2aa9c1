"""``authz audit``: is the trail whole, what is in it, a copy of it, where it stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from authz import clock
from authz.cli import audit_retire, audit_stream, audit_tree, audit_verify
from authz.cli.keeping import keep
from authz.cli.output import as_json, opened, operator, say, settings, table
from authz.service import trail


@click.group()
def audit() -> None:
    """The audit trail."""


audit.add_command(keep)


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


for _command in (
    *audit_verify.COMMANDS,
    *audit_tree.COMMANDS,
    *audit_stream.COMMANDS,
    *audit_retire.COMMANDS,
):
    audit.add_command(_command)


def _store() -> Any:
    found = settings()
    return opened(found)


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
