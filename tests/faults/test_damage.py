"""Whatever is done to the stored trail of several writers, verification finds it and names it.

The table of docs/explanation/what-verify-finds.md is made of :data:`FAULTS`; a test holds it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, String, Table, cast, delete, func, insert, select, text, update
from sqlalchemy.exc import SQLAlchemyError

from authz.audit import pieces
from authz.audit.chain import Damage, Tip, digest, genesis
from authz.audit.log import record
from authz.audit.tables import INDEX_COLUMNS, Base
from authz.audit.trail import Source, verify
from tests.faults.damages import FAULTS, ONE, TWO, Fault, row
from tests.stores.test_audit_support import (
    VERIFIER,
    entries,
    harm,
    named,
    opened,
    sequence_all,
    signed,
    unguard,
    verdict,
    write_chain,
)

PAGE = Path(__file__).parents[2] / "docs/explanation/what-verify-finds.md"
on_the_same_trail = settings(
    max_examples=40,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@pytest.fixture
def trail(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Two writers and the main chain, two checkpoints, and some records after the last."""
    monkeypatch.setattr(pieces, "JOB", 100)
    engine = opened(store_url)
    record(engine, entries(3))
    write_chain(engine, ONE, 300)
    write_chain(engine, TWO, 40, close=True)
    sequence_all(engine)
    signed(engine)
    write_chain(engine, ONE, 300, 300)
    sequence_all(engine)
    signed(engine, number=1)
    record(engine, entries(4, 3))
    write_chain(engine, ONE, 5, 900)
    yield engine
    engine.dispose()


Rows = dict[str, list[dict[str, Any]]]


def _table(name: str) -> Table:
    return Base.metadata.tables[f"audit_{name}"]


def backup(engine: Engine) -> Rows:
    """All rows of the trail."""
    with engine.connect() as connection:
        return {
            name: [dict(row) for row in connection.execute(select(_table(name))).mappings()]
            for name in COVERED
        }


def restore(engine: Engine, rows: Rows) -> None:
    """Put an old backup in place of what is there."""
    with engine.connect().execution_options(authz_write=True) as connection, connection.begin():
        unguard(connection)
        for name in COVERED:
            table = _table(name)
            connection.execute(delete(table))
            connection.execute(insert(table), rows[name])


