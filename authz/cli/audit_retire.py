"""``authz audit retire``: take the oldest records away, and leave what proves the rest."""

from __future__ import annotations

from datetime import datetime, timedelta

import click

from authz import clock
from authz.cli.output import opened, operator, progress, say, settings
from authz.service import retention


@click.command()
@click.option("--before", help="ISO date or time: only records from before it go.")
@click.option("--days", type=click.IntRange(1), help="Only records older than so many days go.")
@click.option("--why", default="", help="The reason, which the trail keeps.")
def retire(before: str | None, days: int | None, why: str) -> None:
    """Take the oldest records away; their roots stay, so that the rest can be verified.

    Without --before and --days, as old as AUTHZ_AUDIT_RETENTION_DAYS says. Only the owner
    of the database's tables can. It is itself recorded.
    """
    found = settings()
    if before and days:
        raise click.UsageError("Say --before or --days.")
    days = days or found.audit_retention_days
    if not before and not days:
        raise click.UsageError("Say --before or --days: AUTHZ_AUDIT_RETENTION_DAYS keeps all.")
    moment = clock.now() - timedelta(days=days) if not before else _moment(before, found.local)
    with progress() as advance:
        count = retention.retire(
            opened(found),
            found,
            older_than=moment,
            by=operator(),
            why=why,
            progress=lambda done, of: advance("records", done, of),
        )
    say(f"{count} records retired.")


def _moment(text: str, local: object) -> datetime:
    try:
        return clock.parse(text, local)  # type: ignore[arg-type]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--before") from error


COMMANDS = (retire,)
"""What the group ``authz audit`` has of these."""
