"""A journal in which nothing was written is not read again, and whatever is written is seen."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from authz import clock
from authz.audit import journal_tail
from authz.audit.journal import Journal
from authz.audit.log import record
from authz.audit.ship import Shipper
from tests.journals import damaged, journals, killed, to_journal, whole
from tests.stores.test_audit_support import entries, entry, opened
from tests.waiting import until


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    made = opened(sqlite_url)
    yield made
    made.dispose()


@pytest.fixture
def journal(engine: Engine, tmp_path: Path) -> Journal:
    return to_journal(engine, tmp_path)


class Reads:
    """How many bytes of journals were read."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.bytes = 0
        read, whole_file = os.pread, Path.read_bytes

        def pread(handle: int, size: int, place: int) -> bytes:
            data = read(handle, size, place)
            self.bytes += len(data)
            return data

        def read_bytes(path: Path) -> bytes:
            data = whole_file(path)
            self.bytes += len(data)
            return data

        patch.setattr(os, "pread", pread)
        patch.setattr(Path, "read_bytes", read_bytes)

    def of(self, shipper: Shipper) -> int:
        """The bytes that one round reads."""
        self.bytes = 0
        assert not shipper.ship().damage
        return self.bytes


def settle(folder: Path) -> None:
    """Wait until the last write lies so far back that another one would look different."""
    (path,) = journals(folder)

    def settled() -> bool:
        return clock.microseconds() / 1e6 - path.stat().st_ctime > journal_tail.SETTLED

    until(settled)


def test_a_journal_in_which_nothing_was_written_is_not_read_again(
    engine: Engine, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipts = [*record(engine, entries(3))]
    shipper, reads = Shipper(engine, tmp_path / "audit"), Reads(monkeypatch)
    settle(tmp_path)
    assert reads.of(shipper) > 0
    assert reads.of(shipper) == 0
    receipts += record(engine, [entry(9)])
    assert reads.of(shipper) > 0
    whole(engine, receipts)
    killed(journal)
    assert reads.of(shipper) > 0, "a writer that is gone leaves nothing unread"
    assert journals(tmp_path) == []
    whole(engine, receipts)


class Coarse:
    """What the system tells of a file, on a disk that notes every half second alone."""

    GRAIN = 500_000_000

    def __init__(self, told: os.stat_result) -> None:
        self._told = told

    def __getattr__(self, name: str) -> Any:
        told = getattr(self._told, name)
        if name.endswith("time_ns"):
            return told // self.GRAIN * self.GRAIN
        return told // 0.5 * 0.5 if name.endswith("time") else told


def test_what_was_written_in_the_moment_of_a_look_is_seen(
    engine: Engine, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system may note one moment for both, so a file is read until it has settled."""
    told = os.fstat
    monkeypatch.setattr(os, "fstat", lambda handle: Coarse(told(handle)))
    shipper = Shipper(engine, tmp_path / "audit")
    for number in range(100):
        record(engine, [entry(number)])
        assert shipper.ship().records == 1
        assert shipper.ship().records == 0
    journal.close()


def test_damage_to_a_journal_that_rests_is_found_at_the_next_round(
    engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    record(engine, entries(3))
    shipper = Shipper(engine, tmp_path / "audit")
    settle(tmp_path)
    assert not shipper.ship().damage
    assert not shipper.ship().damage
    (path,) = journals(tmp_path)
    written = path.read_bytes().rstrip(b"\x00")
    with path.open("r+b") as stream:
        stream.seek(len(written) + 512)
        stream.write(b"\n\n" + written.splitlines()[-2] + b"\n\n")
    assert shipper.ship().damage
    assert damaged(engine)[1] == 4
    killed(journal)


def test_who_was_overtaken_goes_on_from_there_without_looking_for_the_place(
    engine: Engine, journal: Journal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = (Shipper(engine, tmp_path / "audit") for _ in range(2))
    receipts = [*record(engine, entries(3))]
    assert one.ship().records == 3
    receipts += record(engine, entries(40))
    assert other.ship().records == 40
    monkeypatch.setattr(Path, "read_bytes", _never)
    receipts += record(engine, entries(2))
    assert one.ship().records == 2
    monkeypatch.undo()
    whole(engine, receipts)
    journal.close()


def test_who_was_overtaken_over_files_that_are_gone_looks_for_the_place(
    engine: Engine, tmp_path: Path
) -> None:
    journal = to_journal(engine, tmp_path, size=8 * 1024)
    one, other = (Shipper(engine, tmp_path / "audit") for _ in range(2))
    receipts = [*record(engine, entries(1))]
    assert one.ship().records == 1
    for _ in range(6):
        receipts += record(engine, entries(8))
        other.ship()
    receipts += record(engine, entries(2))
    assert one.ship().records == 2
    whole(engine, receipts)
    journal.close()


def _never(*_: object) -> bytes:
    raise AssertionError("the whole file was read")
