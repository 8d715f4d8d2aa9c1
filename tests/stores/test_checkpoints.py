"""Signing where the trail stands, on both stores."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine, select

from authz import clock
from authz.audit import merkle, note
from authz.audit.tables import AuditRecord
from authz.errors import (
    MalformedError,
    NotFoundError,
)
from authz.service import audit_keys, checkpoint_files, proofs
from authz.service.checkpoints import checkpoint, keep, listed, newest
from authz.service.database import reading
from tests.stores.checkpoint_log import BEGAN, ORIGIN, US, Log, settings


@pytest.fixture
def trail(store: Engine, tmp_path: Path) -> Log:
    return Log(store, settings(tmp_path / "own"))


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """What the clock says next; the last one stays."""
    coming: list[datetime] = [BEGAN]
    monkeypatch.setattr(clock, "now", lambda: coming.pop(0) if len(coming) > 1 else coming[0])
    return coming


def test_a_checkpoint_is_signed_stored_and_published(trail: Log) -> None:
    trail.write(5)
    signed = keep(trail.store, trail.settings)
    found = trail.verified(signed)
    assert (found.origin, found.size) == (ORIGIN, 5)
    assert datetime.fromisoformat(found.time).tzinfo is UTC
    assert trail.stored() == [str(signed)] == [newest(trail.store)]
    assert trail.files() == [str(signed)] * 2
    assert (trail.folder / checkpoint_files.place(found.time)).read_text("utf-8") == str(signed)


def test_the_root_is_the_one_over_the_records(trail: Log) -> None:
    trail.write(300)
    tree = merkle.Frontier()
    with reading(trail.store) as connection:
        for number, body in connection.execute(
            select(AuditRecord.sequence, AuditRecord.body).order_by(AuditRecord.sequence)
        ):
            tree.append(merkle.leaf_hash(b"main %d\n%s" % (number, body)))
    found = trail.keep()
    assert (found.size, found.root) == (300, tree.root())


def test_even_when_nothing_happened(trail: Log) -> None:
    empty = trail.keep()
    assert (empty.size, empty.root) == (0, merkle.EMPTY)
    again = trail.keep()
    assert (again.size, again.root) == (0, merkle.EMPTY)
    assert again.time > empty.time
    assert len(trail.stored()) == 2
    assert len(trail.files()) == 3


def test_each_goes_on_from_the_last(trail: Log) -> None:
    found = []
    for count in (1, 4, 300):
        trail.write(count)
        found.append(trail.keep())
    assert [each.size for each in found] == [1, 5, 305]
    told = proofs.consistency(trail.store, 5, by=US)
    assert (told["first"], told["second"], told["checkpoint"]) == (5, 305, newest(trail.store))


def test_a_clock_set_back(trail: Log, times: list[datetime]) -> None:
    """Moments are what the clock said; size and moment together still tell the newest."""
    times[:] = [BEGAN]
    first = trail.keep()
    times[:] = [BEGAN - timedelta(hours=1)]
    second = trail.keep()
    assert second.time == "2026-11-22T13:15:00.000001Z" > first.time
    trail.write()
    third = trail.keep()
    assert third.time == "2026-11-22T12:15:00.000000Z"
    assert note.checkpoint(note.parse(newest(trail.store)).text) == third
    assert (trail.folder / "latest").read_text("utf-8") == newest(trail.store)
    assert len(trail.files()) == 4


def test_two_at_once(trail: Log) -> None:
    trail.write(50)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                keep(trail.store, trail.settings)
        except BaseException as error:  # noqa: BLE001 (told below)
            failed.append(error)

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(audit_keys.verifiers(trail.settings)) == 1
    assert len(trail.stored()) == 15
    assert {note.checkpoint(note.parse(each).text).size for each in trail.stored()} == {50}


def test_before_the_first(trail: Log) -> None:
    with pytest.raises(NotFoundError):
        newest(trail.store)
    with pytest.raises(NotFoundError):
        audit_keys.verifiers(trail.settings)
    with pytest.raises(NotFoundError):
        proofs.inclusion(trail.store, "main-1", by=US)
    assert listed(trail.store) == ([], "")


def test_pages_of_checkpoints(trail: Log) -> None:
    for _ in range(5):
        trail.write()
        trail.keep()
        trail.keep()
    seen: list[str] = []
    after = ""
    while True:
        page = listed(trail.store, limit=3, after=after)
        seen += [row["note"] for row in page.rows]
        after = page.after
        if not after:
            break
    assert seen == list(reversed(trail.stored()))


@pytest.mark.parametrize("after", ["x", "1", "/", "-1/x", "1/\x00", f"{10**30}/T", "١/T"])
def test_no_place_in_the_list(trail: Log, after: str) -> None:
    with pytest.raises(MalformedError):
        listed(trail.store, after=after)


def test_a_checkpoint_signs_only_what_is_in_the_tree(trail: Log) -> None:
    trail.write(4)
    assert trail.verified(checkpoint(trail.store, trail.settings)).size == 0
    assert trail.keep().size == 4
