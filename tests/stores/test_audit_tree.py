"""The tree over all chains, on both stores: one order, grown in bounded steps, provable."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from hashlib import sha256
from threading import Thread
from typing import Any

import pytest
from sqlalchemy import Engine, delete, event, func, insert, select, text, update

from authz.audit import merkle
from authz.audit import sequence as sequencing
from authz.audit.log import encode, record
from authz.audit.record import Entry
from authz.audit.sequence import sequence
from authz.audit.tables import (
    INDEX_COLUMNS,
    AuditBatch,
    AuditCheckpoint,
    AuditHead,
    AuditRecord,
    AuditTile,
)
from authz.audit.tree import consist, include, position, root, size
from authz.errors import AuditDamagedError, NotFoundError
from authz.service.checkpoints import sequence_all
from authz.service.database import reading, writing
from authz.vocabulary import Event
from tests.stores.test_audit_support import unguard

BEGAN = datetime(2026, 11, 22, 13, 15, tzinfo=UTC)


def add(store: Engine, chain: str, count: int) -> None:
    """Records as a shipped journal brings them; the tree does not look at their hashes."""
    encoded = encode(Entry(event=Event.DECISION, time=BEGAN))
    body = encoded.body
    index = dict(zip(INDEX_COLUMNS, encoded.found()[0], strict=True))
    with writing(store) as connection:
        where = AuditHead.chain == chain
        last = connection.execute(select(AuditHead.sequence).where(where)).scalar() or 0
        rows = [
            {"chain": chain, "sequence": n, "body": body, "hash": bytes(32), **index}
            for n in range(last + 1, last + count + 1)
        ]
        connection.execute(insert(AuditRecord), rows)
        values = {"chain": chain, "sequence": last + count, "hash": bytes(32)}
        if not connection.execute(update(AuditHead).where(where).values(values)).rowcount:
            connection.execute(insert(AuditHead), values)


def step(store: Engine, most: int = sequencing.MOST) -> int:
    with writing(store) as connection:
        return sequence(connection, most)


def batches(store: Engine) -> list[tuple[int, str, int, int]]:
    with reading(store) as connection:
        columns = (AuditBatch.position, AuditBatch.chain, AuditBatch.sequence, AuditBatch.count)
        rows = connection.execute(select(*columns).order_by("position"))
        return [(row[0], row[1], row[2], row[3]) for row in rows]


def entries(store: Engine) -> list[bytes]:
    """What the tree should have as leaves, from the batches and the records alone."""
    found: list[bytes] = []
    with reading(store) as connection:
        asked = select(AuditRecord.chain, AuditRecord.sequence, AuditRecord.body)
        bodies = {(chain, n): body for chain, n, body in connection.execute(asked)}
    for at, chain, first, count in batches(store):
        assert at == len(found), "batches follow each other without a gap"
        found += [
            b"%s %d\n%s" % (chain.encode(), n, bodies[chain, n])
            for n in range(first, first + count)
        ]
    return found


def frontier(leaves: list[bytes]) -> bytes:
    tree = merkle.Frontier()
    tree.extend(sha256(b"\x00" + leaf).digest() for leaf in leaves)
    return tree.root()


def whole(store: Engine) -> int:
    """Whether the stored tree is the one over the entries; how many there are."""
    leaves = entries(store)
    with reading(store) as connection:
        assert size(connection) == len(leaves)
        assert root(connection, len(leaves)) == frontier(leaves)
    return len(leaves)


@pytest.fixture
def three(store: Engine) -> Engine:
    """Records of three writers, of which one is `main`."""
    record(store, [Entry(event=Event.DECISION, time=BEGAN)] * 300)
    add(store, "20261122T131500Z-3f9a1c2e", 700)
    add(store, "20261122T131501Z-00000000", 2)
    return store


def test_a_tree_of_nothing(store: Engine) -> None:
    assert step(store) == 0
    with reading(store) as connection:
        assert (size(connection), root(connection, 0)) == (0, merkle.EMPTY)


def test_every_record_of_every_chain_gets_one_place(three: Engine) -> None:
    assert sequence_all(three) == 1002
    assert whole(three) == 1002
    assert step(three) == 0
    with reading(three) as connection:
        places = [
            position(connection, chain, n)
            for chain, count in (
                ("main", 300),
                ("20261122T131500Z-3f9a1c2e", 700),
                ("20261122T131501Z-00000000", 2),
            )
            for n in range(1, count + 1)
        ]
        assert sorted(place for place in places if place is not None) == list(range(1002))
        assert position(connection, "main", 301) is None
        assert position(connection, "main", 0) is None
        assert position(connection, "nobody", 1) is None


def test_steps_are_bounded_and_shared_by_the_chains(three: Engine) -> None:
    sizes = []
    while done := step(three, most=90):
        sizes.append(done)
        assert whole(three) == sum(sizes)
    assert max(sizes) == 90
    assert sum(sizes) == 1002
    first = {chain: count for _, chain, _, count in batches(three)[:3]}
    assert first == {
        "20261122T131501Z-00000000": 2,
        "main": 44,
        "20261122T131500Z-3f9a1c2e": 44,
    }


def test_the_order_given_stays(three: Engine) -> None:
    step(three, most=100)
    before = batches(three)
    add(three, "20261122T131501Z-00000000", 5)
    sequence_all(three)
    assert batches(three)[: len(before)] == before
    assert whole(three) == 1007


def test_a_step_that_fails_leaves_the_tree_as_it_was(three: Engine) -> None:
    step(three, most=300)
    before = whole(three)
    for table in ("audit_batch", "audit_tile"):

        def fail(*arguments: Any, table: str = table) -> None:
            if f"INTO {table}" in arguments[2]:
                raise ZeroDivisionError

        event.listen(three, "after_cursor_execute", fail)
        with pytest.raises(ZeroDivisionError):
            step(three)
        event.remove(three, "after_cursor_execute", fail)
        assert whole(three) == before
    sequence_all(three)
    assert whole(three) == 1002


def test_two_sequencers_at_once(three: Engine) -> None:
    done: list[int] = []

    def work() -> None:
        while count := step(three, most=50):
            done.append(count)

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(done) == 1002
    assert whole(three) == 1002


def test_writers_go_on_meanwhile(three: Engine) -> None:
    """Two write while one sequences: nothing is left out, and nothing comes twice."""

    def write(chain: str) -> None:
        for _ in range(15):
            if chain == "main":
                record(three, [Entry(event=Event.DECISION, time=BEGAN)] * 3)
            else:
                add(three, chain, 3)

    threads = [Thread(target=write, args=(chain,)) for chain in ("main", "another")]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        step(three, most=40)
    sequence_all(three)
    assert whole(three) == 1002 + 90


def test_a_missing_record_stops_its_chain_alone(
    three: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    with writing(three) as connection:
        unguard(connection)
        connection.execute(text("DELETE FROM audit_record WHERE chain = 'main' AND sequence = 40"))
    with caplog.at_level(logging.ERROR):
        assert sequence_all(three) == 1002 - 261
    assert "record 40 of chain main cannot be read" in caplog.text
    assert step(three) == 0
    assert whole(three) == 741


def test_a_record_that_is_no_bytes_stops_its_chain(sqlite_store: Engine) -> None:
    add(sqlite_store, "main", 5)
    with writing(sqlite_store) as connection:
        unguard(connection)
        connection.execute(text("UPDATE audit_record SET body = 'text' WHERE sequence = 3"))
    assert step(sqlite_store) == 2


def test_a_tree_that_lost_a_tile_is_not_gone_on_with(three: Engine) -> None:
    step(three, most=100)
    with writing(three) as connection:
        unguard(connection)
        connection.execute(delete(AuditTile))
    with pytest.raises(AuditDamagedError, match="tile 0 of level 0"):
        step(three)
    assert sum(count for *_, count in batches(three)) == 100


def test_a_proof_of_each_record(three: Engine) -> None:
    sequence_all(three)
    leaves = entries(three)
    with reading(three) as connection:
        for n in (1, 44, 255, 256, 257, 300):
            found = include(connection, "main", n, 1002)
            assert leaves[found.place] == found.entry
            leaf = sha256(b"\x00" + found.entry).digest()
            proof = (leaf, found.place, 1002, found.hashes)
            assert merkle.verify_inclusion(*proof, frontier(leaves))
        with pytest.raises(NotFoundError):
            include(connection, "main", 301, 1002)
        with pytest.raises(NotFoundError):
            include(connection, "main", 300, 3)


def test_a_proof_of_growth(three: Engine) -> None:
    sequence_all(three)
    leaves = entries(three)
    with reading(three) as connection:
        for first in (0, 1, 255, 256, 700, 1002):
            found = consist(connection, first, 1002)
            assert found.first_root == frontier(leaves[:first])
            sizes = (first, 1002, found.hashes)
            assert merkle.verify_consistency(*sizes, frontier(leaves[:first]), frontier(leaves))


def test_no_proof_of_a_record_that_is_another(three: Engine) -> None:
    sequence_all(three)
    with writing(three) as connection:
        unguard(connection)
        connection.execute(
            update(AuditRecord)
            .where(AuditRecord.chain == "main", AuditRecord.sequence == 7)
            .values(body=b"{}")
        )
    with reading(three) as connection, pytest.raises(AuditDamagedError, match="Record 7"):
        include(connection, "main", 7, 1002)


def test_no_proof_through_a_tile_that_was_changed(three: Engine) -> None:
    sequence_all(three)
    with writing(three) as connection:
        unguard(connection)
        connection.execute(
            update(AuditTile)
            .where(AuditTile.level == 0, AuditTile.number == 1)
            .values(hashes=bytes(8192))
        )
    with reading(three) as connection, pytest.raises(AuditDamagedError, match="do not fit"):
        consist(connection, 300, 1002)


def test_the_tables_are_as_small_as_they_should_be(three: Engine) -> None:
    sequence_all(three)
    with reading(three) as connection:
        tiles = connection.execute(select(func.count()).select_from(AuditTile)).scalar_one()
        assert tiles == 5
        assert not connection.execute(select(AuditCheckpoint.time)).all()
