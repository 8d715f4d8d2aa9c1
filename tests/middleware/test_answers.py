"""Theorems about reading an answer: what is not understood never opens anything (2.7)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from authz.decision.answer import outward
from authz.decision.catalogue import About, Catalogue, Obligations
from authz.decision.combine import Decision
from authz.errors import MalformedError
from authz.middleware.answer import FAULTS, RUBBISH, UNKNOWN_OBLIGATION, Answer
from authz.middleware.question import Question
from authz.vocabulary import ObligationId

WORDS = some.text(max_size=8)
VALUES: dict[str, Any] = {
    "fields": some.lists(WORDS, max_size=4),
    "withheld": some.lists(WORDS, max_size=4),
    "classes": some.lists(WORDS, max_size=4),
    "notify": some.lists(WORDS, max_size=4),
    "pseudonymise": some.booleans(),
    "review": some.booleans(),
}
KNOWN = some.fixed_dictionaries({}, optional=VALUES)
JSON: Any = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False, allow_infinity=False)
    | WORDS,
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)


def wire(obligations: object, *, decision: object = True) -> dict[str, Any]:
    return {"decision": decision, "context": {"obligations": obligations}}


def listed(known: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"id": name, "value": value} for name, value in known.items()]


@given(KNOWN)
def test_known_obligations_are_all_understood(known: dict[str, Any]) -> None:
    answer = Answer.from_wire(wire(listed(known)))
    assert answer.permit
    assert answer.fields == (frozenset(known["fields"]) if "fields" in known else None)
    assert answer.classes == (frozenset(known["classes"]) if "classes" in known else None)
    assert (answer.pseudonymise, answer.review) == tuple(
        known.get(name, False) for name in ("pseudonymise", "review")
    )
    assert (answer.notify, answer.withheld) == tuple(
        tuple(known.get(name, ())) for name in ("notify", "withheld")
    )


@given(KNOWN, some.text().filter(lambda name: name not in VALUES), JSON, some.integers(0, 6))
def test_an_unknown_obligation_anywhere_is_a_refusal(
    known: dict[str, Any], name: str, value: object, place: int
) -> None:
    told = listed(known)
    told.insert(place, {"id": name, "value": value})
    assert _refusal(Answer.from_wire(wire(told)))


@given(KNOWN, some.sampled_from(sorted(VALUES)), JSON)
def test_a_value_of_another_type_is_a_refusal(known: dict[str, Any], name: str, value: Any) -> None:
    good = (
        isinstance(value, bool)
        if name in ("pseudonymise", "review")
        else isinstance(value, list) and all(isinstance(each, str) for each in value)
    )
    told = listed({**known, name: value})
    assert Answer.from_wire(wire(told)).permit is good


@given(some.sampled_from(sorted(VALUES)), some.data())
def test_an_obligation_told_twice_is_a_refusal_unless_it_is_the_same(
    name: str, data: some.DataObject
) -> None:
    first, second = data.draw(VALUES[name]), data.draw(VALUES[name])
    told = [{"id": name, "value": first}, {"id": name, "value": second}]
    limits = name in ("fields", "classes")
    same = set(first) == set(second) if limits else first == second
    assert Answer.from_wire(wire(told)).permit is same


@pytest.mark.parametrize(
    "told",
    [{}, "fields", [["fields", []]], [{"id": "fields"}], [{"id": "fields", "value": [], "if": 1}]],
)
def test_obligations_of_another_shape_are_a_refusal(told: object) -> None:
    assert _refusal(Answer.from_wire(wire(told)))


@given(JSON)
def test_only_true_permits(decision: object) -> None:
    answer = Answer.from_wire({"decision": decision})
    assert answer.permit is (decision is True)
    assert answer.fault is (not isinstance(decision, bool))


@given(JSON)
def test_whatever_comes_is_an_answer(body: object) -> None:
    assert isinstance(Answer.from_wire(body), Answer)


@given(some.sampled_from(sorted(FAULTS)))
def test_no_point_can_say_of_itself_that_it_failed(word: str) -> None:
    answer = Answer.from_wire({"decision": False, "context": {"reason": {"code": word}}})
    assert (answer.permit, answer.fault) == (False, False)


@given(JSON, JSON)
def test_members_that_are_no_obligation_change_nothing(more: object, own: object) -> None:
    body = {"decision": True, "context": {"x-more": more}, "x-own": own}
    assert Answer.from_wire(body) == Answer.from_wire({"decision": True})


@given(KNOWN)
def test_what_our_own_point_says_is_understood(known: dict[str, Any]) -> None:
    kept = {ObligationId(name): value for name, value in known.items() if value}
    catalogue = Catalogue("t", About.PEOPLE, frozenset(), (), {}, {}, (), Obligations(), {})
    said = outward(Decision(permit=True, obligations=kept), catalogue, "en")
    answer = Answer.from_wire(said)
    assert answer.permit
    assert answer.obliges == {str(name) for name in kept} - {"withheld"}


def _refusal(answer: Answer) -> bool:
    return (answer.permit, answer.reason) == (False, UNKNOWN_OBLIGATION)


MEMBERS = some.dictionaries(WORDS, JSON, max_size=3)
QUESTIONS = some.builds(
    Question, *([WORDS] * 4), subject_type=WORDS, properties=MEMBERS, context=MEMBERS
)


@given(QUESTIONS, QUESTIONS)
def test_questions_have_one_key_exactly_if_they_say_the_same(one: Question, two: Question) -> None:
    assert (one.key() == two.key()) is (_typed(one.to_wire()) == _typed(two.to_wire()))


def _typed(value: Any) -> Any:
    """JSON so that 1, 1.0 and true are three things, as they are for a point."""
    if isinstance(value, dict):
        return {name: _typed(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_typed(each) for each in value]
    return (type(value).__name__, repr(value))


@pytest.mark.parametrize("value", [object(), float("nan"), {1, 2}, "\ud800"])
def test_what_is_no_json_is_no_question(value: object) -> None:
    with pytest.raises(MalformedError):
        Question("u", "read", "c", "p", context={"purpose": value}).key()


def test_the_reason_for_rubbish_is_a_fault() -> None:
    assert Answer.from_wire([]) == Answer.refused(RUBBISH)
