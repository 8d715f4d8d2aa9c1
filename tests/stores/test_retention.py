"""The oldest records go, by segments; what is left is verified, and so is what was left (N-49)."""

from __future__ import annotations

import signal
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from authz import clock
from authz.audit import log as writing_log
from authz.audit import pieces, retire, segments, tree
from authz.audit.log import record
from authz.audit.pieces import Piece
from authz.audit.record import Ref
from authz.audit.trail import verify, verify_bundle
from authz.errors import AuditDamagedError, MalformedError, NotFoundError, SettingError
from authz.service import audit_keys, proofs, retention, trail, verification
from tests.conftest import ROOT
from tests.stores.checkpoint_log import Log, settings
from tests.stores.test_audit_support import BEGAN, entries, harm, named, unguard, write_chain

ONE, TWO, THREE = (f"20260504T013000Z-0000000{number}" for number in (1, 2, 3))
FIRST = 4 + 300 + 40 + 1
"""Old leaves: of main (two openings, an ending, a decision), ONE, TWO, and main's next opening."""
SCRIPT = ROOT / "docs/how-to/verify_a_record.py"


@pytest.fixture
def kept(store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Log:
    """Three writers, of which one has ended, and three checkpoints."""
    monkeypatch.setattr(pieces, "JOB", 100)
    kept = Log(store, settings(tmp_path))
    record(store, entries(1))
    write_chain(store, ONE, 300)
    write_chain(store, TWO, 40, close=True)
    kept.keep()
    write_chain(store, ONE, 300, 300)
    write_chain(store, THREE, 20, 300)
    kept.keep()
    write_chain(store, ONE, 50, 600)
    kept.keep()
    return kept


def after(seconds: int) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def gone(kept: Log, seconds: int = 300, **more: Any) -> int:
    about = {"older_than": after(seconds), "by": "owner", "why": "a year has passed"}
    return retention.retire(kept.store, kept.settings, **{**about, **more})


def found(kept: Log, **more: Any) -> tuple[str, int] | None:
    damage = verification.verify(kept.store, kept.settings, **more).damage
    return (damage.kind.value, damage.sequence) if damage else None


def rows(store: Engine, table: str) -> int:
    with store.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())  # noqa: S608


def test_the_oldest_go_and_the_rest_is_whole(kept: Log) -> None:
    """N-49: proofs, checkpoints and chains go on to hold; what is gone is told."""
    before = verification.verify(kept.store, kept.settings)
    assert before.whole
    assert gone(kept) == FIRST
    now = verification.verify(kept.store, kept.settings)
    assert now.damage is None
    assert now.records == rows(kept.store, "audit_record") == before.records - FIRST + 1
    assert now.leaves == before.leaves + 1
    assert now.checkpoints > before.checkpoints
    with kept.store.connect() as connection:
        left = segments.sound(connection)
        assert left.leaves == FIRST
        assert left.roots == ((FIRST, tree.root(connection, FIRST)),)
        assert connection.execute(text("SELECT min(sequence) FROM audit_mention")).scalar() == 1
        old = text("SELECT count(*) FROM audit_mention WHERE chain = :one AND sequence <= 300")
        assert connection.execute(old, {"one": ONE}).scalar() == 0
        told = connection.execute(text("SELECT retired_by, why FROM audit_segment")).one()
    assert tuple(told) == ("owner", "a year has passed")
    page = trail.search(kept.store, by="us", event="trail_retired")
    assert page.records[0].record["detail"]["count"] == FIRST


def test_proofs_of_what_is_gone_and_of_what_is_not(kept: Log) -> None:
    us = Ref("operator", "us")
    gone(kept)
    with pytest.raises(NotFoundError, match="was retired"):
        proofs.inclusion(kept.store, f"{ONE}-7", by=us)
    assert proofs.inclusion(kept.store, f"{ONE}-301", by=us)["index"] > FIRST
    assert proofs.consistency(kept.store, 100, by=us)["hashes"]


def test_each_segment_goes_on_from_the_last(kept: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retire, "MOST", 310)
    assert gone(kept) == FIRST
    assert rows(kept.store, "audit_segment") == 2
    assert gone(kept) == 0
    with kept.store.connect() as connection:
        size = tree.size(connection)
    # In another year, even the records of these retirements go.
    assert gone(kept, 0, older_than=clock_now()) == size - FIRST
    assert found(kept) is None
    assert rows(kept.store, "audit_segment") > 3
    write_chain(kept.store, ONE, 5, 700)
    kept.keep()
    assert found(kept) is None
    write_chain(kept.store, TWO, 1)
    assert found(kept) == ("appended", 41)


