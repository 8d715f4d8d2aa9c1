"""Shipping that is killed, and a database that is gone: each record once, none lost (N-49)."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from authz.audit import ship, writers
from authz.audit.journal import Journal
from authz.audit.log import Receipt, record
from authz.audit.ship import Shipper
from authz.errors import StoreUnavailableError
from authz.service.journals import catch_up
from tests.journals import journals, killed, to_journal, whole
from tests.postgres import Postgres
from tests.stores.test_audit_support import entries, entry, opened
from tests.waiting import PATIENCE, until

ENOUGH = 500
"""Records that are taken before the test goes on, whatever the machine does meanwhile."""


def die(*_: object, **__: object) -> Any:
    os.kill(os.getpid(), signal.SIGKILL)


def after(done: Callable[..., Any]) -> Callable[..., Any]:
    """Do it, and be killed."""

    def run(*given: Any, **named: Any) -> Any:
        done(*given, **named)
        die()

    return run


KILLS: dict[str, Callable[[], None]] = {
    "before the head is moved": lambda: setattr(ship, "_moved", after(ship._moved)),
    "after the commit": lambda: setattr(ship, "_insert", after(ship._insert)),
    "before a file is removed": lambda: setattr(Path, "unlink", die),
    "after the first file is removed": lambda: setattr(Path, "unlink", after(Path.unlink)),
    "before the end is recorded": lambda: setattr(writers, "close_chain", die),
}


@pytest.mark.parametrize("kind", ["sqlite_url", "postgres_url"])
@pytest.mark.parametrize("place", KILLS)
@pytest.mark.parametrize("live", [True, False])
def test_a_shipper_killed_anywhere_leaves_each_record_once(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, place: str, *, live: bool
) -> None:
    url = str(request.getfixturevalue(kind))
    engine = opened(url)
    journal = to_journal(engine, tmp_path, size=16 * 1024)
    receipts = [each for n in range(10) for each in record(engine, entries(8, n * 8))]
    if not live:
        killed(journal)
    engine.dispose()
    child = os.fork()
    if child == 0:
        signal.alarm(int(PATIENCE))
        KILLS[place]()
        Shipper(opened(url), tmp_path / "audit").ship()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    if not live or "end" not in place:
        assert os.WIFSIGNALED(status)
    receipts += record(engine, [entry(99)])
    whole(engine, receipts)
    journal.close()
    whole(engine, receipts)
    assert journals(tmp_path) == []
    engine.dispose()


def test_a_database_gone_and_back_under_load_loses_no_record(
    durable_postgres_server: Postgres, tmp_path: Path
) -> None:
    """The journal takes the records meanwhile; they are moved when the database is back."""
    if durable_postgres_server.folder is None:
        pytest.skip("a server that was given is not ours to stop")
    with durable_postgres_server.database() as url:
        engine = opened(url)
        journal = to_journal(engine, tmp_path)
        receipts, stop = [*record(engine, entries(3))], threading.Event()
        threads = [
            threading.Thread(target=_load, args=(engine, n, receipts, stop)) for n in range(4)
        ]
        for thread in threads:
            thread.start()
        try:
            catch_up(engine)
            durable_postgres_server.halt()
            try:
                _taken(receipts)
                with pytest.raises(StoreUnavailableError):
                    catch_up(engine)
            finally:
                durable_postgres_server.resume()
            _taken(receipts)
        finally:
            stop.set()
            for thread in threads:
                thread.join()
        whole(engine, receipts)
        _end(journal)


def _load(engine: Engine, number: int, receipts: list[Receipt], stop: threading.Event) -> None:
    while not stop.is_set():
        receipts.extend(record(engine, entries(2, number)))
        time.sleep(0.005)  # as applications do: it would fill the disk while nothing is shipped


def _taken(receipts: list[Receipt]) -> None:
    """Return when so many more records were acknowledged."""
    enough = len(receipts) + ENOUGH
    until(lambda: len(receipts) >= enough)


def _end(journal: Journal) -> None:
    journal.close()
    catch_up(journal.engine)
    journal.engine.dispose()


@pytest.mark.parametrize("kind", ["sqlite_url", "postgres_url"])
def test_who_ships_beside_another_ends_with_all_that_was_answered_before(
    request: pytest.FixtureRequest, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The keeper may have read before the last answer; whoever searches then finds it (N-50)."""
    engine = opened(str(request.getfixturevalue(kind)))
    journal = to_journal(engine, tmp_path)
    receipts = record(engine, entries(3, 0))
    insert, others = ship._insert, Shipper(engine, tmp_path / "audit")

    def overtaken(*given: Any) -> bool:
        """The other one ships what is there, and somebody is answered before it is our turn."""
        monkeypatch.setattr(ship, "_insert", insert)
        others.ship()
        receipts.extend(record(engine, entries(3, 3)))
        return insert(*given)

    monkeypatch.setattr(ship, "_insert", overtaken)
    assert Shipper(engine, tmp_path / "audit").ship().records == 3
    chain, last = receipts[-1].chain, receipts[-1].sequence
    assert writers.heads(engine, [chain])[chain].sequence == last
    whole(engine, receipts)
    journal.close()
    engine.dispose()
