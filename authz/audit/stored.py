"""What the store has of the records of a chain: rows as they are stored, damage and all (N-49).

They are the driver's own rows: nothing is converted on the way, so that what damage made
another type is seen, and a million of them cost seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any, Final, cast

from sqlalchemy import Connection, Executable, Select, bindparam, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from authz.audit.chain import Link
from authz.audit.pieces import JOB
from authz.audit.saying import Row
from authz.audit.tables import INDEX_COLUMNS, AuditMention, AuditRecord

_BEFORE_ALL: Final = -(2**63)
COLUMNS: Final = tuple(getattr(AuditRecord, name) for name in INDEX_COLUMNS)
_LINK: Final = (AuditRecord.sequence, AuditRecord.body, AuditRecord.hash)
_MENTION: Final = (
    AuditMention.sequence,
    AuditMention.what,
    AuditMention.name,
    AuditMention.how,
    AuditMention.time,
)


def _span(table: type[AuditRecord | AuditMention], *columns: Any) -> Select[Any]:
    """These columns of a chain's records, from a first to a last."""
    return (
        select(*columns)
        .where(
            table.chain == bindparam("chain"),
            table.sequence >= bindparam("first"),
            table.sequence <= bindparam("last"),
        )
        .order_by(table.sequence)
    )


_LINKS: Final = _span(AuditRecord, *_LINK)
_ROWS: Final = _span(AuditRecord, *_LINK, *COLUMNS)
_MENTIONS: Final = _span(AuditMention, *_MENTION)


def read_links(connection: Connection, chain: str, first: int, last: int) -> list[Any]:
    """Number, bytes and hash of these records."""
    return _driven(connection, _LINKS, (chain, first, last))


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


@cache
def _placed(statement: Executable, plain: bool) -> str:  # noqa: FBT001 (a key of the cache)
    """The SQL of a statement, its parameters by place."""
    known: Any = sqlite.dialect() if plain else postgresql.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
    return str(cast("Select[Any]", statement).compile(dialect=known))
