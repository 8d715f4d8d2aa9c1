"""Many records are verified at once, on both stores, and nothing passes that should not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Never

import pytest
from sqlalchemy import Engine

from authz.audit import spans
from authz.audit.bulk import agrees
from authz.audit.log import record
from authz.audit.record import Ref
from authz.vocabulary import Event
from tests.stores.test_audit_support import entries, entry, harm, named, opened, verdict

STRANGE = [
    entry(50, application="พอร์ทัล", rules=["ข", "ก", "b", "B", "ä", "z"], purpose=""),
    entry(51, subject=Ref("user", 'a"b\\c\x01\x1f\t'), resource=Ref("contact", "x" * 300)),
    entry(52, request_id="sha256:" + "0" * 64, resource=None, subject=None, rules=[]),
    entry(53, event=Event.SEARCH, detail={"search": "subject", "listed": ["B", "b", "ก", "_"]}),
]


@pytest.fixture
def trail(store_url: str) -> Iterator[Engine]:
    engine = opened(store_url)
    record(engine, entries(9))
    yield engine
    engine.dispose()


def test_whole_records_are_never_read_one_by_one(
    trail: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> Never:
        pytest.fail("It took the slow way.")

    plain = [each for each in STRANGE if each.subject is None or "\x01" not in each.subject.id]
    record(trail, plain)
    monkeypatch.setattr(spans, "read_rows", never)
    assert verdict(trail).records == 9 + len(plain)
    assert verdict(trail, first=3, last=11).whole


def test_strange_texts_are_whole(trail: Engine) -> None:
    record(trail, STRANGE)
    assert (verdict(trail).whole, verdict(trail).records) == (True, 13)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("application", "'portal' || char(0)"),
        ("application", "'portal' || char(0) || 'x'"),
        ("application", "CAST('portal' AS BLOB)"),
        ("application", "CAST(X'ff' AS TEXT)"),
        ("application", "X'ff'"),
        ("request_id", "4"),
        ("reason", "'custody'"),
    ],
)
def test_what_sqlite_can_hold_instead_is_found(sqlite_url: str, column: str, value: str) -> None:
    engine = opened(sqlite_url)
    record(engine, entries(9))
    harm(engine, f"UPDATE audit_record SET {column} = {value} WHERE sequence = 5")  # noqa: S608
    assert named(engine) == ("index", 5)
    engine.dispose()


@pytest.mark.parametrize("between", ["\x01", "\x02", "\\", '","'])
def test_a_text_cannot_move_from_a_column_to_the_next(trail: Engine, between: str) -> None:
    moved = "UPDATE audit_record SET application = :all, request_id = '' WHERE sequence = 4"
    harm(trail, moved, all=f"portal{between}req-3")
    assert named(trail) == ("index", 4)


@pytest.mark.parametrize("between", ["\x01", "\x02"])
def test_two_lists_of_rows_are_never_spelt_alike(trail: Engine, between: str) -> None:
    record(trail, [entry(9, application=f"a{between}b", request_id="c")])
    place = ("main", 10, 10)
    with trail.connect() as connection:
        found: Any = connection.exec_driver_sql(
            "SELECT sequence, time, event, application, request_id, subject_type, subject_id, "
            "action, resource_type, resource_id, purpose, decision, reason, rules "
            "FROM audit_record WHERE sequence = 10"
        ).all()
        rows = [tuple(row) for row in found]
        one = [(*rows[0][:3], "a", f"b{between}c", *rows[0][5:])]
        nobody: list[list[Any]] = [[]] * 5
        assert not agrees(connection, place, [[text] for text in one[0]], nobody)
        assert not agrees(connection, place, [[]] * len(one[0]), nobody)
