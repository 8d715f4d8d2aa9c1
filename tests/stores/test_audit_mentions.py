"""Search by whom and what a record mentions, windows of a search, and the index's own check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event

from authz.audit import search as searching
from authz.audit.log import record
from authz.audit.record import Ref
from authz.audit.search import search
from authz.vocabulary import Event
from tests.stores.test_audit_support import entries, entry, harm, named, opened, verdict

LISTED = entry(
    200,
    event=Event.SEARCH,
    decision=None,
    rules=[],
    resource=Ref("identity", ""),
    detail={"search": "resource", "listed": ["S-1", "S-2"], "more": False},
)
ORDER = entry(
    201,
    event=Event.FACT_CHANGED,
    decision=None,
    rules=[],
    resource=Ref("order", "O-1"),
    detail={"fact": "order", "before": {}, "after": {"id": "O-1", "persons": ["S-1", "S-3"]}},
)
ACTIONS = entry(
    202, event=Event.SEARCH, decision=None, detail={"search": "action", "listed": ["read"]}
)


@pytest.fixture
def trail(store_url: str) -> Iterator[Engine]:
    engine = opened(store_url)
    record(engine, [*entries(12), LISTED, ORDER, ACTIONS])
    yield engine
    engine.dispose()


def found(engine: Engine, **asked: Any) -> list[int]:
    """The numbers of all that fits, over all pages."""
    numbers: list[int] = []
    after, begun = "", False
    with engine.connect() as connection:
        while after or not begun:
            page = search(connection, after=after, **asked)
            numbers += [each.sequence for each in page.records]
            after, begun = page.after, True
    return numbers


def test_a_person_is_found_as_one_whom_a_search_listed_or_a_fact_names(trail: Engine) -> None:
    """N-49: who was listed, and who was named by a change, is found by person."""
    assert found(trail, person="S-1") == [14, 13]
    assert found(trail, person="S-2") == [13]
    assert found(trail, person="S-3") == [14]
    assert found(trail, person="read") == []
    assert found(trail, person="S-1", event="search") == [13]


@pytest.mark.parametrize("window", [1, 2, 5, 5000])
def test_windows_of_any_size_find_the_same(
    trail: Engine, monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    """A page may be short; all pages together hold each record that fits, once."""
    monkeypatch.setattr(searching, "WINDOW", window)
    for limit in (1, 3, 100):
        both = found(trail, subject="teacher-2", rule="teacher-read", limit=limit)
        assert both == [3]
        assert found(trail, person="student-1", decision=True, limit=limit) == [2]
        assert found(trail, rule="custody", purpose="service", limit=limit) == [10, 7, 4, 1]
        assert found(trail, decision=False, application="nobody", limit=limit) == []


def test_a_mention_that_is_removed_or_added_by_hand_is_found(trail: Engine) -> None:
    """N-49: an index that would hide a record from its person does not go unseen."""
    assert named(trail) is None
    stray = "INSERT INTO audit_mention (chain, sequence, what, name, time, how) VALUES "
    harm(trail, f"{stray} ('main', 99, 'person', 'S-9', '', 'about')")
    assert named(trail) == ("index", 99)
    harm(trail, f"{stray} ('main', 15, 'person', 'S-9', '', 'about')")
    assert named(trail) == ("index", 15)
    harm(trail, "DELETE FROM audit_mention WHERE sequence = 13 AND name = 'S-2'")
    assert named(trail) == ("index", 13)
    assert named(trail, first=14, last=14) is None
    harm(trail, "UPDATE audit_mention SET how = 'about' WHERE sequence = 4")
    assert named(trail) == ("index", 4)
    damage = verdict(trail, first=2, last=7).damage
    assert damage is not None
    assert damage.text == "mentions of record 4 are not what the record says"


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        ({"decision": False}, "ix_audit_record_refused_time"),
        ({"decision": False, "application": "portal"}, "ix_audit_record_refused_application"),
        ({"decision": False, "subject": "T"}, "ix_audit_record_refused_subject"),
        ({"event": "search"}, "ix_audit_record_event_time"),
        ({"person": "S-1"}, "ix_audit_mention_name"),
        ({"rule": "custody", "purpose": "service"}, "ix_audit_mention_name"),
        ({"subject": "T"}, "ix_audit_record_subject_id_time"),
    ],
)
def test_sqlite_takes_the_index_that_was_made_for_the_question(
    sqlite_store: Engine, asked: dict[str, Any], index: str
) -> None:
    """N-49: a partial index is known by its words alone; a parameter would hide it."""
    seen: list[tuple[str, Any]] = []

    def note(_c: Any, _k: Any, statement: str, parameters: Any, *_rest: Any) -> None:
        seen.append((statement, parameters))

    with sqlite_store.connect() as connection:
        event.listen(connection, "before_cursor_execute", note)
        search(connection, **asked)
        event.remove(connection, "before_cursor_execute", note)
        statement, parameters = seen[0]
        plan = connection.exec_driver_sql("EXPLAIN QUERY PLAN " + statement, parameters).all()
    assert any(index in str(row[-1]) for row in plan), plan
