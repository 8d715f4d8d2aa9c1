"""Writing the trail: in the transaction of a change, or durably on its own (2.8, N-49).

A record on its own goes to the journal of this process, where the store has one
(:mod:`authz.audit.journal`), else to the chain ``main`` in the database; a change and its
record always go to the database together.

Four statements write any number of records: the head is read and locked, the records and
what they mention are inserted, the head is moved. Whoever else writes to the chain waits
for the head's row (PostgreSQL) or the database (SQLite, where the transaction must be a
writing one from its begin: ``authz_write=True``), so that numbers have no gaps and hashes
no forks. What does not get through is an :class:`AuditUnavailableError`: no record, no
answer (3.5).

The statements are made once for each dialect and go to the driver as they are: this is
what every decision pays.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import TYPE_CHECKING, Any, Final, NamedTuple, cast

from sqlalchemy import Connection, Dialect, Engine, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import OperationalError, SQLAlchemyError

from authz.audit import proven
from authz.audit.chain import MAIN, Tip, digest, genesis
from authz.audit.group import Coming, GroupCommit
from authz.audit.mentions import Mention, mentions, rows
from authz.audit.pseudonyms import OPTION as PSEUDONYMS
from authz.audit.pseudonyms import hidden
from authz.audit.record import Entry, index, spelt
from authz.audit.tables import AuditHead, AuditMention, AuditRecord
from authz.errors import AuditUnavailableError

if TYPE_CHECKING:
    from authz.audit.journal import Journal

JOURNAL: Final = "authz_journal"
"""The execution option of an engine that names the journal of its records."""

_HEAD: Final = (
    select(AuditHead.sequence, AuditHead.hash)
    .where(AuditHead.chain == bindparam("chain"))
    .with_for_update()
)
_MOVE: Final = (
    update(AuditHead)
    .where(AuditHead.chain == bindparam("which"))
    .values(sequence=bindparam("to"), hash=bindparam("tip"))
)
_PLACED: Final[Dialect] = postgresql.dialect(paramstyle="format")  # type: ignore[no-untyped-call]


class Receipt(NamedTuple):
    """Where a record stands in the trail, for whoever wants to find or prove it."""

    chain: str
    sequence: int
    hash: bytes


class Encoded(NamedTuple):
    """A record's bytes, made before any lock is taken."""

    body: bytes

    def found(self) -> tuple[tuple[str, ...], tuple[Mention, ...]]:
        """What a search looks at, as it follows from the bytes: columns, and mentions."""
        members = json.loads(self.body)
        return tuple(index(members).values()), mentions(members)


class Ready(NamedTuple):
    """The same with what a search looks at, so that little is left to do in the transaction."""

    body: bytes
    columns: tuple[str, ...]
    mentions: tuple[Mention, ...]

    def found(self) -> tuple[tuple[str, ...], tuple[Mention, ...]]:
        """As :meth:`Encoded.found`."""
        return self.columns, self.mentions


def ready(entry: Entry) -> Ready:
    """All of an entry that is known before its place in the chain; nobody is hidden in it."""
    made = encode(entry)
    return Ready(made.body, *made.found())


def encode(entry: Entry) -> Encoded:
    """The bytes of an entry; a mistake in it fails here, before the store."""
    return Encoded(spelt(entry))


def append(connection: Connection, entries: Sequence[Entry]) -> list[Receipt]:
    """Write the records in the caller's transaction: they stand or fall with its change.

    It must be one that writes from its begin: on SQLite with ``authz_write=True``, on
    PostgreSQL reading what is committed, so that it can wait for the head and go on.
    """
    return append_encoded(connection, [encode(entry) for entry in hidden_in(connection, entries)])


def expect(engine: Engine) -> Coming | None:
    """Say that :func:`record` will be called: those who write meanwhile may wait to share.

    Whoever says so and writes nothing must say that it is over.
    """
    journal: Journal | None = engine.get_execution_options().get(JOURNAL)
    return None if journal is None else journal.expect()


def record(engine: Engine, entries: Sequence[Entry], coming: Coming | None = None) -> list[Receipt]:
    """Write the records together and on their own, durable on return.

    They go to the journal of this process, if the store has one. Else threads share a
    commit; when it fails, it fails for each of them. Each then waits for the disk itself:
    the kernel answers those who wait at once together, and who comes next need not wait
    for the wait of those before.
    """
    return record_spelt(engine, [spelt(entry) for entry in hidden_in(engine, entries)], coming)


