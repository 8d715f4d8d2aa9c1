"""A verification shared among processes, on both stores, says what one process says."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import pytest
from sqlalchemy import Engine

from authz.audit import pieces
from authz.audit.log import record
from authz.audit.trail import Verdict, verify
from authz.service import sharing
from authz.service.database import reading
from tests.stores.test_audit_support import (
    VERIFIER,
    entries,
    harm,
    opened,
    sequence_all,
    signed,
    write_chain,
)

CHAIN = "20260504T013000Z-00000001"


def told(engine: Engine, processes: int) -> Verdict:
    with reading(engine) as connection, sharing.shared(engine, connection, processes) as run:
        return verify(connection, keys=[VERIFIER], run=run)


def test_several_processes_say_what_one_says(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[ProcessPoolExecutor] = []
    pool = sharing._pool

    def counted(store: Engine, processes: int) -> ProcessPoolExecutor:
        made.append(pool(store, processes))
        return made[-1]

    monkeypatch.setattr(sharing, "_pool", counted)
    monkeypatch.setattr(sharing, "ALONE", 1)
    monkeypatch.setattr(pieces, "JOB", 25)
    engine = opened(store_url)
    record(engine, entries(100))
    write_chain(engine, CHAIN, 300)
    sequence_all(engine)
    signed(engine)
    record(engine, entries(60, 500))
    one = told(engine, 1)
    assert (one.whole, one.records, one.checkpoints) == (True, 461, 1)
    assert not made
    assert told(engine, 2) == one
    assert len(made) == 1
    harm(
        engine, "UPDATE audit_record SET body = hash WHERE chain = :it AND sequence = 200", it=CHAIN
    )
    harm(engine, "UPDATE audit_record SET body = hash WHERE chain = 'main' AND sequence = 150")
    found = told(engine, 2)
    assert found == told(engine, 1)
    assert found.damage is not None
    assert (found.damage.kind, found.damage.sequence) == ("changed", 200)
    engine.dispose()
