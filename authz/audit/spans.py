"""Checking a piece of the trail: the records of some neighbouring leaves (N-49).

A :class:`Job` is small enough to be held in memory and needs nothing but the store, so
that several processes can share a verification. It holds each record against its
predecessor, its own hash and its index columns, and gives the hash of its leaf; what
comes together from many jobs is :mod:`authz.audit.verify`'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection, Select, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from authz.audit.chain import MAIN, Link, Tip, follows, genesis
from authz.audit.merkle import entry, leaf_hash
from authz.audit.pieces import JOB, Piece
from authz.audit.record import VERSION, fits, index
from authz.audit.tables import INDEX_COLUMNS, AuditRecord
from authz.vocabulary import Event

_BEFORE_ALL: Final = -(2**63)
COLUMNS: Final = tuple(getattr(AuditRecord, name) for name in INDEX_COLUMNS)
_LINK: Final = (AuditRecord.sequence, AuditRecord.body, AuditRecord.hash)
_ROWS: Final = (
    select(*_LINK, *COLUMNS)
    .where(
        AuditRecord.chain == bindparam("chain"),
        AuditRecord.sequence >= bindparam("first"),
        AuditRecord.sequence <= bindparam("last"),
    )
    .order_by(AuditRecord.sequence)
)
_EVENT: Final = len(_LINK) + INDEX_COLUMNS.index("event")
_WRITERS: Final = frozenset({Event.WRITER_OPENED.value, Event.WRITER_CLOSED.value})
_decode: Final = msgspec.json.Decoder().decode


class Fault(NamedTuple):
    """Where a chain is no more as it was written: after ``tip``, or in that column there."""

    chain: str
    tip: Tip
    column: str = ""


class Writer(NamedTuple):
    """What a record of the main chain says of another: it was opened, or ``closed`` there."""

    sequence: int
    chain: str
    closed: Tip | None


class Checked(NamedTuple):
    """What became of a job: all its leaves, or those before the fault."""

    pieces: Sequence[Piece]
    leaves: list[bytes]
    tips: dict[str, Tip]
    writers: list[Writer]
    fault: Fault | None


def read_rows(connection: Connection, chain: str, first: int, last: int) -> list[Any]:
    """Number, bytes, hash and columns of these records: the driver's rows, as they are stored."""
    dialect: Any = connection.dialect
    plain = dialect.name != "postgresql"
    cursor: Any = connection.connection.cursor(**({} if plain else {"binary": True}))
    try:
        cursor.execute(_placed(_ROWS, plain), (chain, first, last))
        rows: list[Any] = cursor.fetchall()
    except dialect.loaded_dbapi.Error as error:
        raise DBAPIError("reading the trail", None, error) from error
    finally:
        cursor.close()
    return rows


class Links:
    """All records of a chain, from the beginning with each ``iter()``, in constant memory."""

    def __init__(self, connection: Connection, chain: str) -> None:
        self.connection = connection
        self.chain = chain

    def __iter__(self) -> Iterator[Link]:
        return self.after(_BEFORE_ALL)

    def after(self, sequence: int) -> Iterator[Link]:
        """Those of higher numbers."""
        last: Any = sequence
        while rows := self.connection.execute(
            select(*_LINK)
            .where(AuditRecord.chain == self.chain, AuditRecord.sequence > last)
            .order_by(AuditRecord.sequence)
            .limit(JOB)
        ).all():
            yield from (Link(*row) for row in rows)
            last = rows[-1][0]


@contextmanager
def lenient(connection: Connection) -> Iterator[None]:
    """On SQLite, read texts that damage made no UTF-8: they show as what they are not."""
    raw: Any = connection.connection.dbapi_connection
    factory = raw.text_factory
    raw.text_factory = lambda octets: octets.decode("utf-8", "backslashreplace")
    try:
        yield
    finally:
        raw.text_factory = factory


