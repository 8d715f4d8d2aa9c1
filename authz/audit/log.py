"""Writing the trail: in the transaction of a change, or durably on its own (2.8, N-49).

Three statements write any number of records: the head is read and locked, the records
are inserted, the head is moved. Whoever else writes to the chain waits for the head's
row (PostgreSQL) or the database (SQLite, where the transaction must be a writing one from
its begin: ``authz_write=True``), so that numbers have no gaps and hashes no forks. What
does not get through is an :class:`AuditUnavailableError`: no record, no answer (3.5).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from authz.audit.chain import MAIN, Tip, digest, genesis
from authz.audit.group import GroupCommit
from authz.audit.record import Entry, canonical, document, index
from authz.audit.tables import AuditHead, AuditRecord
from authz.errors import AuditUnavailableError

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
_INSERT: Final = insert(AuditRecord)


class Receipt(NamedTuple):
    """Where a record stands in the trail, for whoever wants to find or prove it."""

    chain: str
    sequence: int
    hash: bytes


class Encoded(NamedTuple):
    """A record's bytes and index, made before any lock is taken."""

    body: bytes
    columns: dict[str, str]


def encode(entry: Entry) -> Encoded:
    """The bytes and the columns of an entry; a mistake in it fails here, before the store."""
    members = document(entry)
    return Encoded(canonical(members), index(members))


def append(connection: Connection, entries: Sequence[Entry]) -> list[Receipt]:
    """Write the records in the caller's transaction: they stand or fall with its change.

    It must be one that writes from its begin: on SQLite with ``authz_write=True``, on
    PostgreSQL reading what is committed, so that it can wait for the head and go on.
    """
    return append_encoded(connection, [encode(entry) for entry in entries])


def record(engine: Engine, entries: Sequence[Entry]) -> list[Receipt]:
    """Write the records together in a transaction of their own, durable on return.

    Threads of this process share a commit; when it fails, it fails for each of them.
    """
    return list(_grouped(engine, [encode(entry) for entry in entries]))


def append_encoded(connection: Connection, records: Sequence[Encoded]) -> list[Receipt]:
    """The same for records whose bytes are made; a failure takes the change with it.

    The transaction is rolled back at once, so that a caller who swallows the error cannot
    commit a change that has no record.
    """
    try:
        return _write(connection, records)
    except (SQLAlchemyError, OSError) as error:
        transaction = connection.get_transaction()
        if transaction is not None and transaction.is_active:
            with suppress(SQLAlchemyError, OSError):
                transaction.rollback()
        raise unavailable(error) from error


def record_encoded(engine: Engine, records: Sequence[Encoded]) -> list[Receipt]:
    """The same in a transaction of its own, forced to disk by the commit."""
    try:
        with engine.connect() as connection:
            connection.execution_options(authz_write=True)
            if engine.dialect.name == "postgresql":
                connection.execution_options(isolation_level="READ COMMITTED")
            with connection.begin():
                return _write(connection, records)
    except (SQLAlchemyError, OSError) as error:
        raise unavailable(error) from error


def unavailable(error: BaseException) -> AuditUnavailableError:
    """The error that says that there is no record; it names the kind of failure, no values."""
    cause = getattr(error, "orig", None) or error.__cause__ or error
    return AuditUnavailableError(
        f"The record could not be written ({type(cause).__name__}).",
        where="audit trail",
        hint="Nothing was decided or changed; see whether the database can be written.",
    )


_grouped: Final = GroupCommit[Engine, Encoded, Receipt](record_encoded, unavailable)


def _write(connection: Connection, records: Sequence[Encoded]) -> list[Receipt]:
    if not records:
        return []
    tip = _locked_head(connection)
    receipts, rows = [], []
    for sequence, (body, columns) in enumerate(records, tip.sequence + 1):
        tip = Tip(sequence, digest(tip.hash, sequence, body))
        rows.append(
            {"chain": MAIN, "sequence": sequence, "body": body, "hash": tip.hash, **columns}
        )
        receipts.append(Receipt(MAIN, sequence, tip.hash))
    connection.execute(_INSERT, rows)
    connection.execute(_MOVE, {"which": MAIN, "to": tip.sequence, "tip": tip.hash})
    return receipts


def _locked_head(connection: Connection) -> Tip:
    """The newest record's place, held until the transaction ends.

    A chain without a head gets one at its genesis. Where records are there and the head
    was removed, the first number is taken already, and the write fails.
    """
    row = connection.execute(_HEAD, {"chain": MAIN}).one_or_none()
    if row is None:
        dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
        first = {"chain": MAIN, **genesis(MAIN)._asdict()}
        connection.execute(dialect.insert(AuditHead).values(first).on_conflict_do_nothing())
        row = connection.execute(_HEAD, {"chain": MAIN}).one()
    return Tip(*row)
