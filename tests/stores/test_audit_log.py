"""Writing the trail, on both stores: in order, all or nothing, by many at once."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event, select, text

from authz.audit.log import append, record
from authz.audit.record import Entry, Ref
from authz.audit.tables import AuditHead, AuditRecord
from authz.audit.trail import search
from authz.errors import AuditUnavailableError
from tests.stores.test_audit_support import entries, entry, opened, verdict
from tests.waiting import PATIENCE

PROCESSES, THREADS, EACH = 2, 8, 25


@pytest.fixture
def trail(store_url: str) -> Iterator[Engine]:
    engine = opened(store_url)
    yield engine
    engine.dispose()


def numbers(engine: Engine) -> list[int]:
    with engine.connect() as connection:
        query = select(AuditRecord.sequence).order_by(AuditRecord.sequence)
        return list(connection.execute(query).scalars())


def test_records_are_numbered_from_one_and_receipts_name_them(trail: Engine) -> None:
    receipts = [*record(trail, entries(2)), *record(trail, [entry(2)])]
    assert [receipt.sequence for receipt in receipts] == [1, 2, 3]
    with trail.connect() as connection:
        stored = connection.execute(
            select(AuditRecord.chain, AuditRecord.sequence, AuditRecord.hash).order_by(
                AuditRecord.sequence
            )
        ).all()
        head = connection.execute(select(AuditHead.chain, AuditHead.sequence, AuditHead.hash)).one()
    assert [tuple(row) for row in stored] == [tuple(receipt) for receipt in receipts]
    assert tuple(head) == tuple(receipts[-1])
    assert verdict(trail).whole


def test_no_entries_write_nothing(trail: Engine) -> None:
    assert record(trail, []) == []
    assert numbers(trail) == []


@pytest.mark.parametrize("count", [1, 2, 500])
def test_any_number_of_records_takes_four_statements(trail: Engine, count: int) -> None:
    record(trail, [entry()])
    seen: list[str] = []

    @event.listens_for(trail, "before_cursor_execute")
    def note(_c: Any, _k: Any, statement: str, *_rest: Any) -> None:
        seen.append(statement.split(maxsplit=1)[0])

    record(trail, entries(count, 1))
    assert [word for word in seen if word != "BEGIN"] == ["SELECT", "INSERT", "INSERT", "UPDATE"]


def test_a_change_and_its_record_stand_or_fall_together(trail: Engine) -> None:
    with trail.begin() as connection:
        connection.execute(text("CREATE TABLE made (id integer)"))

    def change(*, fail: bool) -> None:
        with trail.connect() as connection:
            connection.execution_options(authz_write=True)
            with connection.begin():
                connection.execute(text("INSERT INTO made VALUES (1)"))
                append(connection, [entry()])
                if fail:
                    raise RuntimeError

    with pytest.raises(RuntimeError):
        change(fail=True)
    assert numbers(trail) == []
    change(fail=False)
    with trail.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM made")).scalar() == 1
    assert numbers(trail) == [1]
    assert verdict(trail).whole


def test_a_change_without_a_record_is_not_committed_even_if_the_error_is_swallowed(
    trail: Engine,
) -> None:
    with trail.begin() as connection:
        connection.execute(text("CREATE TABLE made (id integer)"))
        connection.execute(text("DROP TABLE audit_record"))
    with trail.connect() as connection:
        connection.execution_options(authz_write=True)
        with connection.begin():
            connection.execute(text("INSERT INTO made VALUES (1)"))
            with pytest.raises(AuditUnavailableError):
                append(connection, [entry()])
    with trail.connect() as connection:
        assert connection.execute(text("SELECT count(*) FROM made")).scalar() == 0


def test_ids_that_no_index_can_hold_are_recorded_and_found(trail: Engine) -> None:
    strange = ["\x00", "\ud800", "x" * 100_000, "ก" * 201, "sha256:" + "0" * 64, "' OR 1=1 --", "é"]
    record(trail, [entry(resource=Ref("identity", each)) for each in strange])
    assert verdict(trail).whole
    with trail.connect() as connection:
        for sequence, each in enumerate(strange, 1):
            page = search(connection, person=each)
            assert [found.sequence for found in page.records] == [sequence]
            assert page.records[0].record["resource"]["id"] == each


def test_a_mistake_in_one_entry_writes_none_and_disturbs_nobody(trail: Engine) -> None:
    with pytest.raises(ValueError, match="zone"):
        record(trail, [entry(), entry(time=entry().time.replace(tzinfo=None))])
    with pytest.raises(TypeError):
        record(trail, [entry(detail={"a": object()})])
    assert numbers(trail) == []
    record(trail, [entry()])
    assert numbers(trail) == [1]


def write_in_threads(engine: Engine, base: int) -> list[int]:
    """EACH records and EACH batches of three in each of THREADS threads; their numbers."""
    made: list[int] = []
    failed: list[BaseException] = []

    def run(mine: int) -> None:
        try:
            for turn in range(EACH):
                batch: list[Entry] = list(entries(3 if turn % 2 else 1, mine * 1000 + turn * 4))
                receipts = record(engine, batch)
                first = receipts[0].sequence
                assert [each.sequence for each in receipts] == list(
                    range(first, first + len(batch))
                )
                made.extend(each.sequence for each in receipts)
        except BaseException as error:
            failed.append(error)
            raise

    threads = [threading.Thread(target=run, args=(base + each,)) for each in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    return made


def _in_process(url: str, base: int, barrier: Any, results: Any) -> None:
    """Write when all processes are ready, so that they do write at the same time."""
    engine = opened(url)
    barrier.wait(PATIENCE)
    try:
        results.put(write_in_threads(engine, base))
    except BaseException:
        results.put(None)
        raise
    engine.dispose()


def test_threads_of_several_processes_leave_one_whole_chain(trail: Engine, store_url: str) -> None:
    context = multiprocessing.get_context("spawn")
    results, barrier = context.Queue(), context.Barrier(PROCESSES)
    workers = [
        context.Process(target=_in_process, args=(store_url, 100 * each, barrier, results))
        for each in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    made = [results.get(timeout=PATIENCE) for _ in workers]
    for worker in workers:
        worker.join()
    assert None not in made
    receipts = [number for each in made for number in each]
    assert sorted(receipts) == numbers(trail) == list(range(1, len(receipts) + 1))
    assert verdict(trail).whole


def test_the_first_records_of_two_writers_share_one_beginning(trail: Engine) -> None:
    barrier = threading.Barrier(2)

    def run() -> None:
        with trail.connect() as connection:
            connection.execution_options(authz_write=True)
            if trail.dialect.name == "postgresql":
                connection.execution_options(isolation_level="READ COMMITTED")
            barrier.wait()
            with connection.begin():
                append(connection, [entry()])

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers(trail) == [1, 2]
    assert verdict(trail).whole
