"""What the keeper does besides moving records: it watches for bulk reading, and does not wait."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from authz import clock
from authz.audit.log import record
from authz.audit.record import Entry, Ref
from authz.audit.tables import AuditRecord
from authz.config import Settings, load
from authz.service import bulk_reading, health, keeper
from authz.service.checkpoints import keep
from authz.service.keeper import Step
from authz.vocabulary import Event
from tests.waiting import PATIENCE, until

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Settings of a keeper; what it does aside is done when the test is over."""
    monkeypatch.setattr(keeper, "_threads", {})
    yield load(
        policy=ROOT / "policies" / "school",
        key_folder=tmp_path / "keys",
        checkpoint_folder=tmp_path / "checkpoints",
        audit_folder="",
        audit_interval=0.05,
        bulk_floor=5,
    )
    for thread in keeper._threads.values():
        thread.join(PATIENCE)


def read_many(store: Engine, people: int) -> None:
    now = clock.now()
    entries = [
        Entry(
            event=Event.DECISION,
            time=now,
            subject=Ref("user", "wanida"),
            action="read",
            resource=Ref("identity", f"student-{number}"),
            decision=True,
            rules=["teacher-read"],
        )
        for number in range(people)
    ]
    record(store, entries)


def alerts(store: Engine) -> list[str]:
    with store.connect() as connection:
        asked = select(AuditRecord.subject_id).where(AuditRecord.event == Event.BULK_READING.value)
        return list(connection.scalars(asked))


def test_bulk_reading_is_told_of_once(store: Engine, known: Settings) -> None:
    read_many(store, 40)
    assert len(bulk_reading.keep(store, known)) == 1
    assert bulk_reading.keep(store, known) == []
    assert alerts(store) == ["wanida"]


def test_the_keeper_watches(store: Engine, known: Settings) -> None:
    read_many(store, 40)
    stop = threading.Event()
    thread = threading.Thread(target=keeper.keep, args=(store, known, stop))
    thread.start()
    try:
        assert until(lambda: alerts(store)) == ["wanida"]
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def hanging(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A step that does not come to its end, beside one that is done again and again."""
    done: list[str] = []
    go_on = threading.Event()

    def hang(*_: object) -> None:
        done.append("hanging")
        go_on.wait()

    steps = (
        Step("hanging", hang, aside=True),
        Step("quick", lambda *_: done.append("quick")),
    )
    monkeypatch.setattr(keeper, "STEPS", steps)
    yield done
    go_on.set()


def test_a_step_that_hangs_holds_up_no_other(
    sqlite_store: Engine, known: Settings, hanging: list[str]
) -> None:
    stop = threading.Event()
    thread = threading.Thread(target=keeper.keep, args=(sqlite_store, known, stop))
    thread.start()
    try:
        until(lambda: hanging.count("quick") >= 5)
    finally:
        stop.set()
    thread.join(PATIENCE)
    assert not thread.is_alive()
    assert hanging.count("hanging") == 1


def test_doctor_tells_of_an_old_checkpoint(
    store: Engine, known: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert health._checkpoint(store, known) == "none yet"
    keep(store, known)
    assert "over 0 records" in health._checkpoint(store, known)
    later = clock.now() + health.SKEW * 3
    monkeypatch.setattr(clock, "now", lambda: later)
    check = health._look("checkpoint", lambda: health._checkpoint(store, known))
    assert not check.well
    assert "authz audit keep" in check.detail
