"""Statements asked by the driver itself, of text that SQLAlchemy compiled once.

SQLAlchemy says what is asked, for each dialect, and how its values are read; but for a
decision its execution costs more than the database's (docs/decisions/facts-cache.md). An
:class:`Asking` is one snapshot of the store: all that is asked through it is of one state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

from sqlalchemy import Connection, Date, Dialect, Engine
from sqlalchemy.dialects import sqlite
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.exc import DBAPIError

from authz.directory import statements
from authz.directory.shape import Part
from authz.directory.storable import storable
from authz.directory.tables import UtcTime

SNAPSHOT = "REPEATABLE READ"
ERA = "authz_era"
"""What a connection's ``info`` holds: how often another file had taken the database's place."""
Row = Sequence[Any]
Reading = Callable[[Any], Any]


class Asking:
    """One snapshot of the store, asked through one cursor of its driver."""

    def __init__(self, cursor: Any, dialect: str, *, keepable: bool = True, era: int = 0) -> None:
        """``keepable``: whether what is read here may be kept for its revision, of this era."""
        self._cursor = cursor
        self._revision: int | None = None
        self.dialect = dialect
        self.keepable = keepable
        self.era = era

    @classmethod
    def over(cls, connection: Connection) -> Asking:
        """The snapshot in which this connection reads."""
        if not connection.in_transaction():
            connection.begin()
        dialect, options = connection.dialect.name, connection.get_execution_options()
        one_state = dialect == "sqlite" or options.get("isolation_level") == SNAPSHOT
        era = connection.info.get(ERA, 0)
        keepable = one_state and not options.get("authz_write")
        return cls(connection.connection.cursor(), dialect, keepable=keepable, era=era)

    def parts(self, parts: tuple[Part, ...], given: Mapping[str, Any]) -> list[Row]:
        """The rows of all these parts."""
        return self._all(_together(self.dialect, parts), given)

    def contracts(self, given: Mapping[str, Any]) -> list[Row]:
        """The contracts of the processors that the subject acts for."""
        return self._all(_contracts(self.dialect), given)

    def entities(self, given: Mapping[str, Any]) -> list[Row]:
        """The subject and the resource as generic entities."""
        return self._all(_entities(self.dialect), given)

    def revision(self) -> int:
        """The directory's revision; a snapshot has one, so it is asked once."""
        if self._revision is None:
            found = self._all(_revision(self.dialect), {})
            self._revision = found[0][0] if found else 0
        return self._revision

    def _all(self, text: str, given: Mapping[str, Any]) -> list[Row]:
        values = askable(given)
        try:
            if self.dialect == "postgresql":
                self._cursor.execute(text, values, prepare=True)  # planning costs more than reading
            else:
                self._cursor.execute(text, values)
            rows: list[Row] = self._cursor.fetchall()
        except _errors(self.dialect) as error:  # as SQLAlchemy would say it: who asks knows that
            raise DBAPIError(text, None, error) from error
        return rows


class NotKept(Exception):  # noqa: N818 (a turn of the way, not an error)
    """More is asked than is kept: read it, and all that goes with it, in one snapshot."""


class Remembered(Asking):
    """A state of which only the revision is known: whatever else is asked is not kept."""

    def __init__(self, revision: int, era: int) -> None:
        super().__init__(None, "", era=era)
        self._revision = revision

    def parts(self, *_: object) -> list[Row]:
        """Not kept."""
        raise NotKept

    def entities(self, *_: object) -> list[Row]:
        """Not kept."""
        raise NotKept


def askable(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values as a database can be asked; an id that it cannot hold is nobody's (N-51)."""
    if all(storable(value) for value in values.values() if isinstance(value, str)):
        return values
    return {
        name: None if isinstance(value, str) and not storable(value) else value
        for name, value in values.items()
    }


@contextmanager
def snapshot(store: Engine) -> Iterator[Asking]:
    """One snapshot of the store; on SQLite without the cost of SQLAlchemy's connection.

    On PostgreSQL it is committed, though it only reads: psycopg forgets its prepared
    statements at a rollback, and planning them anew takes ten times as long as they take.
    """
    if store.dialect.name == "sqlite":
        connection = store.raw_connection()
        try:
            cursor = connection.cursor()
            try:
                cursor.execute("BEGIN")
            except _errors("sqlite") as error:
                raise DBAPIError("BEGIN", None, error) from error
            yield Asking(cursor, "sqlite", era=connection.info.get(ERA, 0))
        finally:
            connection.close()  # given back to the pool, which rolls it back
        return
    with store.connect() as shared:
        yield Asking.over(shared.execution_options(isolation_level=SNAPSHOT))
        shared.commit()


@cache
def moment(dialect: str) -> Reading:
    """How a time of the store is read: aware and in UTC."""
    return _reading(UtcTime(), dialect)


@cache
def day(dialect: str) -> Reading:
    """How a date of the store is read."""
    return _reading(Date(), dialect)


def _reading(kind: UtcTime | Date, dialect: str) -> Reading:
    spoken = _dialect(dialect)
    found = kind.dialect_impl(spoken).result_processor(spoken, None)
    return found or (lambda value: value)


@cache
def _dialect(name: str) -> Dialect:
    if name == "postgresql":
        spoken: Dialect = psycopg.dialect()  # type: ignore[no-untyped-call]
        return spoken
    return sqlite.dialect(paramstyle="named")


@cache
def _errors(dialect: str) -> type[Exception]:
    """What the driver raises."""
    found: type[Exception] = _dialect(dialect).import_dbapi().Error
    return found


def _text(dialect: str, statement: statements.Statement) -> str:
    return str(statement.compile(dialect=_dialect(dialect)))


@cache
def _together(dialect: str, parts: tuple[Part, ...]) -> str:
    return _text(dialect, statements.together(parts, dialect))


@cache
def _contracts(dialect: str) -> str:
    return _text(dialect, statements.contracts())


@cache
def _entities(dialect: str) -> str:
    return _text(dialect, statements.entities())


@cache
def _revision(dialect: str) -> str:
    return _text(dialect, statements.revision())
