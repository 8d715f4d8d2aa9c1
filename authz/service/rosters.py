"""Imports a roster: all or nothing, with its record in the same transaction (N-02, N-42)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import tzinfo
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from authz import clock
from authz.audit import log
from authz.audit.record import Entry, Ref
from authz.directory.recording.revision import advance
from authz.directory.roster import Summary, import_roster
from authz.service.database import writing
from authz.vocabulary import Event


class DryRun(Exception):  # noqa: N818 (a way out of the transaction, not an error)
    """Rolls the transaction of a dry run back."""

    def __init__(self, summary: Summary) -> None:
        super().__init__("dry run")
        self.summary = summary


def import_oneroster(  # noqa: PLR0913 (as the command's options)
    store: Engine,
    path: Path,
    *,
    local: tzinfo,
    by: str,
    because: str = "",
    source: str | None = None,
    dry_run: bool = False,
    partial: bool = False,
    allow_mass_change: bool = False,
    progress: Callable[[str, int, int | None], None] = lambda *_: None,
) -> Summary:
    """Import the folder or zip at ``path``; RosterError tells every bad row."""
    try:
        with writing(store) as connection:
            # First, so that two imports at once wait for each other on every store.
            revision = advance(connection)
            summary = import_roster(
                connection,
                path,
                now=clock.now(),
                local=local,
                source=source,
                partial=partial,
                allow_mass_change=allow_mass_change,
                progress=progress,
            )
            if dry_run:
                raise DryRun(summary)  # noqa: TRY301 (what rolls the transaction back)
            log.append(
                connection,
                [
                    Entry(
                        event=Event.ROSTER_IMPORTED,
                        time=clock.now(),
                        application="authz",
                        subject=Ref("operator", by),
                        action="import",
                        resource=Ref("roster", summary.source),
                        directory_revision=revision,
                        detail={**_counts(summary), "who": by, "why": because},
                    )
                ],
            )
    except DryRun as done:
        return done.summary
    return summary


def _counts(summary: Summary) -> dict[str, Any]:
    """What a record says of an import: numbers by file and table, and no row of it."""
    return {
        "version": summary.version,
        "partial": summary.partial,
        "modes": summary.modes,
        "rows": summary.rows,
        "tables": {name: asdict(tally) for name, tally in summary.tables.items()},
        "skipped": summary.skipped.total,
        "returned": list(summary.returned.first),
    }
