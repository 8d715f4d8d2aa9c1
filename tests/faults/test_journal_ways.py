"""Writers, shippers and stores side by side: each record once, each in its place (N-49, N-51)."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from authz.audit.journal import Journal
from authz.audit.log import Receipt, record
from authz.audit.ship import Shipper
from authz.errors import AuditUnavailableError
from authz.service import trail
from authz.service.journals import catch_up
from tests.journals import journals, killed, to_journal, whole
from tests.stores.test_audit_support import entries, entry, opened
from tests.waiting import PATIENCE
from tests.world import placed


def test_records_of_many_threads_and_files_are_moved_and_whole(
    engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    receipts: list[Receipt] = []

    def run(base: int) -> None:
        for turn in range(40):
            receipts.extend(record(engine, entries(1 + turn % 3, base + turn * 4)))

    threads = [threading.Thread(target=run, args=(n * 1000,)) for n in range(8)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        catch_up(engine)
    for thread in threads:
        thread.join()
    assert len(receipts) == 8 * 79
    whole(engine, receipts)
    assert len(journals(tmp_path)) <= 2
    journal.close()
    whole(engine, receipts)
    assert journals(tmp_path) == []
    ended = trail.search(engine, by="test", event="writer_closed").records
    assert [each.record["detail"]["ended"] for each in ended] == ["closed"]
    assert ended[0].record["detail"]["records"] == len(receipts)


@pytest.mark.usefixtures("journal")
def test_a_group_larger_than_a_file_gets_a_file_of_its_own(engine: Engine) -> None:
    receipts = (
        record(engine, entries(3)) + record(engine, entries(400, 3)) + record(engine, [entry()])
    )
    whole(engine, receipts)


@pytest.mark.usefixtures("journal")
def test_no_file_is_made_before_the_first_record(engine: Engine, tmp_path: Path) -> None:
    assert not (tmp_path / "audit").exists()
    record(engine, [])
    assert not (tmp_path / "audit").exists()


@pytest.mark.usefixtures("journal")
def test_journals_of_another_store_are_refused_and_told(engine: Engine, tmp_path: Path) -> None:
    record(engine, [entry()])
    other = opened(f"sqlite:///{tmp_path / 'other.db'}")
    to_journal(other, tmp_path)
    with pytest.raises(AuditUnavailableError) as caught:
        record(other, [entry()])
    assert "another store" in caught.value.message
    assert "AUTHZ_AUDIT_FOLDER" in caught.value.hint
    (damage,) = catch_up(other).damage.values()
    assert "another store" in damage.text
    assert {row["event"] for row in rows(other)} == set()
    other.dispose()


def rows(engine: Engine) -> list[dict[str, str]]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT chain, event FROM audit_record"))
        return [row._asdict() for row in found]


@pytest.mark.usefixtures("journal")
def test_two_folders_and_two_processes_serve_one_store(
    engine: Engine, sqlite_url: str, tmp_path: Path
) -> None:
    """Two nodes with a disk of their own, and two writers in one folder."""
    others = [opened(sqlite_url), opened(sqlite_url)]
    made = [to_journal(others[0], tmp_path), to_journal(others[1], tmp_path / "node")]
    receipts = [*record(engine, entries(3))]
    for number, other in enumerate(others):
        receipts += record(other, entries(3, 10 * number))
    assert len({each.chain for each in receipts}) == 3
    for other in others:
        catch_up(other)
    whole(engine, receipts)
    for each in made:
        each.close()
    for other in others:
        catch_up(other)
        other.dispose()


@pytest.mark.usefixtures("journal")
def test_several_shippers_at_once_move_each_record_once(
    engine: Engine, sqlite_url: str, tmp_path: Path
) -> None:
    receipts = [each for n in range(60) for each in record(engine, entries(20, n * 20))]
    others = [opened(sqlite_url) for _ in range(3)]
    moved: list[int] = []

    def run(other: Engine) -> None:
        moved.append(Shipper(other, tmp_path / "audit").ship().records)

    threads = [threading.Thread(target=run, args=(other,)) for other in others]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    whole(engine, receipts)
    for other in others:
        other.dispose()


def test_a_clock_set_back_changes_nothing(engine: Engine, journal: Journal) -> None:
    receipts = record(engine, [entry(1000)]) + record(engine, [entry(1)])
    killed(journal)
    receipts += record(engine, [entry(0)])
    whole(engine, receipts)


@pytest.mark.usefixtures("journal")
def test_a_forked_child_writes_a_chain_of_its_own(engine: Engine) -> None:
    before = record(engine, entries(2))
    child = os.fork()
    if child == 0:
        engine.dispose(close=False)
        made = record(engine, [entry(9)])
        os._exit(0 if made[0].chain != before[0].chain else 1)
    assert os.waitpid(child, 0)[1] == 0
    after = record(engine, [entry(3)])
    assert after[0].chain == before[0].chain
    whole(engine, before + after)
    assert len([r for r in placed(engine).values() if r["event"] == "decision"]) == 4