def record_spelt(
    engine: Engine, bodies: Sequence[bytes], coming: Coming | None = None
) -> list[Receipt]:
    """The same for records whose bytes are made; nobody is to be hidden in them any more."""
    journal: Journal | None = engine.get_execution_options().get(JOURNAL)
    if journal is not None:
        return journal.append(bodies, coming)
    receipts = list(_grouped(engine, [Encoded(body) for body in bodies]))
    try:
        _force(engine)
    except SQLAlchemyError as error:
        raise unavailable(error) from error
    return receipts


def names_people(store: Engine | Connection) -> bool:
    """Whether records of this store name people by their own ids, so that nobody is hidden."""
    return PSEUDONYMS not in store.get_execution_options()


def hidden_in(store: Engine | Connection, entries: Sequence[Entry]) -> Sequence[Entry]:
    """The entries with pseudonyms for people, where the store is opened for them (N-34)."""
    try:
        return hidden(store, entries)
    except failures(store) as error:
        raise unavailable(error) from error


def append_encoded(connection: Connection, records: Sequence[Encoded | Ready]) -> list[Receipt]:
    """The same for records whose bytes are made; a failure takes the change with it.

    The transaction is rolled back at once, so that a caller who swallows the error cannot
    commit a change that has no record.
    """
    try:
        return _write(connection, records)
    except failures(connection) as error:
        transaction = connection.get_transaction()
        if transaction is not None and transaction.is_active:
            with suppress(SQLAlchemyError, OSError):
                transaction.rollback()
        raise unavailable(error) from error


def _commit(engine: Engine, records: Sequence[Encoded]) -> list[Receipt]:
    """The same in a transaction of its own; on SQLite it is still to be forced to disk."""
    try:
        with engine.connect() as connection, _unforced(connection), _begun(connection):
            return _write(connection, records)
    except failures(engine) as error:
        raise unavailable(error) from error


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes to the trail: on disk at the end, nothing on any error."""
    with engine.connect() as connection, forced(connection), _begun(connection):
        yield connection


@contextmanager
def _begun(connection: Connection) -> Iterator[None]:
    """A transaction that waits for whoever writes to the same chain, and then goes on."""
    connection.execution_options(authz_write=True)
    if connection.dialect.name == "postgresql":
        connection.execution_options(isolation_level="READ COMMITTED")
    with connection.begin():
        yield


@contextmanager
def forced(connection: Connection) -> Iterator[None]:
    """On SQLite, force the log to disk after the commit and not in it: N-49, at less cost.

    A commit that waits for the disk holds the write lock of all processes meanwhile. One
    that does not lets go at once; then the log, which holds this commit and all before it,
    is forced, and only then is anything answered. If a checkpoint took the log's pages to
    the database in between, it has forced both itself.
    """
    with _unforced(connection):
        yield
    _force(connection)


@contextmanager
def _unforced(connection: Connection) -> Iterator[None]:
    """Commit without waiting for the disk, where :func:`_force` will wait for it."""
    if _log_of(connection) is None:
        yield
        return
    _synchronous(connection, "NORMAL")
    try:
        yield
    finally:
        _synchronous(connection, "FULL")


def _log_of(store: Engine | Connection) -> str | None:
    """The file of SQLite's log, where records are to be on disk (4.3)."""
    return store.get_execution_options().get("authz_wal")


def _force(store: Engine | Connection) -> None:
    """Wait until SQLite's log is on disk; it is there as long as a connection is open."""
    log = _log_of(store)
    if log is None:
        return
    try:
        handle = os.open(log, os.O_RDONLY)
        try:
            os.fdatasync(handle)
        finally:
            os.close(handle)
    except OSError as error:
        raise OperationalError("fdatasync", None, error) from error


def _synchronous(connection: Connection, level: str) -> None:
    """Set when the connection waits for the disk; one that cannot be set is used no more."""
    raw: Any = connection.connection.dbapi_connection
    try:
        raw.execute(f"PRAGMA synchronous={level}")
    except connection.dialect.loaded_dbapi.Error as error:
        connection.invalidate(error)
        raise OperationalError("PRAGMA synchronous", None, error) from error


