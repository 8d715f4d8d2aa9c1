"""Checking a piece of the trail: the records of some neighbouring leaves (N-49).

A :class:`Job` is small enough to be held in memory and needs nothing but the store, so
that several processes can share a verification. It holds each record against its
predecessor, its own hash, its index columns and its mentions, and gives the hash of its
leaf; what comes together from many jobs is :mod:`authz.audit.verify`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Connection, Executable, Select, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from authz.audit.chain import MAIN, Link, Tip, digest, genesis
from authz.audit.merkle import entry, leaf_hash
from authz.audit.pieces import JOB, Piece
from authz.audit.saying import Row, members, said
from authz.audit.tables import INDEX_COLUMNS, AuditMention, AuditRecord
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
_MENTION: Final = (
    AuditMention.sequence,
    AuditMention.what,
    AuditMention.name,
    AuditMention.how,
    AuditMention.time,
)
_MENTIONS: Final = (
    select(*_MENTION)
    .where(
        AuditMention.chain == bindparam("chain"),
        AuditMention.sequence >= bindparam("first"),
        AuditMention.sequence <= bindparam("last"),
    )
    .order_by(AuditMention.sequence)
)
_EVENT: Final = len(_LINK) + INDEX_COLUMNS.index("event")
_RETIRED: Final = Event.TRAIL_RETIRED.value
_WRITERS: Final = frozenset({Event.WRITER_OPENED.value, Event.WRITER_CLOSED.value})


class Fault(NamedTuple):
    """Where a chain is no more as it was written: after ``tip``, or what was derived there."""

    chain: str
    tip: Tip
    derived: str = ""


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
    mentions: int = 0
    """How many there are on file for these leaves."""
    seal: bytes | None = None
    """Of the newest segment that these records of the main chain tell of."""


def read_rows(connection: Connection, chain: str, first: int, last: int) -> list[Any]:
    """Number, bytes, hash and columns of these records: the driver's rows, as they are stored."""
    return _driven(connection, _ROWS, (chain, first, last))


def read_mentions(connection: Connection, chain: str, first: int, last: int) -> list[Row]:
    """Number, what, name, how and time of what is on file for these records."""
    return _driven(connection, _MENTIONS, (chain, first, last))


def _driven(connection: Connection, statement: Executable, place: tuple[Any, ...]) -> list[Any]:
    dialect: Any = connection.dialect
    plain = dialect.name != "postgresql"
    cursor: Any = connection.connection.cursor(**({} if plain else {"binary": True}))
    try:
        cursor.execute(_placed(statement, plain), place)
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
    walks: dict[str, _Walk] = {}
    for chain, (first, last, after) in _spans(pieces).items():
        walk = walks[chain] = _Walk(chain)
        if after:
            walk.tip = Tip(first - 1, after)
            walk.run(read_rows(connection, chain, first, last), last)
        else:
            rows = read_rows(connection, chain, max(1, first - 1), last)
            walk.begin(rows, first)
            walk.run(rows, last)
        walk.mentioned(read_mentions(connection, chain, first, last))
    hashes = {chain: iter(walk.leaves) for chain, walk in walks.items()}
    leaves: list[bytes] = []
    fault: Fault | None = None
    for piece in pieces:
        found = list(islice(hashes[piece.chain], piece.length))
        leaves += found
        if len(found) < piece.length:
            fault = walks[piece.chain].fault
            break
    return Checked(
        pieces,
        leaves,
        {chain: walk.tip for chain, walk in walks.items()},
        [writer for walk in walks.values() for writer in walk.writers],
        fault,
        sum(len(walk.mentions) for walk in walks.values()),
        walks[MAIN].seal if MAIN in walks else None,
    )


