"""Shipping: the records of journals into the database, behind the answers (N-49, N-51).

Each chain is read from where its head stands in the database. Each line must follow the one
before; then its record goes in, with its index, and the head is moved, in one transaction
for a batch. Whoever ships holds the head's row meanwhile and goes on only where it stands
as expected: several may ship at once, and one that dies leaves a batch whole or not begun.
A file goes when the database has all of it on disk; a chain ends when its writer is gone
and all of it is shipped. Damage stops its chain, is told, and the others go on.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from authz.audit import journal_files as files
from authz.audit import log, writers
from authz.audit.chain import Damage, Kind, Link, Tip
from authz.audit.journal_tail import DamagedError, Tail
from authz.audit.log import Encoded
from authz.audit.mentions import rows as mention_rows
from authz.audit.saying import NO_RECORD, together
from authz.audit.tables import INDEX_COLUMNS

BATCH: Final = 2000
"""Records in one transaction."""
SHIPPER: Final = "authz_shipper"
"""The execution option of an engine that names who ships its journals."""
_COPY: Final = "COPY audit_record ({}) FROM STDIN".format(
    ", ".join(("chain", "sequence", "body", "hash", *INDEX_COLUMNS))
)
_FORCED: Final = (
    "SELECT set_config('synchronous_commit', 'on', true) "
    "WHERE current_setting('synchronous_commit') = 'off'"
)
"""A server may answer a commit before it is on disk; the journal goes after this one."""

Rows = list[tuple[Any, ...]]
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Shipped:
    """How many records were moved, and which chains could not be, with what is wrong."""

    records: int = 0
    damage: Mapping[str, Damage] = field(default_factory=dict)


class Shipper:
    """Moves the journals of one folder to one store; remembers where it was in each."""

    def __init__(self, engine: Engine, folder: Path) -> None:
        self.engine = engine
        self.folder = folder
        self._tails: dict[str, Tail] = {}
        self._told: dict[str, Damage] = {}
        self._guard = threading.Lock()

    def ship(self) -> Shipped:
        """Move what is there; SQLAlchemyError or OSError where store or folder do not answer."""
        with self._guard:
            chains = files.files(self.folder)
            for gone in self._tails.keys() - chains.keys():
                self._tails.pop(gone).close()
            if not chains:
                return Shipped()
            store, heads = writers.identity(self.engine), writers.heads(self.engine, chains)
            records, damage = 0, {}
            for chain in chains:
                try:
                    records += self._chain(chain, store, heads.get(chain))
                except DamagedError as found:
                    damage[chain] = found.damage
            self._tell(damage)
            return Shipped(records, damage)

    def close(self) -> None:
        """Let go of the files."""
        with self._guard:
            while self._tails:
                self._tails.popitem()[1].close()

    def _tell(self, damage: Mapping[str, Damage]) -> None:
        """Log what is wrong, once."""
        for chain, found in damage.items():
            if self._told.get(chain) != found:
                _log.error("journal %s is damaged: %s", chain, found.text)
        self._told = dict(damage)

    def _chain(self, chain: str, store: str, head: Tip | None) -> int:
        """Move what one chain has; its lock is taken first, so that it ends when it is held."""
        records = 0
        with _lock_of(self.folder, chain) as ended:
            paths = files.files(self.folder).get(chain)
            if paths is None:
                return 0  # somebody else has ended it
            if head is None:
                return self._unknown(chain, paths, store, ended=ended)
            if ended and writers.is_closed(self.engine, chain):
                self._drop(chain)
                _unlink(self.folder, chain, paths)  # somebody was killed while doing so
                return 0
            if not paths:
                text = f"record {head.sequence + 1} is missing, and all files of the journal"
                raise DamagedError(Damage(Kind.MISSING, head.sequence + 1, text))
            tail = self._tail(chain, store, head, live=not ended)
            while links := tail.read(BATCH):
                if _insert(self.engine, chain, head, links):
                    head = Tip(links[-1].sequence, links[-1].hash)
                    records += len(links)
                    continue
                # Another one ships this chain too. It may have read before the last answer, so
                # we go on from where it is: whoever asked us finds all that was answered before.
                self._drop(chain)
                found = writers.heads(self.engine, [chain]).get(chain)
                if found is None or chain not in files.files(self.folder):
                    return records  # and has ended it
                head = found
                tail = self._tail(chain, store, head, live=not ended)
            self._remove(tail, ended=ended)
        return records

    def _tail(self, chain: str, store: str, head: Tip, *, live: bool) -> Tail:
        tail = self._tails.get(chain)
        if tail is not None:
            with contextlib.suppress(DamagedError, OSError):  # it is looked for anew
                tail.skip(head, BATCH)
        if tail is None or tail.tip != head:
            self._drop(chain)
            tail = self._tails[chain] = Tail(self.folder, chain, store, head)
        tail.live = live
        return tail

    def _drop(self, chain: str) -> None:
        tail = self._tails.pop(chain, None)
        if tail is not None:
            tail.close()

    def _unknown(self, chain: str, paths: Sequence[Path], store: str, *, ended: bool) -> int:
        """A chain that was never opened: without records it is what a failed start left."""
        with contextlib.closing(Tail(self.folder, chain, store, None)) as tail:
            tail.live = not ended
            if tail.read(1):
                text = "the database knows nothing of this writer"
                raise DamagedError(Damage(Kind.APPENDED, 1, text))
        if ended:
            _unlink(self.folder, chain, paths)
        return 0

    def _remove(self, tail: Tail, *, ended: bool) -> None:
        """Take away what the database has; of a chain that goes on, the files that are full."""
        paths = files.files(self.folder).get(tail.chain, [])
        if not ended:
            for path in paths:
                if files.number_of(path) < tail.number:
                    path.unlink(missing_ok=True)
            return
        writers.close_chain(self.engine, tail.chain, tail.tip, tail.end)
        self._drop(tail.chain)
        _unlink(self.folder, tail.chain, paths)


def _unlink(folder: Path, chain: str, paths: Sequence[Path]) -> None:
    """Remove a chain's files, its lock last."""
    for path in (*paths, *folder.glob(f"{chain}.*.new"), folder / f"{chain}.lock"):
        path.unlink(missing_ok=True)


