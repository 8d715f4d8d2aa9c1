"""The pure part of an explanation, over stated situations (3.4)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from authz.decision.request import parse, question
from authz.engine.explain import Considered, Explanation, explain
from authz.engine.expression import Expression
from authz.engine.match import Matcher
from authz.engine.policy import Policy
from authz.policy.load import load
from authz.vocabulary import Relation

SCHOOL = Path(__file__).parents[2] / "policies" / "school"


@pytest.fixture(scope="module")
def school() -> Policy:
    return load(SCHOOL)


class Stated:
    """A situation in which these roles are held and these relations hold."""

    subject_properties: ClassVar[Any] = {}
    resource_properties: ClassVar[Any] = {}
    resource_known = True

    def __init__(self, roles: set[str], *holding: str) -> None:
        self.roles = frozenset(roles)
        self._holding = {"subject_active", "person_known", *holding}

    def relations(self, _: str | None) -> Any:
        holding = self._holding
        return type("Relations", (), {name: name in holding for name in Relation})

    def contract_fields(self, _: str | None) -> None:
        return None

    def classes(self, _: frozenset[str]) -> tuple[str, ...]:
        return ()


def told(
    policy: Policy, situation: Stated, category: str = "identity", **context: Any
) -> Explanation:
    asked = parse(
        {
            "subject": {"type": "user", "id": "a"},
            "action": {"name": "read"},
            "resource": {"type": category, "id": "b"},
            "context": context,
        }
    )
    return explain(Matcher(policy, question(asked, believes_mfa=True), situation))


def of(found: Explanation, rule: str) -> Considered:
    return next(each for each in found.considered if each.rule.id == rule)


def test_a_condition_is_told_apart_from_the_role_before_it(school: Policy) -> None:
    """Whose role is not held is a candidate all the same."""
    found = of(told(school, Stated({"public"}, "guardian", "minor")), "parent-read")
    assert (found.role_held, found.purpose_fits, found.condition_holds) == (False, True, True)
    assert not found.holds
    found = of(told(school, Stated({"parent"}, "guardian")), "parent-read")
    assert (found.role_held, found.condition_holds) == (True, False)
    assert found.relations == {"guardian": True, "minor": False}


def test_a_condition_is_told_apart_from_the_purpose(school: Policy) -> None:
    """Of a purpose that does not fit, and of none where one is required (2.3)."""
    for context in ({"purpose": "service"}, {}):
        found = of(told(school, Stated({"mentor"}, "mentors"), **context), "mentor-read")
        assert (found.purpose_fits, found.condition_holds, found.holds) == (False, True, False)


def test_what_the_context_said_is_told(school: Policy) -> None:
    """2.1: a justification of white space is none."""
    for words, given in (("flood", True), (" ", False)):
        stated = Stated({"school_admin"}, "elevated")
        found = of(told(school, stated, justification=words), "school-emergency")
        assert found.values == {"r.ctx.justified": given}
        assert found.condition_holds is given


def test_a_refusal_is_told_with_the_permits_that_it_takes(school: Policy) -> None:
    """2.6: each pair by itself; without a pair those that depend on no rule."""
    held = Stated({"parent", "teacher"}, "guardian", "minor", "teaches", "custody_restricted")
    (strike,) = told(school, held).strikes
    assert strike.rule.id == "custody"
    assert strike.strikes == ("parent-read", "teacher-read")
    assert strike.relations == {"custody_restricted": True}
    (general,) = told(school, Stated({"public"}, "custody_restricted")).strikes
    assert (general.rule.id, general.strikes) == ("custody", ())


def _fails(*_: object) -> bool:
    raise ZeroDivisionError


def test_a_rule_that_cannot_be_evaluated_is_named(school: Policy) -> None:
    """3.5: it refuses, and the explanation says which one it was."""
    broken: Callable[..., bool] = _fails
    permits = tuple(
        replace(each, expression=Expression("?", frozenset(), broken))
        if each.rule.id == "parent-read"
        else each
        for each in school.permits
    )
    found = told(replace(school, permits=permits), Stated({"parent"}, "guardian", "minor"))
    assert found.broken == ("parent-read",)
    assert not of(found, "parent-read").condition_holds
