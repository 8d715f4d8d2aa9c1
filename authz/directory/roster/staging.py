"""The staging tables: temporary, so that a roster of any size is checked by SQL.

``line`` is the line of the file that a row came from; ``skip`` marks a row that
``--partial`` leaves out. A column has the name of the column of the directory's table
that it goes to. The tables live as long as the import.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from sqlalchemy import (
    Boolean,
    Column,
    Connection,
    Date,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    false,
    text,
)
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.schema import CreateIndex

from authz.directory.tables import UtcTime

STAGING = MetaData()
CACHE_KIB = 96 * 1024
"""The page cache of SQLite for the directory, and half of it for the staging tables."""


def _stage(name: str, *columns: str | Column[Any]) -> Table:
    """A staging table; a column that is only named is text."""
    made = [Column(each, String) if isinstance(each, str) else each for each in columns]
    return Table(
        f"stage_{name}",
        STAGING,
        Column("line", Integer),
        *made,
        Column("ended", Boolean),
        Column("skip", Boolean, server_default=false()),
        prefixes=["TEMPORARY"],
    )


def _dated() -> tuple[Column[Any], Column[Any]]:
    return Column("valid_from", UtcTime), Column("valid_until", UtcTime)


SESSION = _stage(
    "session", "id", "title", "type", Column("begins", UtcTime), Column("ends", UtcTime), "parent"
)
ORG = _stage("org", "id", "name", "type", "parent")
COURSE = _stage("course", "id", "title", "organisation", "session")
CLASS = _stage("class", "id", "title", "course", "organisation", "terms")
CLASS_TERM = _stage("class_term", "class", "term")
_NAMES = ("given_name", "family_name", "name_order")
USER = _stage("user", "id", *_NAMES, Column("enabled", Boolean), "role")
AGENT = _stage("agent", "person", "agent")
ROLE = _stage("role", "id", "person", "organisation", "role", *_dated())
ENROLMENT = _stage("enrolment", "id", "class", "school", "person", "role", *_dated())
DEMOGRAPHIC = _stage("demographic", "id", Column("birth_date", Date))
ADULT = _stage("adult", "person", Column("rank", Integer), *_dated())
LEARNER = _stage("learner", "person")
LINK = _stage("link", "id", "guardian", "student", "kind", *_dated(), "recorded_because")

INDEXED = (SESSION, ORG, COURSE, CLASS, USER, ROLE, ENROLMENT, DEMOGRAPHIC)
"""The tables whose ``id`` is looked up; the index is built once they are full."""
INDEXES = [
    *(Index(f"ix_{table.name}_id", table.c.id, table.c.line) for table in INDEXED),
    Index("ix_stage_role_person", ROLE.c.person),
    Index("ix_stage_agent_person", AGENT.c.person),
    Index("ix_stage_agent_agent", AGENT.c.agent),
    Index("ix_stage_adult_person", ADULT.c.person),
    Index("ix_stage_learner_person", LEARNER.c.person),
    Index("ix_stage_link_id", LINK.c.id),
]


class Load(Protocol):
    """Puts rows into a staging table, fast."""

    def __call__(self, table: Table, columns: tuple[str, ...], rows: Iterable[Any]) -> None:
        """Take ``rows``, tuples in the order of ``columns``."""


@contextmanager
def staged(connection: Connection) -> Iterator[Load]:
    """The staging tables, empty, and what fills them; they are gone afterwards."""
    caches = _widen_cache(connection)
    _drop(connection)
    for table in STAGING.sorted_tables:
        indexes, table.indexes = table.indexes, set()
        try:
            table.create(connection)
        finally:
            table.indexes = indexes
    try:
        yield _copier(connection) if is_postgresql(connection) else _inserter(connection)
    finally:
        # after an error of the database the caller's rollback takes them away
        with suppress(SQLAlchemyError):
            _drop(connection)
            for pragma, value in caches:
                connection.execute(text(f"PRAGMA {pragma} = {value}"))


def build_indexes(connection: Connection) -> None:
    """Index what was loaded, and tell the planner of PostgreSQL how much it is."""
    for index in INDEXES:
        connection.execute(CreateIndex(index))
    analyse(connection, *STAGING.sorted_tables)


def analyse(connection: Connection, *tables: Table) -> None:
    """Tell the planner of PostgreSQL how much there is; that of SQLite needs it not."""
    if is_postgresql(connection):
        for table in tables:
            connection.execute(text(f"ANALYZE {table.name}"))


def is_postgresql(connection: Connection) -> bool:
    """Whether this is PostgreSQL, else it is SQLite."""
    return connection.dialect.name == "postgresql"


def _drop(connection: Connection) -> None:
    schema = "pg_temp" if is_postgresql(connection) else "temp"
    for table in STAGING.sorted_tables:
        connection.execute(text(f"DROP TABLE IF EXISTS {schema}.{table.name}"))


def _widen_cache(connection: Connection) -> list[tuple[str, int]]:
    """Give SQLite a larger cache, of a fixed size; what it was is returned."""
    if is_postgresql(connection):
        return []
    # in a file: in memory the staging tables would grow with the roster; refused only on a
    # connection that has already used temporary tables in memory
    with suppress(SQLAlchemyError):
        connection.execute(text("PRAGMA temp_store = FILE"))
    before = []
    for pragma, size in (("main.cache_size", CACHE_KIB), ("temp.cache_size", CACHE_KIB // 2)):
        before.append((pragma, connection.execute(text(f"PRAGMA {pragma}")).scalar_one()))
        connection.execute(text(f"PRAGMA {pragma} = {-size}"))
    return before


def _names(columns: tuple[str, ...]) -> str:
    return ", ".join(f'"{each}"' for each in columns)


def _inserter(connection: Connection) -> Load:
    cursor = connection.connection.cursor()

    def load(table: Table, columns: tuple[str, ...], rows: Iterable[Any]) -> None:
        marks = ", ".join("?" * len(columns))
        cursor.executemany(
            f"INSERT INTO temp.{table.name} ({_names(columns)}) VALUES ({marks})",  # noqa: S608 (our names)
            rows,  # type: ignore[arg-type]  # sqlite3 takes any iterable
        )

    return load


def _copier(connection: Connection) -> Load:
    cursor = connection.connection.cursor()

    def load(table: Table, columns: tuple[str, ...], rows: Iterable[Any]) -> None:
        statement = f"COPY pg_temp.{table.name} ({_names(columns)}) FROM STDIN"
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)

    return load
