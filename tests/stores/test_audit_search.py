"""Searching the trail, on both stores: what each question asks for, newest first."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from authz.audit.log import record
from authz.audit.record import Ref
from authz.audit.trail import search
from authz.errors import MalformedError
from authz.vocabulary import Event
from tests.stores.test_audit_support import BEGAN, entries, entry, opened

COUNT = 12


@pytest.fixture
def trail(store_url: str) -> Iterator[Engine]:
    """Twelve records."""
    engine = opened(store_url)
    record(engine, entries(COUNT))
    yield engine
    engine.dispose()


def sequences(connection: Connection, **asked: Any) -> list[int]:
    return [found.sequence for found in search(connection, **asked).records]


def test_search_finds_what_each_question_asks_for_newest_first(trail: Engine) -> None:
    record(
        trail,
        [
            entry(100, application="gradebook", purpose="advice", request_id="R"),
            entry(101, rules=["teacher-read-more"], decision=True),
            entry(
                102,
                event=Event.FACT_CHANGED,
                decision=None,
                rules=[],
                resource=Ref("person", "S-9"),
            ),
        ],
    )
    with trail.connect() as connection:
        assert sequences(connection, person="student-1") == [13, 2]
        assert sequences(connection, person="S-9") == [15]
        assert sequences(connection, subject="teacher-2") == [13, 10, 3]
        assert sequences(connection, application="gradebook") == [13]
        assert sequences(connection, purpose="advice", request_id="R") == [13]
        assert sequences(connection, event="fact_changed") == [15]
        assert sequences(connection, rule="teacher-read-more") == [14]
        assert sequences(connection, rule="teacher-rea_") == []
        assert sequences(connection, rule="retention") == [10, 7, 4, 1]
        assert sequences(connection, decision=False) == [10, 7, 4, 1]
        assert sequences(connection, decision=True, person="student-1") == [13, 2]
        second = timedelta(seconds=1)
        assert sequences(connection, since=BEGAN + second, until=BEGAN + 3 * second) == [3, 2]


def test_pages_give_each_record_once_though_new_ones_arrive(trail: Engine) -> None:
    moment = entry(50).time
    record(trail, [entry(50 + number, time=moment) for number in range(8)])
    seen: list[int] = []
    after, first = "", True
    with trail.connect() as connection:
        while first or after:
            page = search(connection, limit=3, after=after)
            seen += [found.sequence for found in page.records]
            after = page.after
            if first:
                connection.rollback()
                record(trail, [entry(999)])
                first = False
        assert seen == list(range(COUNT + 8, 0, -1))
        for after in ("nonsense", f"t/c/{2**63}", "t/c/-1", "\0/c/1"):
            with pytest.raises(MalformedError):
                search(connection, after=after)