def check_job(connection: Connection, pieces: Sequence[Piece]) -> Checked:
    """Check the records of some pieces, which are in the order of their leaves."""
    writers: list[Writer] = []
    hashes: dict[str, Iterator[bytes]] = {}
    tips: dict[str, Tip] = {}
    faults: dict[str, Fault] = {}
    for chain, (first, last) in _spans(pieces).items():
        walk = _Walk(chain, writers)
        walk.run(read_rows(connection, chain, max(1, first - 1), last), first, last)
        hashes[chain], tips[chain] = iter(walk.leaves), walk.tip
        if walk.fault is not None:
            faults[chain] = walk.fault
    leaves: list[bytes] = []
    for piece in pieces:
        for _ in range(piece.length):
            leaf = next(hashes[piece.chain], None)
            if leaf is None:
                return Checked(pieces, leaves, tips, writers, faults[piece.chain])
            leaves.append(leaf)
    return Checked(pieces, leaves, tips, writers, None)


class _Walk:
    """One pass over neighbouring records of a chain: ``tip`` is the last that is whole."""

    def __init__(self, chain: str, writers: list[Writer]) -> None:
        self.chain = chain
        self.writers = writers if chain == MAIN else None
        self.tip = genesis(chain)
        self.leaves: list[bytes] = []
        self.fault: Fault | None = None

    def run(self, rows: list[Any], first: int, last: int) -> None:
        """Check ``first`` to ``last``; the row before them, if any, says what they follow."""
        if first > 1:
            before = rows.pop(0) if rows and rows[0][0] == first - 1 else (first - 2, b"", b"")
            self.tip = Tip(before[0], before[2])
        if self.tip.sequence == first - 1:
            for row in rows:
                if not self._step(row):
                    return
        if self.tip.sequence < last:
            self.fault = Fault(self.chain, self.tip)

    def _step(self, row: Any) -> bool:
        sequence, body, stored = row[:3]
        if not follows(self.tip, Link(sequence, body, stored)):
            self.fault = Fault(self.chain, self.tip)
            return False
        if not _fits(body, row[3:]):
            self.fault = Fault(self.chain, self.tip, wrong_column(body, row[3:]))
            return False
        if self.writers is not None and row[_EVENT] in _WRITERS:
            self.writers.append(_writer(sequence, body))
        self.leaves.append(leaf_hash(entry(self.chain, sequence, body)))
        self.tip = Tip(sequence, stored)
        return True


def wrong_column(body: bytes, columns: tuple[Any, ...]) -> str:
    """The first index column that does not say what the record says, if there is one."""
    expected = _columns(body)
    if expected == columns:
        return ""
    pairs = zip(INDEX_COLUMNS, expected, columns, strict=False)
    return next((name for name, right, found in pairs if right != found), "body")


def _fits(body: bytes, columns: tuple[Any, ...]) -> bool:
    """Whether the index columns say what the record says."""
    try:
        members = _members(body)
        return members["v"] == VERSION and fits(members, columns)
    except (ValueError, KeyError, TypeError, AttributeError):
        return False


def _columns(body: bytes) -> tuple[str, ...]:
    """The index that follows from a record; nothing where its bytes are no record."""
    try:
        members = _members(body)
        return tuple(index(members).values()) if members["v"] == VERSION else ()
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()


def _members(body: bytes) -> Any:
    """The record as JSON values; the fast reader knows no lone surrogates, the other does."""
    try:
        return _decode(body)
    except msgspec.DecodeError:
        return json.loads(body.decode())


def _writer(sequence: int, body: bytes) -> Writer:
    members = _members(body)
    chain = str(members.get("resource", {}).get("id", ""))
    if members["event"] == Event.WRITER_OPENED:
        return Writer(sequence, chain, None)
    detail = members.get("detail", {})
    return Writer(sequence, chain, Tip(detail.get("records"), _octets(detail.get("hash"))))


def _octets(text: Any) -> bytes:
    try:
        return bytes.fromhex(text)
    except (TypeError, ValueError):
        return b""


def _spans(pieces: Sequence[Piece]) -> dict[str, tuple[int, int]]:
    """For each chain its first and last record, which are neighbours in the order given."""
    found: dict[str, tuple[int, int]] = {}
    for piece in pieces:
        first, _ = found.get(piece.chain, (piece.first, 0))
        found[piece.chain] = first, piece.last
    return found


@cache
def _placed(statement: Select[Any], plain: bool) -> str:  # noqa: FBT001 (a key of the cache)
    """The SQL of a statement, its parameters by place."""
    known: Any = sqlite.dialect() if plain else postgresql.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
    return str(statement.compile(dialect=known))
