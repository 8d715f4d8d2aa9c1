"""What is read of a trail that is long is bounded (N-49)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine

from authz.audit import log
from authz.audit import search as searching
from authz.audit.record import Entry, Ref
from authz.service import trail
from authz.vocabulary import Event

MONDAY = datetime(2026, 11, 2, 2, tzinfo=UTC)


@pytest.fixture
def long(store: Engine) -> Engine:
    """Twelve decisions, a minute apart; only the first is about the one person."""
    entries = [
        Entry(
            event=Event.DECISION,
            time=MONDAY + timedelta(minutes=number),
            application="portal",
            subject=Ref("user", "T-1"),
            resource=Ref("identity", f"S-{number}"),
            purpose="service" if number else "rare",
            decision=True,
        )
        for number in range(12)
    ]
    log.record(store, entries)
    return store


def test_an_operators_search_ends_and_says_where_to_go_on(
    long: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What fits is far back: no search goes through more than so many windows."""
    monkeypatch.setattr(searching, "WINDOW", 2)
    monkeypatch.setattr(trail, "WINDOWS", 3)
    asked: dict[str, Any] = {"by": "op", "subject": "T-1", "purpose": "rare"}
    first = trail.search(long, **asked)
    assert (first.records, bool(first.after)) == ([], True)
    second = trail.search(long, **asked, after=first.after)
    assert [found.record["resource"]["id"] for found in second.records] == ["S-0"]


def test_requests_are_read_as_they_are_taken(long: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Oldest first; the first is told before the last is read."""
    monkeypatch.setattr(searching, "MOST", 2)
    read: list[int] = []
    made = searching._found

    def counted(rows: Sequence[Any]) -> list[searching.Found]:
        read.append(len(rows))
        return made(rows)

    monkeypatch.setattr(searching, "_found", counted)
    requests = trail.requests_since(long, MONDAY + timedelta(minutes=1))
    assert next(requests)["resource"]["id"] == "S-1"
    assert sum(read) == 2
    assert [each["resource"]["id"] for each in requests] == [f"S-{n}" for n in range(2, 12)]
    assert max(read) == 2


@pytest.mark.parametrize(("most", "first"), [(1, 11), (5, 7), (12, 0), (100, 0)])
def test_the_newest_so_many_are_told_oldest_first(long: Engine, most: int, first: int) -> None:
    requests = trail.requests_since(long, MONDAY, most)
    assert [each["resource"]["id"] for each in requests] == [f"S-{n}" for n in range(first, 12)]
