"""Disks that fail or are full: no record, no answer, and nothing answered is lost (N-49)."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import Engine

from authz.audit import journal_files as files
from authz.audit.journal import Journal
from authz.audit.log import Receipt, record
from authz.errors import AuditUnavailableError
from authz.service import trail
from authz.service.journals import catch_up
from tests.journals import killed, to_journal, whole
from tests.stores.test_audit_support import entries, entry
from tests.waiting import PATIENCE
from tests.world import placed


@pytest.mark.parametrize("fault", ["pwrite", "fsync"])
def test_a_disk_that_fails_gives_no_answer_and_the_chain_is_left(
    engine: Engine, journal: Journal, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    """The write and the wait for the disk are one call; after it failed the file is left."""
    before = record(engine, entries(3))

    def fail(*_: object) -> int:
        raise OSError(errno.EIO, "the disk is gone")

    if fault == "fsync":
        killed(journal)  # so that a new file must be made
    monkeypatch.setattr(os, fault, fail)
    with pytest.raises(AuditUnavailableError):
        record(engine, [entry(7)])
    monkeypatch.undo()
    after = record(engine, entries(3, 10))
    assert before[0].chain != after[0].chain
    whole(engine, before + after)
    assert len([r for r in placed(engine).values() if r["event"] == "decision"]) == 6


@pytest.mark.usefixtures("journal")
def test_a_write_cut_short_gives_no_answer_and_is_dropped(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = record(engine, entries(3))
    put = os.pwrite
    state = {"left": files.SECTOR * 2}

    def part(handle: int, data: bytes, offset: int) -> int:
        upto = (offset // files.SECTOR + 2) * files.SECTOR
        if state["left"] and len(data) > upto - offset:
            state["left"] = 0
            return put(handle, data[: upto - offset], offset)
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "pwrite", part)
    with pytest.raises(AuditUnavailableError):
        record(engine, entries(20, 5))
    monkeypatch.undo()
    after = record(engine, [entry(30)])
    whole(engine, before + after)
    ended = trail.search(engine, by="test", event="writer_closed").records
    assert [each.record["detail"]["ended"] for each in ended] == ["torn"]


@pytest.mark.usefixtures("journal")
def test_whoever_shares_the_write_shares_the_failure(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(engine, [entry()])
    failed: list[BaseException] = []

    def fail(*_: object) -> int:
        raise OSError(errno.EIO, "the disk is gone")

    def run(number: int) -> None:
        try:
            record(engine, [entry(number)])
        except AuditUnavailableError as error:
            failed.append(error)

    monkeypatch.setattr(os, "pwrite", fail)
    threads = [threading.Thread(target=run, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE)
    assert len(failed) == 8


def test_a_full_disk_gives_no_answer_and_goes_on_when_there_is_room(
    engine: Engine, tmp_path: Path
) -> None:
    """The file is written full beforehand: a full disk shows when the next one is made."""
    with room(tmp_path / "audit", 160 * 1024) as fill:
        to_journal(engine, tmp_path)
        receipts = record(engine, entries(3))
        fill()
        with pytest.raises(AuditUnavailableError):
            until_refused(engine, receipts)
        (tmp_path / "audit" / "filler").unlink()
        receipts += record(engine, [entry(5)])
        assert len({each.chain for each in receipts}) == 1
        whole(engine, receipts)
        shut(engine)


def until_refused(engine: Engine, receipts: list[Receipt]) -> None:
    for number in range(1000):
        receipts += record(engine, [entry(number)])


@contextmanager
def room(folder: Path, size: int) -> Iterator[Callable[[], None]]:
    """A disk of that size at the folder, and what fills it."""
    folder.mkdir()
    mount = shutil.which("mount")
    options = ["-t", "tmpfs", "-o", f"size={size}", "tmpfs"]
    if not mount or subprocess.run([mount, *options, folder], check=False).returncode:
        pytest.skip("only root can mount a small disk")

    def fill() -> None:
        with (folder / "filler").open("wb", buffering=0) as stream, suppress(OSError):
            while True:
                stream.write(bytes(4096))

    try:
        yield fill
    finally:
        subprocess.run(["umount", "-l", folder], check=True)


def shut(engine: Engine) -> None:
    engine.get_execution_options()["authz_journal"].close()
    engine.get_execution_options()["authz_shipper"].close()


def test_a_file_that_may_not_be_so_large_gives_no_answer(
    engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    open_chain = record(engine, [entry()])
    killed(journal)
    resource.setrlimit(resource.RLIMIT_FSIZE, (16 * 1024, before[1]))
    try:
        with pytest.raises(AuditUnavailableError):
            record(engine, [entry(1)])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list((tmp_path / "audit").glob("*.new"))
    whole(engine, open_chain + record(engine, [entry(2)]))


def test_a_backlog_over_its_limit_gives_no_answer_until_it_is_moved(
    engine: Engine, tmp_path: Path
) -> None:
    journal = to_journal(engine, tmp_path, size=16 * 1024, limit=20 * 1024)
    receipts: list[Receipt] = []
    with pytest.raises(AuditUnavailableError) as caught:
        until_refused(engine, receipts)
    assert "wait to be moved" in caught.value.message
    catch_up(engine)
    receipts += record(engine, [entry()])
    assert len({each.chain for each in receipts}) == 1
    whole(engine, receipts)
    journal.close()


def test_a_folder_taken_away_under_a_writer_gives_no_answer_and_a_new_chain(
    engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    """What is written to a file without a name would be lost with the process."""
    before = record(engine, [entry()])
    catch_up(engine)
    shutil.rmtree(tmp_path / "audit")
    with pytest.raises(AuditUnavailableError):
        record(engine, [entry(1)])
    after = record(engine, [entry(2)])
    assert after[0].chain != before[0].chain
    journal.close()
    whole(engine, before + after)
