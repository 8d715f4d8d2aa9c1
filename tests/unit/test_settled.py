"""What is settled for all moments is what the relations say at any of them (2.4, 3.5)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from authz.decision.request import Action, Entity, Question, Request
from authz.directory.facts import (
    UNREAD,
    Account,
    Assignment,
    Consented,
    Elevated,
    Enrolled,
    Facts,
    Goods,
    HeldRole,
    Link,
    Member,
    Objected,
    OrderTerms,
    Place,
    Span,
    Terms,
)
from authz.directory.relations import Situation
from authz.directory.tested import BETWEEN, STANDS_ON, TESTS, settled
from authz.vocabulary import Relation
from tests.world import BANGKOK, NOW, policy

MOMENTS = [NOW + timedelta(days=days) for days in (-4000, -40, 0, 40, 4000)]
PURPOSES = [None, "service", "advice", "improvement"]
EDGE = st.none() | st.sampled_from([moment.astimezone(UTC) for moment in MOMENTS])
SPANS = st.builds(Span, EDGE, EDGE)
STATUS = st.sampled_from(["active", "suspended", "deregistered"])
BORN = st.none() | st.just(date(2012, 5, 5))


def account(name: str) -> st.SearchStrategy[Account | None]:
    return st.none() | st.builds(Account, st.just(name), STATUS, BORN)


def few(kind: type, *members: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(st.builds(kind, *members), max_size=2).map(tuple)


ROLES = st.sampled_from(["school_admin", "mentor", "dpo"])
CLASSES = few(
    Enrolled,
    st.sampled_from(["C", "D"]),
    st.sampled_from(["teacher", "aide", "student"]),
    SPANS,
)
FACTS = st.builds(
    Facts,
    subject=account("mum"),
    person=account("kid"),
    recipients=st.frozensets(st.sampled_from(["processor", "authority"])),
    grants=few(HeldRole, ROLES, st.just("S"), SPANS),
    person_grants=few(HeldRole, ROLES, st.none(), SPANS),
    memberships=few(Member, st.just("S"), st.just(frozenset({"S"})), SPANS),
    subject_enrolments=CLASSES,
    person_enrolments=CLASSES,
    links=few(Link, st.just("parent"), st.booleans(), SPANS),
    custody=st.lists(SPANS, max_size=1).map(tuple),
    contracts=few(
        Terms,
        st.just(frozenset({"service"})),
        st.just({"identity": ()}),
        st.just(frozenset({"read"})),
        st.none(),
        st.just("domestic"),
        st.just("TH"),
        st.just(value=False),
        SPANS,
    ),
    order=st.none() | st.builds(OrderTerms, st.just(frozenset({"identity"})), SPANS),
    ticket=st.none() | st.builds(Assignment, st.just("ticket"), SPANS),
    case=st.none() | st.builds(Assignment, st.just("rights_request"), SPANS),
    goods=few(Goods, st.just("G"), st.just("mum"), EDGE, SPANS),
    mentoring=st.lists(SPANS, max_size=1).map(tuple),
    elevations=few(Elevated, st.just("E"), st.just("S"), st.booleans(), SPANS),
    consents=few(Consented, st.sampled_from(["improvement", "advice"]), SPANS),
    objections=few(Objected, st.sampled_from(["improvement", "advice"]), SPANS),
    restrictions=st.lists(SPANS, max_size=1).map(tuple),
)
ASKED = st.builds(
    lambda kind, who: Question(
        Request(Entity(kind, who), Action("read"), Entity("identity", "kid"))
    ),
    st.sampled_from(["user", "service"]),
    st.sampled_from(["mum", "kid"]),
)


def situation(asked: Question, facts: Facts, now: datetime) -> Situation:
    return Situation(asked, facts, now, Place(BANGKOK), policy().catalogue)


@given(FACTS, ASKED)
def test_no_moment_and_no_purpose_changes_what_is_settled(facts: Facts, asked: Question) -> None:
    found = settled(situation(asked, facts, NOW))
    for now in MOMENTS:
        at = situation(asked, facts, now)
        for purpose in PURPOSES:
            told = {name: TESTS[Relation(name)](at, purpose) for name in found}
            assert told == found


@given(FACTS, ASKED)
def test_with_and_without_it_each_relation_is_the_same(facts: Facts, asked: Question) -> None:
    """Facts that were asked before, at another moment and of the other kind of subject."""
    for now in MOMENTS:
        view = situation(asked, facts, now).relations("advice")
        fresh = situation(asked, facts, now)
        told = {relation: getattr(view, relation) for relation in Relation}
        assert told == {relation: test(fresh, "advice") for relation, test in TESTS.items()}


def test_what_was_not_read_is_not_settled() -> None:
    asked = Question(Request(Entity("user", "mum"), Action("read"), Entity("identity", "kid")))
    unread = Facts(
        subject=Account("mum"),
        person=Account("kid"),
        **dict.fromkeys(set(STANDS_ON.values()), UNREAD),
    )
    found = settled(situation(asked, unread, NOW))
    assert set(found) == {"self", "subject_active", "person_known"}


def test_only_those_between_two_people_are_none_to_oneself() -> None:
    """The set says what the tests do: nothing is settled by it that has a test of its own."""
    asked = Question(Request(Entity("user", "kid"), Action("read"), Entity("identity", "kid")))
    unread = Facts(
        subject=Account("kid"),
        person=Account("kid"),
        **dict.fromkeys(set(STANDS_ON.values()), UNREAD),
    )
    found = settled(situation(asked, unread, NOW))
    assert set(found) == {"self", "subject_active", "person_known", *BETWEEN}