def published(engine: Engine) -> list[Source]:
    """Copies of the checkpoints, as somebody keeps them elsewhere."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT note FROM audit_checkpoint ORDER BY time")).all()
    return [Source(f"copy {number}", row[0]) for number, row in enumerate(rows, 1)]


def harmed(
    engine: Engine, *statements: str, copies: list[Source] | None = None, **values: Any
) -> Damage | None:
    """What verification says after some statements, of which nothing stays."""
    with engine.connect().execution_options(authz_write=True) as connection:
        unguard(connection)
        for statement in statements:
            connection.execute(text(statement), values)
        found = verify(connection, sources=copies or (), keys=[VERIFIER]).damage
        connection.rollback()
    return found


def test_an_untouched_trail_is_whole(trail: Engine) -> None:
    found = verdict(trail, keys=[VERIFIER], sources=published(trail))
    assert found.damage is None
    assert (found.leaves, found.checkpoints) == (646, 4)
    assert found.records == 655


@pytest.mark.parametrize(
    "fault", [each for each in FAULTS if not each.copies], ids=lambda fault: fault.done
)
def test_each_fault_is_found_and_named(trail: Engine, fault: Fault) -> None:
    found = harmed(trail, *fault.statements)
    assert found is not None
    assert found.kind == fault.kind, found
    assert named_place(found) == fault.where, found


def test_the_page_has_each_fault() -> None:
    page = PAGE.read_text("utf-8")
    table = [line for line in page.splitlines() if line.startswith("|")][2:]
    assert table == [row(fault) for fault in FAULTS]


def named_place(found: Damage) -> str:
    return f"{found.chain} {found.sequence}" if found.chain else ""


def test_an_old_backup_is_whole_and_found_by_a_later_checkpoint_alone(store_url: str) -> None:
    engine = opened(store_url)
    record(engine, entries(3))
    write_chain(engine, ONE, 300)
    sequence_all(engine)
    signed(engine)
    old = backup(engine)
    write_chain(engine, ONE, 300, 300)
    sequence_all(engine)
    signed(engine, number=1)
    copies = published(engine)
    restore(engine, old)
    assert named(engine, keys=[VERIFIER]) is None
    assert named(engine, keys=[VERIFIER], sources=copies[:1]) is None
    expected = next(fault for fault in FAULTS if fault.copies)
    assert named(engine, keys=[VERIFIER], sources=copies) == (expected.kind, 0)
    assert named(engine, keys=[VERIFIER], since=copies[1]) == ("tail_cut", 0)
    record(engine, entries(400, 100))
    sequence_all(engine)
    assert named(engine, keys=[VERIFIER], sources=copies) == ("rewritten", 5)
    assert named(engine, keys=[VERIFIER], since=copies[1]) == ("rewritten", 0)
    engine.dispose()


def test_a_history_written_anew_is_found_at_its_first_record(trail: Engine) -> None:
    """N-49: chains, heads, batches and tiles all fit; only what was signed does not."""
    copies = published(trail)
    with trail.connect().execution_options(authz_write=True) as connection, connection.begin():
        unguard(connection)
        rows = connection.execute(
            text("SELECT sequence, body FROM audit_record WHERE chain = :it ORDER BY sequence"),
            {"it": TWO},
        ).all()
        tip = genesis(TWO)
        for number, body in rows:
            forged = bytes(body).replace(b"teacher-3", b"teacher-4") if number == 11 else body
            tip = Tip(number, digest(tip.hash, number, forged))
            row = {"it": TWO, "number": number, "body": forged, "hash": tip.hash}
            connection.execute(text(REWRITE), {**row, "who": json.loads(forged)["subject"]["id"]})
        connection.execute(
            text("UPDATE audit_head SET hash = :hash WHERE chain = :it"),
            {"it": TWO, "hash": tip.hash},
        )
    found = harmed(trail, copies=copies)
    assert found is not None
    assert found.kind == "rewritten"
    assert named_place(found) == f"{TWO} 11"


REWRITE = (
    "UPDATE audit_record SET body = :body, hash = :hash, subject_id = :who "
    "WHERE chain = :it AND sequence = :number"
)


def test_a_checkpoint_of_another_log_is_told(trail: Engine) -> None:
    other = signed(trail, name="other.example/trail", number=9)
    copy = [Source("copy", other)]
    stored = "DELETE FROM audit_checkpoint WHERE note LIKE 'other%'"
    found = harmed(trail, stored, copies=copy)
    assert found is not None
    assert (found.kind, "other.example/trail" in found.text) == ("checkpoint", True)
    stranger = Ed25519PrivateKey.from_private_bytes(bytes(31) + b"\x01")
    forged = [Source("copy", signed(trail, key=stranger, number=10))]
    remove = "DELETE FROM audit_checkpoint WHERE time LIKE '%:40:%'"
    found = harmed(trail, stored, remove, copies=forged)
    assert found is not None
    assert found.kind == "signature"
    found = harmed(trail, stored, remove, copies=[Source("copy", "nonsense")])
    assert found is not None
    assert found.kind == "checkpoint"


def test_since_a_checkpoint_only_what_came_after_is_read(trail: Engine) -> None:
    first, second = published(trail)
    assert verdict(trail, keys=[VERIFIER], since=first).records == 309
    assert verdict(trail, keys=[VERIFIER], since=second).records == 9
    index = "UPDATE audit_record SET reason = 'x' WHERE chain = :it AND sequence = 400"
    harm(trail, index, it=ONE)
    assert named(trail, keys=[VERIFIER], since=first) == ("index", 400)
    assert named(trail, keys=[VERIFIER], since=second) is None
    write_chain(trail, "20260504T013000Z-00000003", 3)
    assert named(trail, keys=[VERIFIER], since=second) is None
    write_chain(trail, TWO, 1)
    assert named(trail, keys=[VERIFIER], since=second) is None
    assert named(trail, keys=[VERIFIER], since=Source("x", first.text[:-9])) == ("checkpoint", 0)


def test_a_closed_chain_has_no_more_and_no_fewer_records(trail: Engine) -> None:
    write_chain(trail, TWO, 1)
    assert named(trail) == ("appended", 41)


def test_a_closed_chain_that_never_reached_the_tree_may_not_vanish(trail: Engine) -> None:
    three = "20260504T013000Z-00000003"
    write_chain(trail, three, 3, close=True)
    assert named(trail) is None
    harm(trail, "DELETE FROM audit_head WHERE chain = :it", it=three)
    assert named(trail) == ("head", 3)
    harm(trail, "DELETE FROM audit_record WHERE chain = :it", it=three)
    found = verdict(trail).damage
    assert found is not None
    assert (found.kind, found.chain, found.sequence) == ("missing", three, 1)


def test_a_chain_that_was_opened_and_not_closed_may_not_vanish(trail: Engine) -> None:
    three = "20260504T013000Z-00000003"
    write_chain(trail, three, 3)
    harm(trail, "DELETE FROM audit_record WHERE chain = :it", it=three)
    assert named(trail) == ("tail_cut", 1)
    harm(trail, "DELETE FROM audit_head WHERE chain = :it", it=three)
    found = verdict(trail).damage
    assert found is not None
    assert (found.kind, found.chain, found.sequence) == ("missing", three, 1)


def test_a_range_of_a_chain_is_held_against_the_tree(trail: Engine) -> None:
    assert verdict(trail, chain=ONE, first=250, last=610).records == 356
    other = "(SELECT hashes FROM audit_tile WHERE level = 0 AND number = 0)"
    harm(trail, f"UPDATE audit_tile SET hashes = {other} WHERE level = 0 AND number = 1")  # noqa: S608
    assert named(trail, chain=ONE, first=1, last=200) is None
    assert named(trail, chain=ONE, first=200, last=250) == ("tile", 211)


COVERED = {
    "record": ("chain", "sequence", "body", "hash", *INDEX_COLUMNS),
    "mention": tuple(_table("mention").columns.keys()),
    "head": ("chain", "sequence", "hash"),
    "batch": ("position", "chain", "sequence", "count"),
    "tile": ("level", "number", "hashes"),
    "checkpoint": ("time", "size", "root", "note"),
}


@on_the_same_trail
@given(st.data())
def test_one_bit_flipped_anywhere_is_found(trail: Engine, data: st.DataObject) -> None:
    """Any bit of any column of any table of the trail, whatever it makes of the value."""
    name = data.draw(st.sampled_from(sorted(COVERED)))
    column = data.draw(st.sampled_from(COVERED[name]))
    table = _table(name)
    keys = list(table.primary_key.columns)
    with trail.connect().execution_options(authz_write=True) as connection:
        unguard(connection)
        count = connection.execute(select(func.count()).select_from(table)).scalar_one()
        at = data.draw(st.integers(0, count - 1))
        row = connection.execute(select(table).order_by(*keys).offset(at).limit(1)).mappings().one()
        value = flipped(row[column], data.draw(st.integers(0, 2**20)))
        new = cast(value, String) if isinstance(row[column], str) else value
        same = [key == row[key.name] for key in keys]
        try:
            with connection.begin_nested():
                connection.execute(update(table).where(*same).values({column: new}))
        except (SQLAlchemyError, UnicodeError):
            connection.rollback()
            return  # the database takes no such value
        found = verify(connection, keys=[VERIFIER]).damage
        connection.rollback()
    assert found is not None, (name, column, row[column], value)


def flipped(value: Any, bit: int) -> Any:
    """The value with one bit turned; of a text, the bytes that the database has of it."""
    if isinstance(value, int):
        return value ^ 1 << bit % 63
    octets = value.encode() if isinstance(value, str) else bytes(value)
    if not octets:
        return b"x"
    at, mask = divmod(bit % (len(octets) * 8), 8)
    return octets[:at] + bytes([octets[at] ^ 1 << mask]) + octets[at + 1 :]
