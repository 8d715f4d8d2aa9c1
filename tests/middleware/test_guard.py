"""The use case of all frameworks: asked first, obligations kept or refused before anything runs."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from threading import get_ident
from typing import Any

import pytest

from authz.errors import (
    DeclarationError,
    MalformedError,
    ObligationError,
    PointUnavailableError,
    RefusedError,
    UnauthenticatedError,
    http_status,
)
from authz.middleware.answer import FAULTS, Answer
from authz.middleware.declare import Needs, Public
from authz.middleware.guard import AsyncGuard, Guard
from authz.middleware.identity import Identity
from authz.middleware.obligations.duties import Duties, Duty
from authz.middleware.obligations.pseudonyms import PseudonymKey
from authz.middleware.question import Question
from authz.middleware.refusals import TITLES, problem
from authz.middleware.shape import Shape
from tests.middleware.loops import run

WHO = Identity("u-1", mfa=True)
NEEDS = Needs("read", "assessment_result", "student", purpose="service", class_="class_id")
VALUES = {"student": "p-1", "class_id": 17}
KEY = PseudonymKey(b"k" * 32, "c")


class Fixed:
    """Always says the same, and remembers what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers = answers
        self.asked: list[list[Question]] = []

    def decide(self, questions: Sequence[Question]) -> list[Answer]:
        self.asked.append(list(questions))
        return [self.answers[place % len(self.answers)] for place in range(len(questions))]

    def search(self, question: Question, *, limit: int | None = None) -> Iterator[str]:
        raise NotImplementedError

    def close(self) -> None:
        pass


class AsyncFixed:
    def __init__(self, *answers: Answer) -> None:
        self.fixed = Fixed(*answers)

    async def decide(self, questions: Sequence[Question]) -> list[Answer]:
        return self.fixed.decide(questions)

    def search(self, question: Question, *, limit: int | None = None) -> AsyncIterator[str]:
        raise NotImplementedError

    async def close(self) -> None:
        pass


def test_what_is_declared_becomes_the_question() -> None:
    point = Fixed(Answer(permit=True))
    Guard(point).ask(NEEDS, VALUES, WHO)
    wire = {
        "subject": {"type": "user", "id": "u-1"},
        "action": {"name": "read"},
        "resource": {"type": "assessment_result", "id": "p-1", "properties": {"class": "17"}},
        "context": {"purpose": "service", "mfa": True},
    }
    assert [each.to_wire() for each in point.asked[0]] == [wire]


@pytest.mark.parametrize("who", [None, Identity("")])
def test_nobody_signed_in_is_asked_for_nobody(who: Identity | None) -> None:
    point = Fixed(Answer(permit=True))
    with pytest.raises(UnauthenticatedError):
        Guard(point).ask(NEEDS, VALUES, who)
    assert not point.asked


@pytest.mark.parametrize("value", [None, "", True, ["p-1"], 1.5, {}])
def test_a_value_that_is_missing_or_no_text_is_asked_for_nobody(value: object) -> None:
    point = Fixed(Answer(permit=True))
    with pytest.raises(MalformedError):
        Guard(point).ask(NEEDS, {**VALUES, "student": value}, WHO)
    assert not point.asked


@pytest.mark.parametrize("reason", sorted(FAULTS))
def test_a_fault_is_503_and_a_refusal_403(reason: str) -> None:
    with pytest.raises(PointUnavailableError) as fault:
        Guard(Fixed(Answer.refused(reason))).ask(NEEDS, VALUES, WHO)
    with pytest.raises(RefusedError) as refused:
        Guard(Fixed(Answer.refused("no_rule", "ไม่อนุญาต"))).ask(NEEDS, VALUES, WHO)
    assert [problem(each.value)[0] for each in (fault, refused)] == [503, 403]
    assert problem(refused.value, "th")[1]["detail"] == "ไม่อนุญาต"
    assert "detail" not in problem(fault.value)[1]


PERMITS: dict[str, Answer] = {
    "fields": Answer(permit=True, fields=frozenset({"score"})),
    "classes": Answer(permit=True, classes=frozenset({"C-1"})),
    "pseudonymise": Answer(permit=True, pseudonymise=True),
    "notify": Answer(permit=True, notify=("dpo",)),
    "review": Answer(permit=True, review=True),
}


@pytest.mark.parametrize("name", sorted(set(PERMITS) - {"fields"}))
def test_what_nobody_can_carry_out_is_refused_before_the_route_runs(name: str) -> None:
    with pytest.raises(ObligationError) as error:
        Guard(Fixed(PERMITS[name])).ask(NEEDS, VALUES, WHO)
    assert http_status(error.value) == 403


@pytest.mark.parametrize("name", sorted(PERMITS))
def test_what_the_route_answers_for_is_its_own(name: str) -> None:
    needs = Needs("read", "c", "student", carries=frozenset({name}))
    permit = Guard(Fixed(PERMITS[name])).ask(needs, VALUES, WHO)
    assert permit.settled
    assert not permit.must_filter


