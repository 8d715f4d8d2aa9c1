"""A store that fails, and a process that is killed: no record is lost, none half written."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, event, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from authz.audit.log import record
from authz.errors import AuditUnavailableError
from tests.postgres import settled
from tests.stores.test_audit_support import entries, entry, harm, opened, verdict
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).resolve().parents[2]
LOOP = """
import sys, threading
from authz.audit.log import record
from tests.stores.test_audit_support import entries, opened
engine = opened(sys.argv[1])
guard = threading.Lock()
def run(base):
    number = base
    while True:
        receipts = record(engine, entries(2, number))
        number += 2
        line = "".join(f"{each.sequence} {each.hash.hex()}\\n" for each in receipts)
        with guard:
            sys.stdout.write(line)
            sys.stdout.flush()
for base in range(4):
    threading.Thread(target=run, args=(base * 1_000_000,)).start()
"""


@pytest.fixture
def sqlite_trail(sqlite_url: str) -> Iterator[Engine]:
    engine = opened(sqlite_url)
    record(engine, entries(3))
    yield engine
    engine.dispose()


def count(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text("SELECT count(*) FROM audit_record")).scalar_one())


def refuses(engine: Engine, number: int = 2, because: str = "") -> None:
    """Nothing is recorded, for the reason meant; the error tells no address and no value."""
    with pytest.raises(AuditUnavailableError) as caught:
        record(engine, entries(number, 50))
    assert "teacher" not in str(caught.value)
    assert "authz.db" not in str(caught.value)
    assert because in str(caught.value.__cause__)


def test_a_full_disk_leaves_nothing_and_what_was_there_is_whole(sqlite_trail: Engine) -> None:
    with sqlite_trail.connect() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    sqlite_trail.dispose()

    @event.listens_for(sqlite_trail, "connect")
    def fill(connection: sqlite3.Connection, _: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}").close()

    refuses(sqlite_trail, 900, because="full")
    assert count(sqlite_trail) == 3
    assert verdict(sqlite_trail).whole
    event.remove(sqlite_trail, "connect", fill)
    sqlite_trail.dispose()
    record(sqlite_trail, entries(900))
    assert verdict(sqlite_trail).records == 903


def test_a_store_that_is_only_read_refuses(sqlite_trail: Engine, sqlite_url: str) -> None:
    sqlite_trail.dispose()
    path = make_url(sqlite_url).database
    reader = create_engine(f"sqlite:///file:{path}?mode=ro&uri=true")
    refuses(reader, because="readonly")
    reader.dispose()
    assert count(sqlite_trail) == 3
    assert verdict(sqlite_trail).whole


def test_a_store_that_others_hold_refuses_in_time(sqlite_trail: Engine, sqlite_url: str) -> None:
    sqlite_trail.dispose()

    @event.listens_for(sqlite_trail, "connect")
    def hurry(connection: sqlite3.Connection, _: object) -> None:
        connection.execute("PRAGMA busy_timeout=200").close()

    holder = sqlite3.connect(make_url(sqlite_url).database or "", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    errors: list[BaseException] = []

    def run() -> None:
        try:
            record(sqlite_trail, [entry()])
        except AuditUnavailableError as error:
            errors.append(error)

    threads = [threading.Thread(target=run, daemon=True) for _ in range(8)]
    for thread in threads:
        thread.start()
    until(lambda: len(errors) == 8)
    for thread in threads:
        thread.join()
    holder.execute("ROLLBACK")
    holder.close()
    record(sqlite_trail, [entry()])
    assert verdict(sqlite_trail).records == 4


@pytest.mark.parametrize("table", ["audit_record", "audit_head"])
def test_a_store_without_its_tables_refuses(store_url: str, table: str) -> None:
    engine = opened(store_url)
    record(engine, entries(3))
    harm(engine, f"ALTER TABLE {table} RENAME TO hidden")
    refuses(engine, because=table)
    harm(engine, f"ALTER TABLE hidden RENAME TO {table}")
    assert verdict(engine).records == 3
    engine.dispose()


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM audit_head",
        "UPDATE audit_head SET sequence = 1",
        "UPDATE audit_head SET sequence = 0",
    ],
)
def test_a_head_set_back_cannot_be_written_over(store_url: str, statement: str) -> None:
    engine = opened(store_url)
    record(engine, entries(3))
    harm(engine, statement)
    refuses(engine)
    assert count(engine) == 3
    engine.dispose()


def test_a_commit_that_fails_writes_nothing(sqlite_trail: Engine) -> None:
    @event.listens_for(sqlite_trail, "commit")
    def fail(_: object) -> None:
        raise SQLAlchemyError("the disk is gone")

    refuses(sqlite_trail)
    event.remove(sqlite_trail, "commit", fail)
    assert count(sqlite_trail) == 3
    record(sqlite_trail, [entry()])
    assert verdict(sqlite_trail).records == 4


def test_no_file_refuses_and_it_works_again_when_it_is_back(
    sqlite_trail: Engine, sqlite_url: str
) -> None:
    sqlite_trail.dispose()
    path = Path(make_url(sqlite_url).database or "")
    shutil.move(path, path.with_suffix(".away"))
    path.mkdir()
    refuses(sqlite_trail, because="unable to open")
    path.rmdir()
    shutil.move(path.with_suffix(".away"), path)
    record(sqlite_trail, [entry()])
    assert verdict(sqlite_trail).records == 4


def test_a_postgresql_that_hangs_up_refuses_and_serves_again(postgres_url: str) -> None:
    engine = opened(postgres_url)
    record(engine, entries(3))

    @event.listens_for(engine, "before_cursor_execute")
    def hang_up(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("UPDATE audit_head"):
            other = opened(postgres_url)
            killed = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            killed += "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            with other.connect() as connection:  # no guard is touched: it would wait for us
                connection.execute(text(killed))
            other.dispose()

    refuses(engine, because="terminat")
    event.remove(engine, "before_cursor_execute", hang_up)
    record(engine, [entry()])
    assert verdict(engine).records == 4
    engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite_url", "durable_postgres_url"])
@pytest.mark.parametrize("enough", [20, 200])
def test_what_was_acknowledged_before_a_kill_is_there(
    request: pytest.FixtureRequest, kind: str, enough: int
) -> None:
    url = request.getfixturevalue(kind)
    opened(url).dispose()
    heard = killed_after(enough, url)
    engine = opened(url)
    settled(engine)
    assert verdict(engine).whole
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT sequence, hash, request_id FROM audit_record")).all()
        stored = {f"{row[0]} {bytes(row[1]).hex()}" for row in rows}
    acknowledged = {line[:-1].decode() for line in heard if line.endswith(b"\n")}
    assert len(acknowledged) >= enough
    assert acknowledged <= stored
    numbers = [int(row[2].removeprefix("req-")) for row in rows]
    assert all(numbers.count(each) == numbers.count(each ^ 1) for each in numbers), "pairs"
    record(engine, [entry()])
    assert verdict(engine).records == len(stored) + 1
    engine.dispose()


def killed_after(enough: int, url: str) -> list[bytes]:
    """Two processes write, and are killed; what they acknowledged until then: so much or more."""
    heard: list[list[bytes]] = [[], []]
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", LOOP, url],
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        for _ in heard
    ]
    listening = [
        threading.Thread(target=lines.extend, args=(worker.stdout,))
        for lines, worker in zip(heard, workers, strict=True)
    ]
    for thread in listening:
        thread.start()
    try:
        until(lambda: all(heard) and sum(map(len, heard)) >= enough)
    finally:
        for worker in workers:
            worker.kill()
        for thread in listening:
            thread.join()
        for worker in workers:
            worker.communicate()
    return [line for lines in heard for line in lines]


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@pytest.mark.parametrize("kind", ["sqlite_url", "durable_postgres_url"])
@pytest.mark.parametrize("done", [False, True])
def test_a_writer_killed_in_its_commit_leaves_all_of_it_or_nothing(
    request: pytest.FixtureRequest, kind: str, *, done: bool
) -> None:
    """Before the commit, and after it but before anybody was answered."""
    url = request.getfixturevalue(kind)
    engine = opened(url)
    record(engine, entries(3))
    engine.dispose()
    child = os.fork()
    if child == 0:
        signal.alarm(int(PATIENCE))
        own = opened(url)
        if not done:
            event.listen(own, "commit", die)
        record(own, entries(2, 10))
        die()
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
    assert verdict(engine).whole
    assert count(engine) == (5 if done else 3)
    record(engine, [entry()])
    assert verdict(engine).whole
    engine.dispose()
