"""Journals harmed by hand or by a power cut: damage is named, a torn tail is dropped (N-49)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from authz.audit import journal_files as files
from authz.audit.chain import Kind
from authz.audit.journal import Journal
from authz.audit.log import record
from authz.service.journals import catch_up
from tests.journals import damaged, journals, killed, placed_of, verified, whole
from tests.stores.test_audit_support import entries, entry
from tests.world import placed


def line_of(path: Path, sequence: int) -> tuple[int, int]:
    """Where the line of a record begins and ends, its end included."""
    data = path.read_bytes()
    begin = data.index(b"\n%d " % sequence) + 1
    return begin, data.index(b"\n", begin) + 1


def rewrite(path: Path, change: Callable[[bytes], bytes], *, fit: bool = True) -> None:
    """Change the text of a file; with ``fit`` it keeps its size."""
    size = path.stat().st_size
    made = change(path.read_bytes().rstrip(b"\x00"))
    path.write_bytes(made.ljust(size, b"\x00")[:size] if fit else made)


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize("place", [1, 4, 6])
def test_one_bit_flipped_is_named_and_other_chains_go_on(
    engine: Engine, journal: Journal, tmp_path: Path, place: int
) -> None:
    for number in range(6):
        record(engine, [entry(number)])
    killed(journal)
    (path,) = journals(tmp_path)
    begin, end = line_of(path, place)
    flip(path, (begin + end) // 2)
    others = record(engine, entries(2, 20))
    assert damaged(engine) == ("changed", place)
    known = placed_of(engine)
    assert {(each.chain, each.sequence) for each in others} <= known
    assert path.exists()
    flip(path, (begin + end) // 2)
    whole(engine, others)
    assert not path.exists()


def _remove(path: Path) -> None:
    begin, end = line_of(path, 3)
    rewrite(path, lambda data: data[:begin] + data[end + 1 :])


def _swap(path: Path) -> None:
    (b3, e3), (b4, e4) = line_of(path, 3), line_of(path, 4)
    rewrite(path, lambda d: d[:b3] + d[b4:e4] + d[e3:b4] + d[b3:e3] + d[e4:])


def _double(path: Path) -> None:
    begin, end = line_of(path, 2)
    rewrite(path, lambda data: data[:end] + data[begin:end] + data[end:])


def _append(path: Path) -> None:
    begin, end = line_of(path, 6)
    rewrite(path, lambda d: d + d[begin:end].replace(b"6 ", b"7 ", 1) + b"\n")


def _last(path: Path) -> None:
    begin, _ = line_of(path, 6)
    rewrite(path, lambda data: data[:begin] + b"6 " + b"0" * 64 + b' {"v":1}\n\n')


def _cut(path: Path) -> None:
    begin, _ = line_of(path, 4)
    rewrite(path, lambda data: data[:begin], fit=False)


HARM: dict[Callable[[Path], None], tuple[str, int]] = {
    _remove: ("missing", 3),
    _swap: ("reordered", 3),
    _double: ("duplicated", 2),
    _append: ("duplicated", 7),
    _last: ("changed", 6),
    _cut: ("tail_cut", 3),
}


@pytest.mark.parametrize("shipped", [False, True])
@pytest.mark.parametrize("harm", HARM, ids=lambda harm: harm.__name__)
def test_a_journal_harmed_by_hand_is_named(
    engine: Engine, journal: Journal, tmp_path: Path, harm: Callable[[Path], None], *, shipped: bool
) -> None:
    """Two records may be shipped before; whatever is done to the others is damage."""
    record(engine, [entry()])
    record(engine, [entry(1)])
    if shipped:
        catch_up(engine)
        engine.get_execution_options()["authz_shipper"].close()
    for number in range(2, 6):
        record(engine, [entry(number)])
    killed(journal)
    (path,) = journals(tmp_path)
    harm(path)
    kind, place = damaged(engine)
    expected = HARM[harm]
    if harm is _double and shipped:
        expected = ("duplicated", 2)
    if harm is _cut:
        expected = ("tail_cut", 3 if shipped else 1)
    assert (kind, place) == expected
    assert path.exists()


def test_a_file_taken_away_is_named(engine: Engine, journal: Journal, tmp_path: Path) -> None:
    record(engine, [entry()])
    catch_up(engine)
    record(engine, [entry(1)])
    killed(journal)
    engine.get_execution_options()["authz_shipper"].close()
    for path in journals(tmp_path):
        path.unlink()
    assert damaged(engine) == (Kind.MISSING.value, 2)


def test_a_power_cut_that_tears_the_last_group_loses_nothing_answered(
    engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    """A sector of the group was not written: it is zeros, and the group was not answered."""
    kept = record(engine, entries(4))
    torn = record(engine, entries(12, 50))
    killed(journal)
    (path,) = journals(tmp_path)
    begin, _ = line_of(path, torn[0].sequence)
    sector = (begin // files.SECTOR + 2) * files.SECTOR
    rewrite(path, lambda d: d[:sector] + bytes(files.SECTOR) + d[sector + files.SECTOR :])
    whole(engine, kept)
    assert (torn[-1].chain, torn[-1].sequence) not in placed(engine)
    assert journals(tmp_path) == []


def test_a_hole_before_another_group_is_damage_and_no_torn_tail(
    engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    record(engine, entries(12))
    record(engine, [entry(50)])
    killed(journal)
    (path,) = journals(tmp_path)
    rewrite(path, lambda d: d[: files.SECTOR] + bytes(files.SECTOR) + d[2 * files.SECTOR :])
    found = verified(engine).damage
    assert found is not None
    assert path.exists()


def test_what_was_shipped_and_then_lost_from_the_journal_is_no_damage(
    engine: Engine, journal: Journal, tmp_path: Path
) -> None:
    """After a power cut the disk may have less of the last group than was shipped of it."""
    record(engine, entries(2))
    receipts = record(engine, entries(2, 5))
    catch_up(engine)
    killed(journal)
    engine.get_execution_options()["authz_shipper"].close()
    (path,) = journals(tmp_path)
    begin, _ = line_of(path, 3)
    rewrite(path, lambda data: data[:begin])
    whole(engine, receipts)
    assert journals(tmp_path) == []