@contextlib.contextmanager
def _lock_of(folder: Path, chain: str) -> Iterator[bool]:
    """Whether the chain's writer is gone; then its lock is held."""
    handle = files.take_lock(folder / f"{chain}.lock")
    try:
        yield handle is not None
    finally:
        if handle is not None:
            os.close(handle)


def _insert(engine: Engine, chain: str, tip: Tip, links: Sequence[Link]) -> bool:
    """Put the records after ``tip`` and move the head; not where the head stands elsewhere."""
    rows = _rows(chain, links)
    try:
        with log.transaction(engine) as connection:
            if connection.dialect.name == "postgresql":
                connection.exec_driver_sql(_FORCED)
            return _moved(log.Driver(connection), chain, (tip, links[-1]), rows)
    except engine.dialect.loaded_dbapi.Error as error:
        raise DBAPIError("COPY audit_record", None, error) from error


def _moved(driver: log.Driver, chain: str, span: tuple[Tip, Link], rows: tuple[Rows, Rows]) -> bool:
    (tip, last), (records, mentioned) = span, rows
    if driver.head_of(chain) != tip:
        return False
    if driver.dialect.name == "postgresql":
        with driver.cursor.copy(_COPY) as copy:
            for row in records:
                copy.write_row(row)
    else:
        driver.run(driver.sql.insert, records, many=True)
    if mentioned:
        driver.run(driver.sql.mention, mentioned, many=True)
    driver.run(driver.sql.move, (last.sequence, last.hash, chain))
    return True


def _rows(chain: str, links: Sequence[Link]) -> tuple[Rows, Rows]:
    """The rows of the records, and of what they mention, as they follow from their bytes."""
    told = together(links[0].sequence, [link.body for link in links])
    if told is None:
        return _one_by_one(chain, links)
    numbers, *columns = told.columns
    bodies, hashes = [link.body for link in links], [link.hash for link in links]
    records = zip(repeat(chain), numbers, bodies, hashes, *columns, strict=False)
    places, whats, names, hows, times = told.mentions
    mentioned = zip(repeat(chain), places, whats, names, times, hows, strict=False)
    return list(records), list(mentioned)


def _one_by_one(chain: str, links: Sequence[Link]) -> tuple[Rows, Rows]:
    """The same, which says which of them is no record."""
    records: Rows = []
    mentioned: Rows = []
    for link in links:
        try:
            columns, mentions = Encoded(link.body).found()
        except NO_RECORD as error:
            text = f"record {link.sequence} of {chain} is no record"
            raise DamagedError(Damage(Kind.CHANGED, link.sequence, text)) from error
        records.append((chain, *link, *columns))
        mentioned += mention_rows(chain, link.sequence, columns[0], mentions)
    return records, mentioned