def clock_now() -> datetime:
    return clock.now()


def test_parts_of_what_is_left_are_verified(kept: Log) -> None:
    copies = sorted(kept.folder.glob("*/*"))
    gone(kept)
    for copy in copies:
        assert found(kept, since=copy) is None
        assert found(kept, against=[copy]) is None
    assert named(kept.store, chain=ONE, first=1, last=300) is None
    assert named(kept.store, chain=ONE, first=1) is None
    assert named(kept.store, chain=ONE, first=301, last=310) is None
    harm(
        kept.store,
        "UPDATE audit_record SET reason = 'x' WHERE chain = :it AND sequence = 301",
        it=ONE,
    )
    assert named(kept.store, chain=ONE, first=1) == ("index", 301)
    assert found(kept, since=copies[0]) == ("index", 301)


def test_processes_share_what_is_left(kept: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    from authz.service import sharing  # noqa: PLC0415

    gone(kept)
    monkeypatch.setattr(sharing, "ALONE", 1)
    assert found(kept, processes=2) is None


EDITS = [
    "UPDATE audit_segment SET count = count - 1",
    "UPDATE audit_segment SET position = 1",
    "UPDATE audit_segment SET number = 2",
    "UPDATE audit_segment SET root = seal",
    "UPDATE audit_segment SET seal = root",
    "UPDATE audit_segment SET chains = replace(chains, '300', '299')",
    "UPDATE audit_segment SET chains = 'x'",
    "UPDATE audit_segment SET older_than = '2026'",
    "UPDATE audit_segment SET checkpoint = ''",
    "UPDATE audit_segment SET time = ''",
    "UPDATE audit_segment SET retired_by = 'somebody else'",
    "UPDATE audit_segment SET why = ''",
]


@pytest.mark.parametrize("edit", EDITS)
def test_an_edited_segment_is_found(kept: Log, edit: str) -> None:
    gone(kept)
    harm(kept.store, edit)
    assert found(kept) == ("segment", 0)
    with pytest.raises(AuditDamagedError, match="segment 1"):
        gone(kept, 400)


def test_a_segment_written_anew_is_not_the_one_of_the_trail(kept: Log) -> None:
    gone(kept)
    with kept.store.connect() as connection:
        row = dict(connection.execute(text("SELECT * FROM audit_segment")).mappings().one())
    forged = {**row, "retired_by": "nobody"}
    harm(
        kept.store,
        "UPDATE audit_segment SET retired_by = 'nobody', seal = :seal",
        seal=segments.seal(b"", forged),
    )
    assert found(kept) == ("segment", 0)


HARM_TO_A_TILE = (
    "UPDATE audit_tile SET hashes = "
    "(SELECT hashes FROM audit_tile WHERE level = 0 AND number = 1) "
    "WHERE level = 0 AND number = 0"
)


@pytest.mark.parametrize(
    ("statement", "kind"),
    [
        ("DELETE FROM audit_segment", "batch"),
        (HARM_TO_A_TILE, "tile"),
        ("DELETE FROM audit_tile WHERE level = 0 AND number = 0", "tile"),
        ("DELETE FROM audit_batch WHERE position = 0", "batch"),
        ("UPDATE audit_batch SET chain = 'x' WHERE chain LIKE '%2'", "batch"),
        ("UPDATE audit_record SET sequence = 3 WHERE sequence = 320", "reordered"),
        ("DELETE FROM audit_head WHERE chain LIKE '%2'", "head"),
        (
            "UPDATE audit_head SET hash = hash || hash WHERE chain LIKE '%2'",
            "head",
        ),
        (
            "DELETE FROM audit_record WHERE chain LIKE '%1' AND sequence = 301",
            "missing",
        ),
    ],
)
def test_harm_around_what_is_gone_is_found(kept: Log, statement: str, kind: str) -> None:
    gone(kept)
    harm(kept.store, statement)
    damage = found(kept)
    assert damage is not None
    if statement == "DELETE FROM audit_segment":
        assert damage[0] in {"missing", "tail_cut", "changed"}
    else:
        assert damage[0] == kind, damage


def test_a_record_put_back_by_hand_is_found(kept: Log) -> None:
    with kept.store.connect() as connection:
        asked = text("SELECT * FROM audit_record WHERE chain = :it AND sequence = 9")
        row = dict(connection.execute(asked, {"it": ONE}).mappings().one())
    gone(kept)
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    harm(kept.store, f"INSERT INTO audit_record ({names}) VALUES ({values})", **row)  # noqa: S608
    assert found(kept) == ("appended", 9)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_record SET body = hash WHERE sequence = 9",
        "UPDATE audit_record SET reason = 'x' WHERE sequence = 9",
        "DELETE FROM audit_record WHERE sequence = 9",
        "DELETE FROM audit_mention WHERE sequence = 9",
        HARM_TO_A_TILE,
    ],
)
def test_what_is_damaged_stays_as_evidence(kept: Log, statement: str) -> None:
    count = rows(kept.store, "audit_record")
    harm(kept.store, statement)
    with pytest.raises(AuditDamagedError):
        gone(kept)
    assert rows(kept.store, "audit_segment") == 0
    assert rows(kept.store, "audit_record") >= count - 3


