"""The pure parts of rights with an end and of requests: who may answer what, and when."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.errors import ConflictError, MalformedError
from authz.privacy import requests
from authz.privacy.requests import Request
from authz.review import rights
from authz.review.rights import Asked, Kind, State, Vote

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ASKED = Asked("R", Kind.ROLE, "ann", "mentor", None, "leave", NOW, 2, until=NOW + timedelta(9))
ELEVATION = replace(ASKED, kind=Kind.ELEVATION, role="", organisation="S1", hours=4, until=None)


@given(st.lists(st.tuples(st.sampled_from(["ann", "bob", "cat", "dan"]), st.booleans())))
def test_a_right_is_given_by_as_many_others_as_it_needs_and_by_nobody_twice(
    answers: list[tuple[str, bool]],
) -> None:
    """N-44: N of M, never one's own, and one refusal ends it."""
    asked = ASKED
    for person, approves in answers:
        try:
            asked = rights.answer(asked, Vote(person, approves), NOW)
        except ConflictError:
            continue
    voters = [vote.person for vote in asked.votes]
    assert "ann" not in voters
    assert len(voters) == len(set(voters))
    approvals = sum(vote.approves for vote in asked.votes)
    refused = any(not vote.approves for vote in asked.votes)
    assert (asked.state is State.APPROVED) == (approvals == 2 and not refused)
    assert (asked.state is State.REFUSED) == refused


@pytest.mark.parametrize(
    "wrong",
    [
        {"reason": "  "},
        {"until": NOW},
        {"until": NOW + timedelta(days=367)},
        {"until": None},
        {"kind": Kind.ELEVATION, "organisation": None, "hours": 4},
        {"kind": Kind.ELEVATION, "organisation": "S1", "hours": 25},
        {"kind": Kind.ELEVATION, "organisation": "S1", "hours": None},
        {"needed": 0},
    ],
)
def test_a_request_without_reason_or_end_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        rights.ask(replace(ASKED, **wrong))


def test_an_elevation_begins_when_it_is_approved_and_is_extended_from_its_begin() -> None:
    assert ELEVATION.ends(NOW) == NOW + timedelta(hours=4)
    begun = NOW - timedelta(hours=3)
    assert replace(ELEVATION, begun=begun, hours=24).ends(NOW) == begun + timedelta(hours=24)


def test_nothing_comes_of_a_request_past_its_end() -> None:
    with pytest.raises(ConflictError):
        rights.answer(ASKED, Vote("bob", approves=True), NOW + timedelta(10))


@pytest.mark.parametrize("state", [State.APPROVED, State.REFUSED, State.WITHDRAWN])
def test_what_is_decided_is_not_decided_again(state: State) -> None:
    done = replace(ASKED, state=state)
    with pytest.raises(ConflictError):
        rights.answer(done, Vote("bob", approves=True), NOW)
    with pytest.raises(ConflictError):
        rights.withdraw(done, "ann")


def test_nobody_takes_back_what_another_asked_for() -> None:
    with pytest.raises(ConflictError):
        rights.withdraw(ASKED, "bob")


WISH = Request("RR", "ann", requests.Kind.ERASURE, "please")


def answered(asked: Request, *, granted: bool = True) -> Request:
    return requests.answered(asked, granted=granted, answer="done", by="dpo", at=NOW)


@pytest.mark.parametrize(
    ("kind", "details", "fact"),
    [
        ("objection", {"purpose": "improvement"}, "objection"),
        ("erasure", {}, "erasure"),
        ("restriction", {}, "restriction"),
        ("rectification", {"family_name": "B"}, "person"),
        ("rectification", {}, None),
        ("access", {}, None),
        ("portability", {}, None),
    ],
)
def test_what_is_granted_puts_its_fact_on_file(
    kind: str, details: dict[str, str], fact: str | None
) -> None:
    """N-30 to N-35."""
    asked = replace(WISH, kind=requests.Kind(kind), details=details)
    found = requests.fact(answered(asked), NOW)
    assert (found and found["fact"]) == fact
    assert requests.fact(answered(asked, granted=False), NOW) is None
    assert requests.fact(asked, NOW) is None


def test_a_request_is_answered_once_by_another_and_closed_afterwards() -> None:
    """N-37."""
    with pytest.raises(ConflictError):
        requests.closed(WISH)
    with pytest.raises(ConflictError):
        requests.answered(WISH, granted=True, answer="x", by="ann", at=NOW)
    with pytest.raises(MalformedError):
        requests.answered(WISH, granted=True, answer=" ", by="dpo", at=NOW)
    done = answered(WISH)
    with pytest.raises(ConflictError):
        answered(done)
    closed = requests.closed(done)
    with pytest.raises(ConflictError):
        requests.closed(closed)


@pytest.mark.parametrize("kind", ["objection", "withdrawal"])
def test_an_objection_names_its_purpose(kind: str) -> None:
    with pytest.raises(MalformedError):
        requests.opened(replace(WISH, kind=requests.Kind(kind)))
