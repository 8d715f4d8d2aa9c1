"""SQLite's log is forced to disk after the commit: before anything is answered, or nothing is."""

from __future__ import annotations

import errno
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, make_url, text

from authz.audit import log
from authz.errors import AuditUnavailableError, StoreUnavailableError
from authz.service.database import open_store, writing
from authz.service.journals import catch_up
from tests.api.conftest import EVALUATION, open_client, question
from tests.journals import to_journal
from tests.stores.test_audit_support import entry, opened, verdict
from tests.waiting import PATIENCE


@pytest.fixture
def trail(sqlite_url: str) -> Iterator[Engine]:
    engine = opened(sqlite_url)
    yield engine
    engine.dispose()


def _synchronous(store: Engine) -> int:
    with store.connect() as connection:
        return int(connection.execute(text("PRAGMA synchronous")).scalar_one())


def _full(_: int) -> None:
    raise OSError(errno.EIO, "the disk is gone")


def test_a_log_that_cannot_be_forced_gives_no_answer(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-49; page 5, "No record": though the commit went through."""
    for client in open_client(sqlite_url, tmp_path):
        monkeypatch.setattr(os, "fdatasync", _full)
        answer = client.post(EVALUATION, question())
        assert (answer.status_code, answer.json["code"]) == (503, "audit_unavailable")
        assert "decision" not in answer.json
        with pytest.raises(StoreUnavailableError), writing(client.store) as connection:
            connection.execute(text("SELECT 1"))
        monkeypatch.undo()
        assert client.post(EVALUATION, question()).json["decision"] is True
        assert verdict(client.store).whole


def test_whoever_shares_the_commit_shares_the_failure(
    trail: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's record counts before it is on disk, the followers' no more than the leader's."""
    failed: list[BaseException] = []

    def slowly(_: int) -> None:
        time.sleep(0.05)
        raise OSError(errno.EIO, "the disk is gone")

    def run(number: int) -> None:
        try:
            log.record(trail, [entry(number)])
        except AuditUnavailableError as error:
            failed.append(error)

    monkeypatch.setattr(os, "fdatasync", slowly)
    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(failed) == 8


def test_the_lock_is_free_while_the_log_is_forced(
    trail: Engine, sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process's writer goes on; the record is answered after the disk has it."""
    begun, free = threading.Event(), threading.Event()
    force = os.fdatasync

    def wait(handle: int) -> None:
        if not begun.is_set():
            begun.set()
            assert free.wait(PATIENCE)
        force(handle)

    monkeypatch.setattr(os, "fdatasync", wait)
    first = threading.Thread(target=log.record, args=(trail, [entry()]))
    first.start()
    assert begun.wait(PATIENCE)
    other = open_store(sqlite_url)
    log.record(other, [entry(1)])
    other.dispose()
    assert first.is_alive()
    free.set()
    first.join(PATIENCE)
    assert verdict(trail).records == 2


def test_the_log_is_forced_with_every_record_and_change(
    trail: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    names = Path("/proc/self/fd")
    monkeypatch.setattr(
        os, "fdatasync", lambda handle: seen.append(str((names / str(handle)).readlink()))
    )
    log.record(trail, [entry()])
    with writing(trail) as connection:
        log.append(connection, [entry(1)])
    assert len(seen) == 2
    assert all(name.endswith("authz.db-wal") for name in seen)


def test_other_transactions_are_forced_by_their_commit(trail: Engine) -> None:
    """What does not go through `writing` waits for the disk in the commit, as before."""
    full = 2
    assert _synchronous(trail) == full
    log.record(trail, [entry()])
    assert _synchronous(trail) == full


def test_durability_can_be_left_to_the_operating_system(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page 4.3: ``AUTHZ_AUDIT_DURABILITY=os``."""
    monkeypatch.setattr(os, "fdatasync", _full)
    store = open_store(sqlite_url, durability="os")
    log.record(store, [entry()])
    assert _synchronous(store) == 1
    store.dispose()


@pytest.mark.parametrize("link", [True, False])
def test_the_log_is_found_behind_a_link_and_a_uri_is_forced_by_its_commit(
    sqlite_url: str, tmp_path: Path, *, link: bool
) -> None:
    """SQLite puts its log beside the file that a link leads to."""
    path = Path(make_url(sqlite_url).database or "")
    away = tmp_path / "elsewhere"
    away.mkdir()
    (away / "link.db").symlink_to(path)
    url = f"sqlite:///{away / 'link.db'}" if link else f"sqlite:///file:{path}?uri=true"
    store = opened(url)
    log.record(store, [entry()])
    assert verdict(store).records == 1
    store.dispose()


def test_a_folder_of_journals_is_on_disk_with_those_above_it(
    trail: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is lost with the name of the folder that it is in."""
    seen: list[str] = []
    names, force = Path("/proc/self/fd"), os.fsync

    def noted(handle: int) -> None:
        seen.append(str((names / str(handle)).readlink()))
        force(handle)

    monkeypatch.setattr(os, "fsync", noted)
    journal = to_journal(trail, tmp_path / "new" / "node")
    log.record(trail, [entry()])
    journal.close()
    above = [str(tmp_path / each) for each in ("", "new", "new/node", "new/node/audit")]
    assert [name for name in seen if not name.endswith((".new", ".journal"))][:4] == above


def test_what_is_shipped_is_on_disk_before_its_journal_goes(
    postgres_url: str, tmp_path: Path
) -> None:
    """Though the server is told to answer commits before."""
    engine = opened(postgres_url)

    @event.listens_for(engine, "connect")
    def lazy(connection: Any, _: object) -> None:
        connection.execute("SET synchronous_commit = off")
        connection.commit()

    found: list[str] = []

    @event.listens_for(engine, "commit")
    def commit(connection: Connection) -> None:
        found.append(connection.exec_driver_sql("SHOW synchronous_commit").scalar_one())

    engine.dispose()
    journal = to_journal(engine, tmp_path)
    log.record(engine, [entry()])
    found.clear()
    catch_up(engine)
    assert "on" in found
    journal.close()
    engine.dispose()
