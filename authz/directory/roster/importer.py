"""The import of a OneRoster set: read, check as a whole, merge; all or nothing (page 4.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, select

from authz.directory.roster import staging
from authz.directory.roster.apply import Applied, Apply
from authz.directory.roster.check import Checking
from authz.directory.roster.columns import ORDER
from authz.directory.roster.manifest import NO_MANIFEST, Manifest, read_manifest
from authz.directory.roster.merge import Stamp
from authz.directory.roster.problems import Findings
from authz.directory.roster.rows import Checks
from authz.directory.roster.source import Entries, opened
from authz.directory.roster.stage import Reading, Said, stage_file
from authz.directory.roster.staging import Load
from authz.directory.roster.summary import Listing, Summary
from authz.directory.roster.table import Table
from authz.directory.roster.telling import Tell, untold
from authz.errors import RosterError

Progress = Callable[[str, int, int | None], None]

_SOURCE = re.compile(r"[0-9A-Za-z._@-]{1,64}")


def quiet(what: str, done: int, total: int | None) -> None:
    """Show no progress."""


@contextmanager
def staged_roster(
    connection: Connection,
    path: Path,
    *,
    now: datetime,
    local: tzinfo,
    source: str | None = None,
    partial: bool = False,
    progress: Progress = quiet,
) -> Iterator[Staged]:
    """Read the folder or zip at ``path`` into temporary tables of the connection.

    They are its own, and nothing of the directory is read or held for them: the caller may end
    the transaction before the set is merged, and ends that in which they go at the end.

    ``source``: where it is given, every sourcedId of the set is kept as ``source:sourcedId``
    and the rows are those of that source; else ids are kept as they are, and the source is
    the manifest's ``source.systemCode``, or ``default`` (page 5, *Rosters have a source*).

    ``partial``: a row that is wrong, and what hangs on it, counts as absent and is listed.
    A person whose organisations are unknown is taken without membership. A set without
    ``manifest.csv`` is taken as a delta.

    A file that the manifest calls absent is not touched, in a bulk as in a delta; what it
    brought before can be referred to.

    Raises :class:`~authz.errors.RosterError` where the set cannot be read at all.
    """
    if source is not None and not _SOURCE.fullmatch(source):
        raise RosterError(
            "The name of a source is 1 to 64 letters, digits, dots, hyphens, underscores or @."
        )
    with opened(path) as entries:
        fatal = Findings()
        manifest = read_manifest(entries, fatal)
        fatal.refuse()
        if not manifest.modes:
            raise RosterError("There is no file in it that can be imported.", where=path.name)
        prefix = f"{source}:" if source else ""
        run = Staged(connection, entries, manifest, source or manifest.source, partial, progress)
        with staging.staged(connection) as load:
            zoned = staging.is_postgresql(connection)
            today = now.astimezone(local).date()
            checks = Checks(manifest.version, prefix, local, today=today, zoned=zoned)
            run.read(load, checks)
            yield run


def import_roster(
    connection: Connection,
    path: Path,
    *,
    now: datetime,
    allow_mass_change: bool = False,
    tell: Tell = untold,
    **said: Any,
) -> Summary:
    """Stage and merge in one transaction, that of the caller, who rolls back, and commits.

    ``said`` is what :func:`staged_roster` is told besides.
    """
    with staged_roster(connection, path, now=now, **said) as run:
        return run.merge(now, allow_mass_change=allow_mass_change, tell=tell)


@dataclass
class Staged:
    """A set that was read into the staging tables."""

    connection: Connection
    entries: Entries
    manifest: Manifest
    source: str
    partial: bool
    progress: Progress

    def __post_init__(self) -> None:
        self.said = Said(notes=list(self.manifest.notes))
        self.rows: dict[str, int] = {}
        self.modes = {name: self.manifest.modes[name] for name in ORDER if self._has(name)}
        self.names = {name: self.entries[name.lower()].name for name in self.modes}
        self.origin = f"roster:{self.source}"

    def _has(self, name: str) -> bool:
        return name in self.manifest.modes and name.lower() in self.entries

    def read(self, load: Load, checks: Checks) -> None:
        """Stage every file; what is wrong with the cells is noted."""
        for name in self.modes:
            with Table(self.entries[name.lower()]) as table:
                self._read_file(name, table, load, checks)
        self.progress("indexes", 0, None)
        staging.build_indexes(self.connection)

    def _read_file(self, name: str, table: Table, load: Load, checks: Checks) -> None:
        delta = self.modes[name] == "delta" and not self.manifest.missing
        version = self.manifest.version
        reading = Reading(table, name, checks, self.said, version=version, delta=delta)
        self.rows[name] = 0
        if reading.usable:
            self.rows[name] = stage_file(reading, name, load, self.origin, self.progress)
        if not self.rows[name]:
            self.said.notes.append(f"{table.name}: there is no row in it that was taken.")

    def merge(self, now: datetime, *, allow_mass_change: bool, tell: Tell) -> Summary:
        """Check the set as a whole and merge it, in the transaction of the caller.

        ``tell`` is called with every row that was changed, ended or brought back, and with
        those that were added to what the source brought before.

        Raises :class:`~authz.errors.RosterError` with every problem found, up to a cap, and
        :class:`~authz.errors.MassChangeError`; the caller rolls back, and commits.
        """
        self._check()
        return self._apply(now, allow_mass_change=allow_mass_change, tell=tell)

    def _check(self) -> None:
        """Check the set as a whole; without ``partial`` any problem refuses it."""
        self.progress("references", 0, None)
        if not self.partial and self.manifest.missing:
            self.said.fatal.add(NO_MANIFEST)
        Checking(
            self.connection, origin=self.origin, version=self.manifest.version,
            names=self.names, modes=self.modes, findings=self.said.wrong, partial=self.partial,
        ).run()  # fmt: skip
        if not self.partial:
            self.said.fatal.extend(self.said.wrong.listed, self.said.wrong.total)
        self.said.fatal.refuse()

    def _apply(self, now: datetime, *, allow_mass_change: bool, tell: Tell) -> Summary:
        """Merge what was staged."""
        self.progress("directory", 0, None)
        self._note_principals()
        mode = "without manifest" if self.manifest.missing else "roster"
        stamp = Stamp(self.origin, now, f"OneRoster {self.manifest.version} {mode}", tell)
        applied = Apply(
            self.connection, stamp, self.manifest.version, self.modes, self.names,
            allow_mass_change,
        ).run()  # fmt: skip
        self.progress("directory", 1, 1)
        return self._summary(applied)

    def _note_principals(self) -> None:
        role = staging.ROLE.c.role
        query = select(func.count()).select_from(staging.ROLE).where(role == "principal")
        if self.manifest.version == "1.1" and (found := self.connection.scalar(query)):
            self.said.notes.append(
                f"{self.names.get('users', 'users.csv')}: the role principal ({found} times) is "
                "none of OneRoster 1.1; it gives no administrator's grant."
            )

    def _summary(self, applied: Applied) -> Summary:
        return Summary(
            version=self.manifest.version,
            source=self.source,
            partial=self.partial,
            modes=self.modes,
            rows=self.rows,
            tables=applied.tables,
            skipped=Listing(self.said.wrong.total, tuple(self.said.wrong.listed)),
            idle_links=applied.idle_links,
            hanging=applied.hanging,
            returned=applied.returned,
            held=applied.held,
            renamed=applied.renamed,
            administrators=applied.administrators,
            notes=tuple(self.said.notes),
        )
