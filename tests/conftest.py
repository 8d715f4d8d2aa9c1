"""What all tests share: databases, and the project's shared folder.

Every test has a database of its own, migrated and empty. On PostgreSQL it is a copy of a
migrated template, which costs some hundredths of a second. The server is the one of
``AUTHZ_TEST_POSTGRES_URL``, else a throw-away one from the local binaries, which listens
on a socket in a private folder and is gone afterwards.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings
from sqlalchemy import Engine

from authz.service import passwords
from authz.service.database import open_store, upgrade
from tests.postgres import Postgres, find_binaries

ROOT = Path(__file__).resolve().parents[1]
settings.register_profile(
    "tests",
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],  # it measures the machine
)
settings.load_profile("tests")
STRONG = passwords.HASHER
"""What hashes passwords outside of tests, and in every process of its own."""
passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with specification, rosters and vectors, beside the project."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"no folder {folder}: what needs its data is not tested")
    return folder


@pytest.fixture(scope="session")
def postgres_server(worker_id: str) -> Iterator[Postgres]:
    """A PostgreSQL server, with a migrated template to copy; one for each worker."""
    yield from _server(worker_id, fsync=False)


@pytest.fixture(scope="session")
def durable_postgres_server(worker_id: str) -> Iterator[Postgres]:
    """The same, but it forces every commit to disk, as in production."""
    yield from _server(worker_id, fsync=True)


def _server(worker_id: str, *, fsync: bool) -> Iterator[Postgres]:
    given = os.environ.get("AUTHZ_TEST_POSTGRES_URL")
    if given:
        server = Postgres(given)
    elif binaries := find_binaries():
        server = Postgres.start(binaries, fsync=fsync)
    else:
        pytest.skip("NO POSTGRESQL: install it or set AUTHZ_TEST_POSTGRES_URL")
    try:
        server.make_template(f"authz_template_{worker_id}_{os.getpid()}", upgrade_url)
        yield server
    finally:
        server.stop()


def upgrade_url(url: str) -> None:
    """Migrate the database of that address."""
    engine = open_store(url)
    upgrade(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to copy."""
    path = tmp_path_factory.mktemp("template") / "authz.db"
    upgrade_url(f"sqlite:///{path}")
    return path


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The address of a migrated empty SQLite database."""
    path = tmp_path / "authz.db"
    for template in sqlite_template.parent.glob("authz.db*"):
        shutil.copyfile(template, tmp_path / template.name)
    return f"sqlite:///{path}"


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """The address of a migrated empty PostgreSQL database."""
    with postgres_server.database() as url:
        yield url


@pytest.fixture
def durable_postgres_url(durable_postgres_server: Postgres) -> Iterator[str]:
    """The same on a server that forces every commit to disk."""
    with durable_postgres_server.database() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store_url(request: pytest.FixtureRequest) -> str:
    """The address of a migrated empty database, of each kind in turn."""
    name = "sqlite_url" if request.param == "sqlite" else "postgres_url"
    return str(request.getfixturevalue(name))


@pytest.fixture
def store(store_url: str) -> Iterator[Engine]:
    """A migrated empty database, of each kind in turn."""
    yield from _open(store_url)


@pytest.fixture
def sqlite_store(sqlite_url: str) -> Iterator[Engine]:
    """A migrated empty SQLite database."""
    yield from _open(sqlite_url)


@pytest.fixture
def postgres_store(postgres_url: str) -> Iterator[Engine]:
    """A migrated empty PostgreSQL database."""
    yield from _open(postgres_url)


def _open(url: str) -> Iterator[Engine]:
    engine = open_store(url)
    yield engine
    engine.dispose()