class _Walk:
    """One pass over neighbouring records of a chain: ``tip`` is the last that is whole."""

    def __init__(self, chain: str) -> None:
        self.chain = chain
        self.writers: list[Writer] = []
        self.seal: bytes | None = None
        self.tip = genesis(chain)
        self.tips: list[bytes] = []
        self.leaves: list[bytes] = []
        self.mentions: list[Row] = []
        self.fault: Fault | None = None

    def begin(self, rows: list[Any], first: int) -> None:
        """Take away the row before the first, which says what it follows."""
        if first > 1:
            before = rows.pop(0) if rows and rows[0][0] == first - 1 else (0, b"", b"")
            known = isinstance(before[2], bytes) and before[2]
            self.tip = Tip(first - 1, before[2]) if known else Tip(first - 2, b"")

    def run(self, rows: list[Any], last: int) -> None:
        """Check the rows, up to record ``last``."""
        self.tips.append(self.tip.hash)
        if self.tip.hash:
            self._steps(rows)
        if self.tip.sequence < last and self.fault is None:
            self.fault = Fault(self.chain, self.tip)

    def _steps(self, rows: list[Any]) -> None:
        chain, place, tip = self.chain, *self.tip
        main = chain == MAIN
        for row in rows:
            sequence, body, stored = row[0], row[1], row[2]
            place += 1
            if (
                sequence != place
                or type(sequence) is not int
                or not isinstance(body, bytes)
                or digest(tip, place, body) != stored
            ):
                self.fault = Fault(chain, Tip(place - 1, tip))
                break
            told = said(place, body)
            if told is None or told.columns != row[3:]:
                column = _wrong(told.columns if told else (), row[3:])
                self.fault = Fault(chain, Tip(place - 1, tip), f"column {column}")
                break
            self.mentions += told.mentions
            if main and row[_EVENT] in _WRITERS:
                self.writers.append(_writer(sequence, body))
            elif main and row[_EVENT] == _RETIRED:
                self.seal = _octets(members(body).get("detail", {}).get("seal"))
            self.leaves.append(leaf_hash(entry(chain, place, body)))
            tip = stored
            self.tips.append(tip)
        self.tip = Tip(self.tip.sequence + len(self.leaves), tip)

    def mentioned(self, stored: list[Row]) -> None:
        """Hold the mentions on file against those that the records say."""
        if stored == self.mentions:
            return
        upto = self.tip.sequence
        differ = {*self.mentions} ^ {row for row in stored if row[0] <= upto}
        if not differ:
            return
        place = int(min(row[0] for row in differ))
        whole = len(self.leaves) - (upto - place + 1)
        del self.leaves[whole:]
        self.tip = Tip(place - 1, self.tips[whole])
        self.fault = Fault(self.chain, self.tip, "mentions")


def _wrong(expected: tuple[str, ...], columns: tuple[Any, ...]) -> str:
    """The first index column that does not say what the record says, if there is one."""
    pairs = zip(INDEX_COLUMNS, expected, columns, strict=False)
    return next((name for name, right, found in pairs if right != found), "body")


def _writer(sequence: int, body: bytes) -> Writer:
    found = members(body)
    chain = str(found.get("resource", {}).get("id", ""))
    if found["event"] == Event.WRITER_OPENED:
        return Writer(sequence, chain, None)
    detail = found.get("detail", {})
    return Writer(sequence, chain, Tip(detail.get("records"), _octets(detail.get("hash"))))


def _octets(text: Any) -> bytes:
    try:
        return bytes.fromhex(text)
    except (TypeError, ValueError):
        return b""


def _spans(pieces: Sequence[Piece]) -> dict[str, tuple[int, int, bytes]]:
    """For each chain its first and last record, and what it follows; they are neighbours."""
    found: dict[str, tuple[int, int, bytes]] = {}
    for piece in pieces:
        first, _, after = found.get(piece.chain, (piece.first, 0, piece.after))
        found[piece.chain] = first, piece.last, after
    return found


@cache
def _placed(statement: Executable, plain: bool) -> str:  # noqa: FBT001 (a key of the cache)
    """The SQL of a statement, its parameters by place."""
    known: Any = sqlite.dialect() if plain else postgresql.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
    return str(cast("Select[Any]", statement).compile(dialect=known))
