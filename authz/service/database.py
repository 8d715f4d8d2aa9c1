"""The store: one SQLAlchemy engine, SQLite by default, PostgreSQL where nodes share it.

A transaction that will write says so with ``execution_options(authz_write=True)``: on
SQLite it takes the write lock at its begin, so that it cannot fail half-way for having
read first. Durability is a setting (``fsync`` | ``os``, page 4.3). Where it is ``fsync``, the
engine's execution option ``authz_wal`` names SQLite's log, which whoever writes many small
records may force to disk after the lock is let go (:mod:`authz.audit.log`).
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Dialect, Engine, Select, create_engine, event, make_url
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import StaticPool

from authz.audit import pseudonyms as pseudonymous
from authz.audit.log import forced
from authz.directory.asking import ERA
from authz.errors import SettingError, StoreUnavailableError
from authz.service.watch import OPTION, Watch

BUSY_SECONDS = 15
SHORTEST_WAIT, LONGEST_WAIT = 0.0001, 0.002
"""Seconds between two tries for the write lock. SQLite's own waits grow to a tenth of a
second, and whoever waited longest tries least: of two busy processes one starves."""
CHECKPOINT_PAGES = 4000
"""Pages in the log before they are moved to the database: 16 MB, in which the pages of the
trail's indexes come many times and are then moved once."""
POOL = 8
"""Connections that a process keeps; it may open as many again under load."""
MIGRATIONS = Path(__file__).parents[1] / "migrations"


def open_store(url: str, *, durability: str = "fsync", pseudonyms: bool = False) -> Engine:
    """The engine for that URL; SettingError where it is none. Nothing is connected yet.

    With ``pseudonyms`` its trail names no person by their id (:mod:`authz.audit.pseudonyms`).
    """
    engine = _opened(url, durability)
    return (
        engine.execution_options(**{pseudonymous.OPTION: pseudonymous.Names()})
        if pseudonyms
        else engine
    )


def _opened(url: str, durability: str) -> Engine:
    try:
        parsed = make_url(url)
        backend = parsed.get_backend_name()
    except (ArgumentError, ValueError) as error:
        raise SettingError("It is no database URL.", where="AUTHZ_DATABASE_URL") from error
    if backend == "sqlite":
        return _sqlite(url, parsed.database, durability)
    if backend == "postgresql":
        return create_engine(
            parsed.set(drivername="postgresql+psycopg"),
            pool_pre_ping=True,
            hide_parameters=True,  # an error that is logged names nobody
            pool_size=POOL,
            max_overflow=POOL,
            pool_timeout=BUSY_SECONDS,
            # Our statements are short: compiling one costs more than a thousand of its runs.
            connect_args={"options": "-c TimeZone=UTC -c jit=off", "connect_timeout": 5},
        )
    raise SettingError(
        f"The database {backend!r} is not supported.",
        where="AUTHZ_DATABASE_URL",
        hint="Use sqlite or postgresql.",
    )


def _sqlite(url: str, database: str | None, durability: str) -> Engine:
    memory = not database or database == ":memory:"
    if database and not memory and not database.startswith("file:"):  # a URI names its own
        _folder(Path(database).parent)
    pool = {"pool_size": POOL, "max_overflow": POOL, "pool_timeout": BUSY_SECONDS}
    pool["pool_use_lifo"] = True  # the connection last used has the most pages in memory
    options: dict[str, Any] = {"poolclass": StaticPool} if memory else pool
    forced = durability == "fsync"
    synchronous = "FULL" if forced else "NORMAL"
    engine = create_engine(
        url,
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS, "check_same_thread": False},
        execution_options=_log_of(database) if database and forced and not memory else {},
        **options,
    )

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _: object) -> None:
        connection.isolation_level = None
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "recursive_triggers=ON",  # or REPLACE would delete past the trail's guards
            "cache_size=-65536",
            f"wal_autocheckpoint={CHECKPOINT_PAGES}",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        raw: sqlite3.Connection = connection.connection.dbapi_connection  # type: ignore[assignment]
        writes = connection.get_execution_options().get("authz_write")
        try:
            _lock(raw, connection.info) if writes else raw.execute("BEGIN")
        except sqlite3.Error as error:
            raise OperationalError("BEGIN", None, error) from error

    if database and not memory and not database.startswith("file:"):
        found = Watch(engine, database, BUSY_SECONDS)
        engine.update_execution_options(**{OPTION: found})

        @event.listens_for(engine, "do_connect")
        def _date(_dialect: Any, record: Any, _args: Any, _options: Any) -> None:
            record.info[ERA] = found.era()  # before it is opened: it may be newer, never older

    return engine


def _folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SettingError(
            f"The folder of the database cannot be made: {error.strerror}.",
            where="AUTHZ_DATABASE_URL",
        ) from error


def _log_of(database: str) -> dict[str, Any]:
    """Where SQLite's log is, beside the file that a link leads to; of a URI nothing is said.

    Whoever is told nothing waits for the disk in the commit.
    """
    return {} if database.startswith("file:") else {"authz_wal": f"{Path(database).resolve()}-wal"}