def unavailable(error: BaseException) -> AuditUnavailableError:
    """The error that says that there is no record; it names the kind of failure, no values."""
    proven.doubt()
    if isinstance(error, AuditUnavailableError):
        return AuditUnavailableError(error.message, where=error.where, hint=error.hint)
    cause = getattr(error, "orig", None) or error.__cause__ or error
    return AuditUnavailableError(
        f"The record could not be written ({type(cause).__name__}).",
        where="audit trail",
        hint="Nothing was decided or changed; see whether the trail can be written.",
    )


_grouped: Final = GroupCommit[Engine, Encoded, Receipt](_commit, unavailable)


def failures(store: Engine | Connection) -> tuple[type[BaseException], ...]:
    """What the store may fail with: the driver's own errors, SQLAlchemy's, the disk's."""
    return (SQLAlchemyError, OSError, store.dialect.loaded_dbapi.Error)


def _write(connection: Connection, records: Sequence[Encoded | Ready]) -> list[Receipt]:
    if not records:
        return []
    driver = Driver(connection)
    tip = driver.locked_head()
    receipts, written = [], []
    mentioned: list[tuple[Any, ...]] = []
    for sequence, one in enumerate(records, tip.sequence + 1):
        columns, found = one.found()
        tip = Tip(sequence, digest(tip.hash, sequence, one.body))
        written.append((MAIN, sequence, one.body, tip.hash, *columns))
        mentioned += rows(MAIN, sequence, columns[0], found)
        receipts.append(Receipt(MAIN, sequence, tip.hash))
    driver.run(driver.sql.insert, written, many=True)
    if mentioned:
        driver.run(driver.sql.mention, mentioned, many=True)
    driver.run(driver.sql.move, (tip.sequence, tip.hash, MAIN))
    return receipts


class _Statements(NamedTuple):
    """The SQL of one dialect, its parameters by place: head (chain), move (to, tip, which)."""

    head: str
    insert: str
    mention: str
    move: str


@cache
def _statements(dialect: str) -> _Statements:
    known = _PLACED if dialect == "postgresql" else sqlite.dialect()
    kind = postgresql if dialect == "postgresql" else sqlite
    # What an index holds already, from records that are gone, stops no record.
    inserts = (insert(AuditRecord), kind.insert(AuditMention).on_conflict_do_nothing())
    return _Statements(*(str(each.compile(dialect=known)) for each in (_HEAD, *inserts, _MOVE)))


class Driver:
    """The driver's cursor within a connection's transaction; who listens to SQL still hears it."""

    def __init__(self, connection: Connection) -> None:
        if not connection.in_transaction():
            connection.begin()
        self.connection = connection
        self.cursor: Any = connection.connection.cursor()
        self.dialect: Any = connection.dialect
        self.sql = _statements(self.dialect.name)

    def run(self, statement: str, parameters: Sequence[Any], *, many: bool = False) -> None:
        """Execute one statement, for one set of parameters or for many."""
        for listener in self.connection.dispatch.before_cursor_execute:
            listener(self.connection, self.cursor, statement, parameters, None, many)
        try:
            (self.cursor.executemany if many else self.cursor.execute)(statement, parameters)
        except self.dialect.loaded_dbapi.Error as error:
            if self.dialect.is_disconnect(error, self.connection.connection, self.cursor):
                self.connection.invalidate(error)  # or the pool would hand it on
            raise

    def locked_head(self) -> Tip:
        """The newest record's place, held until the transaction ends.

        A chain without a head gets one at its genesis. Where records are there and the
        head was removed, the first number is taken already, and the write fails.
        """
        head = self.head_of(MAIN)
        if head is None:
            dialect = postgresql if self.dialect.name == "postgresql" else sqlite
            first = {"chain": MAIN, **genesis(MAIN)._asdict()}
            self.connection.execute(
                dialect.insert(AuditHead).values(first).on_conflict_do_nothing()
            )
            head = self.head_of(MAIN)
        return cast("Tip", head)

    def head_of(self, chain: str) -> Tip | None:
        """The head of a chain, held until the transaction ends; nothing where it has none."""
        self.run(self.sql.head, (chain,))
        row = self.cursor.fetchone()
        return Tip(*row) if row else None
