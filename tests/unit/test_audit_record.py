"""The record's bytes: one spelling, nothing in it that is a person's, anything indexable."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.audit.record import (
    CONTEXT,
    MASK,
    MASKED,
    PROPERTIES,
    Entry,
    Ref,
    canonical,
    document,
    index,
    indexed,
    kept_context,
    masked,
    spelt,
)
from authz.audit.saying import said, together
from authz.audit.tables import INDEX_COLUMNS
from authz.vocabulary import Event
from tests.stores.test_audit_support import BEGAN, entry

SCALARS = st.none() | st.booleans() | st.integers() | st.text(st.characters())
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
ANY_TEXT = st.text(st.characters(exclude_categories=()))


def test_the_bytes_of_a_decision_never_change() -> None:
    made = canonical(document(entry(1, properties={}, obligations=[], rules=["r-1"])))
    assert made == (
        b'{"action":"read","application":"portal","decision":true,"directory_revision":42,'
        b'"event":"decision","policy":"sha256:0f3a","purpose":"service","request_id":"req-1",'
        b'"resource":{"id":"student-1","type":"assessment_result"},"rules":["r-1"],'
        b'"subject":{"id":"teacher-1","type":"user"},"time":"2026-05-04T01:30:01.000000Z","v":1}'
    )


@given(st.dictionaries(ANY_TEXT, VALUES | ANY_TEXT))
def test_bytes_read_back_are_the_same_bytes(members: dict[str, object]) -> None:
    once = canonical(members)
    assert json.loads(once) == members
    assert canonical(json.loads(once)) == once


def test_members_without_content_are_absent_but_a_refusal_and_a_zero_are_content() -> None:
    members = document(
        Entry(event=Event.DECISION, time=BEGAN, decision=False, directory_revision=0)
    )
    assert members == {
        "v": 1,
        "event": "decision",
        "time": "2026-05-04T01:30:00.000000Z",
        "decision": False,
        "directory_revision": 0,
    }


def test_times_of_any_zone_have_one_spelling_and_a_time_without_zone_none() -> None:
    there = BEGAN.astimezone(timezone(timedelta(hours=7)))
    assert document(entry(time=there))["time"] == document(entry(time=BEGAN))["time"]
    with pytest.raises(ValueError, match="without a zone"):
        document(entry(time=BEGAN.replace(tzinfo=None)))


@given(st.datetimes(timezones=st.just(UTC)), st.datetimes(timezones=st.just(UTC)))
def test_times_sort_as_text(one: datetime, other: datetime) -> None:
    first, second = (document(entry(time=each))["time"] for each in (one, other))
    assert (first < second) == (one < other)


def test_only_ids_and_field_names_of_the_question_are_kept() -> None:
    members = document(
        entry(
            properties={
                "class": "C-1",
                "record": {"score": 3},
                "fields": ["score"],
                "ownerID": "rick@example.org",
            },
            context={
                "ticket": "T-1",
                "mfa": True,
                "justification": "a fire at the school",
                "ip": "10.0.0.1",
                "token": "eyJ",
                "case": ["not", "an", "id"],
            },
        )
    )
    assert members["properties"] == {"class": "C-1", "fields": ["score"]}
    assert members["context"] == {"ticket": "T-1", "mfa": True, "justified": True}


def test_a_justification_of_white_space_is_none() -> None:
    assert kept_context({"justification": " \t"}) == {}


@given(st.sampled_from(sorted(MASKED)), st.text(min_size=8, alphabet="xyz"))
def test_a_value_never_enters_a_change_record(name: str, secret: str) -> None:
    detail = {"before": {name: secret}, "after": [{"deep": {name: [secret], "id": "kept"}}]}
    text = canonical(document(entry(detail=detail))).decode()
    assert secret not in text
    assert f'"{name}"' in text
    assert MASK in text
    assert "kept" in text


def test_of_an_object_under_a_masked_name_the_names_are_kept() -> None:
    assert masked({"properties": {"roles": ["editor"], "email": "a@b"}}) == {
        "properties": ["email", "roles"]
    }


def test_a_change_carries_dates_and_sets_as_json() -> None:
    detail = {"before": None, "after": {"from": date(2026, 5, 1), "at": BEGAN, "of": {"b", "a"}}}
    assert document(entry(detail=detail))["detail"] == {
        "before": None,
        "after": {"from": "2026-05-01", "at": "2026-05-04T01:30:00.000000Z", "of": ["a", "b"]},
    }


def test_the_index_has_the_columns_of_the_table_in_their_order() -> None:
    assert tuple(index(document(entry()))) == INDEX_COLUMNS


STRANGE = st.tuples(
    st.sampled_from(
        ["application", "request_id", "action", "purpose", "reason", "rules", "policy", "detail"]
    ),
    ANY_TEXT | st.text("ab:|", min_size=150, max_size=250) | st.just("sha256:" + "0" * 64),
)


@given(st.lists(STRANGE, min_size=1, max_size=4))
def test_what_verification_derives_is_the_index(strange: list[tuple[str, str]]) -> None:
    made = [document(entry(number)) for number in range(1, 7)]
    for number, (name, value) in enumerate(strange):
        form = {"rules": [value], "detail": {"search": "subject", "listed": [value]}}
        made[number][name] = form.get(name, value)
    bodies = [canonical(each) for each in made]
    told, one_by_one = together(1, bodies), [said(n, body) for n, body in enumerate(bodies, 1)]
    assert told is not None
    assert [*zip(*told.columns[1:], strict=True)] == [tuple(index(each).values()) for each in made]
    assert told.columns[0] == [*range(1, 7)]
    assert [*zip(*told.mentions, strict=True)] == [
        row for each in one_by_one if each for row in each.mentions
    ]
    assert told.events == ["decision"] * 6


def test_rules_without_a_name_have_no_column() -> None:
    bodies = [canonical(document(entry(1)) | {"rules": rules}) for rules in ([""], ["", ""], [])]
    told = together(1, bodies)
    assert told is not None
    rows = [*zip(*told.columns[1:], strict=True)]
    assert rows == [said(1, body).columns for body in bodies]  # type: ignore[union-attr]


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"v":1}', b'{"event":"e","time":"t","v":2}'])
def test_one_that_is_no_record_is_told_among_many(body: bytes) -> None:
    good = canonical(document(entry(1)))
    assert together(1, [good, body, good]) is None
    assert said(2, body) is None


@given(ANY_TEXT, ANY_TEXT)
def test_what_is_indexed_fits_any_store_and_tells_texts_apart(one: str, other: str) -> None:
    made = indexed(one)
    assert len(made) <= 200
    assert "\x00" not in made
    made.encode()
    assert indexed(made) == made or made.startswith("sha256:")
    assert (made == indexed(other)) == (one == other)


def test_a_forged_hash_shares_no_entry_with_the_text_it_is_the_hash_of() -> None:
    long = "x" * 1000
    assert indexed(indexed(long)) != indexed(long)


REFS = st.none() | st.builds(Ref, type=ANY_TEXT, id=ANY_TEXT)
TEXTS = st.lists(ANY_TEXT, max_size=3)
OBLIGATIONS = st.lists(
    st.fixed_dictionaries({"id": ANY_TEXT, "value": TEXTS | st.booleans() | VALUES}), max_size=3
)
ENTRIES = st.builds(
    Entry,
    event=st.sampled_from([Event.DECISION, Event.DECISION, Event.WHAT_IF]),
    time=st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=7))])),
    application=ANY_TEXT,
    request_id=ANY_TEXT,
    subject=REFS,
    action=ANY_TEXT,
    resource=REFS,
    properties=st.dictionaries(st.sampled_from([*PROPERTIES, "score"]), ANY_TEXT | TEXTS | VALUES),
    context=st.dictionaries(
        st.sampled_from([*CONTEXT, "justification", "ip"]), ANY_TEXT | st.booleans() | VALUES
    ),
    purpose=ANY_TEXT,
    decision=st.none() | st.booleans(),
    rules=TEXTS | TEXTS.map(tuple),
    reason=ANY_TEXT,
    obligations=OBLIGATIONS | OBLIGATIONS.map(tuple),
    policy=ANY_TEXT,
    directory_revision=st.none() | st.integers(0),
    detail=st.just({}) | st.dictionaries(ANY_TEXT, VALUES, max_size=2),
    what_if_at=st.none() | st.just(BEGAN),
    token_id=ANY_TEXT,
)


@given(ENTRIES)
def test_the_short_way_to_the_bytes_gives_the_same_bytes(one: Entry) -> None:
    """Lone surrogates, control characters, absent members and all."""
    made = spelt(one)
    assert made == canonical(document(one))
    assert index(json.loads(made)) == index(document(one))
