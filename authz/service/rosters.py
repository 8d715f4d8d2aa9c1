"""Imports a roster: all or nothing, with its record in the same transaction (N-02, N-42)."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from datetime import tzinfo
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from authz.audit.record import Ref
from authz.directory.recording.revision import advance
from authz.directory.roster import Summary, staged_roster
from authz.errors import RosterError
from authz.service import changing
from authz.service.changing import By
from authz.service.database import connected, writing_on
from authz.service.roster_changes import Told
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
    """Import the folder or zip at ``path``; RosterError tells every bad row.

    One record tells the counts and the digests of the files; further ones tell each row
    that changed, ended, returned or came to what the source had brought before. The files are
    read before the transaction begins, so that others wait for the merging only.
    """
    author = By.now(by, because)
    read: dict[str, Any] = {
        "local": local,
        "source": source,
        "partial": partial,
        "progress": progress,
    }
    with Told() as told, connected(store) as connection:
        try:
            before = digests(path)
            with staged_roster(connection, path, now=author.at, **read) as staged:
                connection.commit()  # nobody else waits for what is staged
                with writing_on(connection):
                    # First, so that two imports at once wait for each other on every store.
                    revision = advance(connection)
                    summary = staged.merge(
                        author.at, allow_mass_change=allow_mass_change, tell=told
                    )
                    if dry_run:
                        raise DryRun(summary)  # noqa: TRY301 (what rolls the transaction back)
                    _unchanged(path, before)
                    _record(connection, author, summary, revision, before, told)
        except DryRun as done:
            return done.summary
        finally:
            with suppress(SQLAlchemyError):
                connection.commit()  # the staging tables are gone
    return summary


def _unchanged(path: Path, before: Mapping[str, str]) -> None:
    if digests(path) != before:
        raise RosterError(
            "The roster was changed while it was read; nothing was imported.",
            where=str(path),
            hint="Import it again once it is complete.",
        )


def _record(
    connection: Connection,
    by: By,
    summary: Summary,
    revision: int,
    read: Mapping[str, str],
    told: Told,
) -> None:
    """The record of the import, and those of its rows."""
    whole = changing.changed(
        Event.ROSTER_IMPORTED,
        by,
        Ref("roster", summary.source),
        {"directory_revision": revision - 1},
        {"directory_revision": revision},
        action="import",
        revision=revision,
        more={**_counts(summary), "told": dict(told.counts), "digests": dict(read)},
    )
    changing.record(connection, [whole])
    told.write(connection, by, summary.source, revision)


def digests(path: Path) -> dict[str, str]:
    """SHA-256 of the zip, or of each file of the folder: what exactly was imported."""
    files = sorted(path.glob("*.[cC][sS][vV]")) if path.is_dir() else [path]
    try:
        return {file.name: _digest(file) for file in files}
    except OSError as error:
        raise RosterError(f"It cannot be read: {error.strerror}.", where=str(path)) from error


def _digest(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _counts(summary: Summary) -> dict[str, Any]:
    """What a record says of an import: numbers by file and table."""
    return {
        "version": summary.version,
        "partial": summary.partial,
        "modes": summary.modes,
        "rows": summary.rows,
        "tables": {name: asdict(tally) for name, tally in summary.tables.items()},
        "skipped": summary.skipped.total,
    }