def test_limits_are_owed_until_the_data_were_filtered() -> None:
    shape = Shape(class_of="class", identifiers=frozenset({"id"}), keep=frozenset({"id", "class"}))
    needs = Needs("read", "c", "student", shape=shape)
    for name in ("fields", "classes", "pseudonymise"):
        permit = Guard(Fixed(PERMITS[name]), pseudonyms=KEY).ask(needs, VALUES, WHO)
        assert permit.must_filter
        with pytest.raises(ObligationError):
            permit.require_settled()
        permit.filter({"class": "C-1", "id": "p", "score": 1})
        permit.require_settled()


def test_duties_that_the_point_sees_to_need_nobody_else() -> None:
    answer = Answer(
        permit=True, notify=("dpo",), review=True, by_point=frozenset({"notify", "review"})
    )
    assert Guard(Fixed(answer)).ask(NEEDS, VALUES, WHO).settled


@pytest.mark.parametrize("name", ["fields", "classes", "pseudonymise"])
def test_no_point_carries_out_what_it_has_no_data_for(name: str) -> None:
    """Its metadata may say so; then the limit would bind nobody."""
    answer = replace(PERMITS[name], by_point=frozenset({name}))
    shape = Shape(class_of="class", identifiers=frozenset({"id"}))
    needs = Needs("read", "c", "student", shape=shape)
    assert Guard(Fixed(answer), pseudonyms=KEY).ask(needs, VALUES, WHO).must_filter


def test_duties_are_seen_to_before_the_route_runs() -> None:
    seen: list[Duty] = []
    duties = Duties(notify=seen.append, review=seen.append)
    answer = Answer(permit=True, notify=("dpo",), review=True)
    assert Guard(Fixed(answer), duties=duties).ask(NEEDS, VALUES, WHO).settled
    assert [each.recipients for each in seen] == [("dpo",), ()]
    assert {each.question.person for each in seen} == {"p-1"}


def test_a_duty_that_fails_is_a_refusal(caplog: pytest.LogCaptureFixture) -> None:
    def fails(_: Duty) -> None:
        raise OSError("no mail")

    caplog.set_level(logging.ERROR)
    with pytest.raises(ObligationError):
        Guard(Fixed(PERMITS["notify"]), duties=Duties(notify=fails)).ask(NEEDS, VALUES, WHO)
    assert "notify" in caplog.text


def test_many_uses_are_one_call_and_each_has_its_own_answer() -> None:
    point = Fixed(PERMITS["fields"], Answer.refused("refused"))
    asked: list[tuple[Needs, dict[str, Any]]] = [
        (NEEDS, {**VALUES, "student": f"p-{number}"}) for number in range(4)
    ]
    found = Guard(point).ask_all(asked, WHO)
    assert [isinstance(each, RefusedError) for each in found] == [False, True] * 2
    assert len(point.asked) == 1
    again = run(AsyncGuard(AsyncFixed(*point.answers)).ask_all(asked, WHO))
    assert [type(each) for each in again] == [type(each) for each in found]


def test_an_event_loop_is_guarded_alike() -> None:
    permit = run(AsyncGuard(AsyncFixed(PERMITS["fields"])).ask(NEEDS, VALUES, WHO))
    assert permit.fields == frozenset({"score"})
    assert permit.may("score")
    assert not permit.may("comment")
    for name in ("notify", "pseudonymise"):
        with pytest.raises(ObligationError):
            run(AsyncGuard(AsyncFixed(PERMITS[name])).ask(NEEDS, VALUES, WHO))


def test_a_slow_handler_holds_no_event_loop() -> None:
    threads: list[int] = []
    duties = Duties(notify=lambda _: threads.append(get_ident()))
    guard = AsyncGuard(AsyncFixed(PERMITS["notify"]), duties=duties)
    loops: list[int] = []

    async def asked() -> None:
        loops.append(get_ident())
        assert (await guard.ask(NEEDS, VALUES, WHO)).settled
        assert len(await guard.ask_all([(NEEDS, VALUES)] * 2, WHO)) == 2

    run(asked())
    assert len(threads) == 3
    assert set(loops).isdisjoint(threads)


@pytest.mark.parametrize(
    "wrong",
    [
        {"action": ""},
        {"category": ""},
        {"person": ""},
        {"fields": ()},
        {"carries": frozenset({"nonsense"})},
    ],
)
def test_a_declaration_that_says_nothing_is_none(wrong: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError):
        Needs(**{"action": "read", "category": "c", "person": "p", **wrong})


def test_a_public_route_says_why() -> None:
    assert Public("the school's own address").why
    with pytest.raises(DeclarationError):
        Public(" ")


def test_every_refusal_has_its_title_in_both_languages() -> None:
    assert all({"en", "th"} <= title.keys() for title in TITLES.values())