def test_only_what_a_published_checkpoint_covers_goes(
    kept: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    latest = retention._published(kept.settings)
    monkeypatch.setattr(retention, "_published", lambda _: replace(latest, size=343))
    assert gone(kept, 10_000) == 4 + 40
    monkeypatch.undo()
    monkeypatch.setattr("authz.service.checkpoint_files.latest", lambda _: None)
    with pytest.raises(SettingError, match="No checkpoint"):
        gone(kept)


def test_nothing_of_the_future_goes(kept: Log) -> None:
    with pytest.raises(MalformedError, match="still to come"):
        gone(kept, older_than=clock_now() + timedelta(days=1))


def test_a_failure_in_the_middle_takes_nothing(kept: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    count = rows(kept.store, "audit_record")

    def fail(*_: object) -> None:
        raise RuntimeError("the power is gone")

    monkeypatch.setattr(writing_log, "append", fail)
    with pytest.raises(RuntimeError, match="power"):
        gone(kept)
    monkeypatch.undo()
    assert (rows(kept.store, "audit_record"), rows(kept.store, "audit_segment")) == (count, 0)
    assert found(kept) is None
    with pytest.raises(Exception, match="only added to"), kept.store.begin() as connection:
        connection.execute(text("DELETE FROM audit_record"))


KILLED = """
import os, signal, sys
from datetime import datetime
from pathlib import Path
from authz.audit import log, retire
from authz.service import retention
from authz.service.database import open_store
from tests.stores.checkpoint_log import settings

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def fail(after):
    def run(*given):
        global calls
        calls += 1
        if calls > after:
            if sys.argv[4].startswith("in"):
                remove(*given)
            die()
        remove(*given)
    return run

calls, remove = 0, retire.remove
retention.FIRST = retention.MOST = 30
if sys.argv[4] == "record":
    log.append = die
else:
    retire.remove = fail(int(sys.argv[4][-1]))
store, known = open_store(sys.argv[1]), settings(Path(sys.argv[2]))
retention.retire(store, known, older_than=datetime.fromisoformat(sys.argv[3]), by="owner")
"""


def killed(kept: Log, store_url: str, where: str) -> int:
    """How many records there are less, when the process was killed there."""
    count = rows(kept.store, "audit_record")
    command = [sys.executable, "-c", KILLED, store_url, str(kept.folder.parent)]
    command += [after(300).isoformat(), where]
    run = subprocess.run(command, cwd=ROOT, env={"PYTHONPATH": str(ROOT)}, check=False)
    assert run.returncode == -signal.SIGKILL
    return count - rows(kept.store, "audit_record")


@pytest.mark.parametrize(
    ("where", "less"), [("record", 0), ("before 0", -1), ("in 0", -1), ("in 3", 90 - 1)]
)
def test_kill_9_in_the_middle_takes_nothing_or_goes_on(
    kept: Log, store_url: str, where: str, less: int
) -> None:
    """A segment is retired whole or not at all; what is left of its records goes with the next."""
    assert killed(kept, store_url, where) == less
    assert rows(kept.store, "audit_segment") == (where != "record")
    assert verification.verify(kept.store, kept.settings).whole
    answered(kept)
    again = gone(kept, 300 if where == "record" else 0)
    assert again == (FIRST if where == "record" else 0)
    assert verification.verify(kept.store, kept.settings).whole
    old = "SELECT count(*) FROM audit_record WHERE chain = :one AND sequence <= 300"
    with kept.store.connect() as connection:
        assert connection.execute(text(old), {"one": ONE}).scalar() == 0
        assert retire.remaining(connection) == []


def answered(kept: Log) -> None:
    """Whoever records goes on: before what is left is removed, and while it is."""
    receipts = record(kept.store, entries(2, 9_000))
    assert len(receipts) == 2


@pytest.mark.parametrize(
    ("harm_to", "kind", "at"),
    [
        ("UPDATE audit_record SET reason = 'x' WHERE {}", "index", 100),
        ("UPDATE audit_record SET body = hash WHERE {}", "changed", 100),
        ("DELETE FROM audit_mention WHERE {}", "index", 100),
        ("DELETE FROM audit_record WHERE {}", "appended", 1),
    ],
)
def test_what_is_left_of_a_segment_is_verified_before_it_is_removed(
    kept: Log, store_url: str, harm_to: str, kind: str, at: int
) -> None:
    killed(kept, store_url, "in 3")
    count = rows(kept.store, "audit_record")
    harm(kept.store, harm_to.format("chain = :it AND sequence = 100"), it=ONE)
    assert found(kept) == (kind, at)
    if kind != "appended":
        with pytest.raises(AuditDamagedError):
            gone(kept, 0)
        assert rows(kept.store, "audit_record") == count


def test_parts_are_verified_while_a_segment_is_removed(kept: Log, store_url: str) -> None:
    copies = sorted(kept.folder.glob("*/*"))
    killed(kept, store_url, "in 3")
    for copy in copies:
        assert found(kept, since=copy) is None
    assert named(kept.store, chain=ONE, first=1) is None
    asked = "UPDATE audit_record SET sequence = 299 WHERE chain = :it AND sequence = 310"
    harm(kept.store, asked, it=ONE)
    assert found(kept) is not None


def test_a_removal_lasts_no_longer_than_others_can_wait(
    kept: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-51: the next transaction is as large as the one before says that it may be."""
    sizes: list[int] = []
    time = [0.0]
    remove = retire.remove

    def slow(connection: Connection, pieces: list[Piece]) -> None:
        remove(connection, pieces)
        sizes.append(sum(piece.length for piece in pieces))
        time[0] += retention.HELD / 25 * sizes[-1]

    monkeypatch.setattr(retire, "remove", slow)
    monkeypatch.setattr(clock, "monotonic", lambda: time[0])
    monkeypatch.setattr(Event, "wait", lambda *_: None)
    assert gone(kept) == FIRST
    assert sizes[0] == retention.FIRST
    assert set(sizes[1:-1]) <= {24, 25}
    assert sum(sizes) == FIRST
    assert found(kept) is None


def test_another_retirement_in_between_is_left_alone(
    kept: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two at once: the one that comes second plans anew."""
    planned, turns = retire.planned, iter([True])

    def slow(connection: Connection, order: retire.Order) -> retire.Planned | None:
        plan = planned(connection, order)
        if next(turns, False):
            assert gone(kept) == FIRST
        return plan

    monkeypatch.setattr(retire, "planned", slow)
    assert gone(kept) == 0
    assert rows(kept.store, "audit_segment") == 1
    assert found(kept) is None


def test_a_whole_bundle_begins_where_the_segments_end(kept: Log, tmp_path: Path) -> None:
    gone(kept)
    bundle = tmp_path / "all.zip"
    asked: dict[str, Any] = {}
    count = trail.export(kept.store, kept.settings, bundle, by="us", asked=asked)
    keys = audit_keys.verifiers(kept.settings)
    verdict = verify_bundle(bundle, keys=keys)
    assert verdict.whole
    assert (verdict.records, verdict.leaves) == (count, count + FIRST)
    command = [sys.executable, str(SCRIPT), str(bundle), keys[0].vkey, f"{ONE}-301"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stdout == "The record is in the signed log.\n"


def test_the_guards_are_back_after_it(kept: Log) -> None:
    gone(kept)
    with pytest.raises(Exception, match="only added to"), kept.store.begin() as connection:
        connection.execute(text("DELETE FROM audit_record"))
    with kept.store.begin() as connection:
        unguard(connection)
        assert verify(connection).whole