def _lock(raw: sqlite3.Connection, info: dict[Any, Any]) -> None:
    """Begin with the write lock, tried for at short intervals, as long as the connection waits."""
    if "authz_wait" not in info:
        (info["authz_wait"],) = raw.execute("PRAGMA busy_timeout").fetchone()
    milliseconds = info["authz_wait"]
    until, wait = time.monotonic() + milliseconds / 1000, SHORTEST_WAIT
    raw.execute("PRAGMA busy_timeout=0")
    try:
        while True:
            try:
                raw.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > until:
                    raise
            else:
                return
            time.sleep(wait)
            wait = min(2 * wait, LONGEST_WAIT)
    finally:
        raw.execute(f"PRAGMA busy_timeout={milliseconds}")


@contextmanager
def reading(store: Engine) -> Iterator[Connection]:
    """One snapshot of the store; StoreUnavailableError where it does not answer."""
    with translated(), store.connect() as connection:
        if store.dialect.name == "postgresql":
            connection.execution_options(isolation_level="REPEATABLE READ")
        yield connection
        # Nothing was written; but at a rollback the driver forgets the statements it prepared.
        connection.commit()


@contextmanager
def writing(store: Engine) -> Iterator[Connection]:
    """One transaction that writes: durable at the end, rolled back on any error."""
    with translated(), store.connect() as connection, forced(connection):
        connection.execution_options(authz_write=True)
        with connection.begin():
            yield connection


@contextmanager
def connected(store: Engine) -> Iterator[Connection]:
    """A connection on which nothing has begun, for what is made ready on it before it writes."""
    with translated(), store.connect() as connection:
        yield connection


@contextmanager
def writing_on(connection: Connection) -> Iterator[None]:
    """As :func:`writing`, on a connection of :func:`connected` whose last transaction has ended."""
    with forced(connection):
        connection.execution_options(authz_write=True)
        try:
            with connection.begin():
                yield
        finally:
            connection.execution_options(authz_write=False)


def glance(store: Engine, statement: Select[Any], *values: str) -> tuple[Any, ...] | None:
    """The first row of a statement, at the least cost: a request asks it.

    The values are of its parameters, in their order.
    It goes to the driver as it is, and is a snapshot of its own.
    """
    with translated():
        try:
            with closing(store.raw_connection()) as connection:
                cursor = connection.cursor()
                cursor.execute(_placed(statement, store.dialect.name), values)
                row: tuple[Any, ...] | None = cursor.fetchone()
        except store.dialect.loaded_dbapi.Error as error:
            raise DBAPIError(str(statement), None, error) from error
    return row


@cache
def _placed(statement: Select[Any], dialect: str) -> str:
    """The SQL of a statement, its parameters by place."""
    if dialect == "postgresql":
        placed: Dialect = postgresql.dialect(paramstyle="format")  # type: ignore[no-untyped-call]
        return str(statement.compile(dialect=placed))
    return str(statement.compile(dialect=sqlite.dialect()))


class _Translated:
    """As a class, for it stands around every decision: a generator costs five times as much."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, SQLAlchemyError):
            cause = getattr(error, "orig", None) or error
            if getattr(cause, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                raise StoreUnavailableError(
                    "Another process is writing to the database.",
                    hint="Try again when it is done.",
                ) from error
            raise StoreUnavailableError(
                f"The database does not answer as it should ({type(cause).__name__}).",
                hint="See `authz doctor`.",
            ) from error


_TRANSLATED = _Translated()


def translated() -> _Translated:
    """Says that the store does not answer in our own words, without its address."""
    return _TRANSLATED


def upgrade(store: Engine) -> None:
    """Create or migrate the database to the newest revision."""
    from alembic import command  # noqa: PLC0415 (costly, and only needed here)

    _known(current(store)[0])
    with store.connect() as connection:
        command.upgrade(_alembic(connection), "head")
        connection.commit()


def current(store: Engine) -> tuple[str | None, str | None]:
    """The revision of the database, and the newest one there is."""
    from alembic.runtime.migration import MigrationContext  # noqa: PLC0415 (as above)

    with reading(store) as connection:
        return MigrationContext.configure(connection).get_current_revision(), _newest()


@cache
def _revisions() -> tuple[str, ...]:
    """The revisions that this release knows, the newest first, read from its files once."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 (as above)

    found = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    return tuple(str(each.revision) for each in found)


def _newest() -> str | None:
    """The newest of them."""
    return next(iter(_revisions()), None)


def _known(revision: str | None) -> None:
    """StoreUnavailableError where no migration of this release leads to that revision."""
    if revision is not None and revision not in _revisions():
        raise StoreUnavailableError(
            f"The database is at revision {revision}, which this release does not know.",
            hint="It is of a newer release: use that one, or a backup from before.",
        )


def require(store: Engine) -> None:
    """Raise StoreUnavailableError unless the database has the newest tables.

    An embedded database that has none at all gets them: whoever starts with SQLite need
    not know of migrations. One with older tables is never changed unasked.
    """
    here, newest = current(store)
    if here == newest:
        return
    _known(here)
    if here is None and store.dialect.name == "sqlite":
        with translated():
            upgrade(store)
        return
    raise StoreUnavailableError(
        f"The database is at revision {here or 'none'}, and {newest} is needed.",
        hint="Run `authz db upgrade`.",
    )


def _alembic(connection: Connection) -> Any:
    from alembic.config import Config  # noqa: PLC0415 (as above)

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["connection"] = connection
    return config
