"""What is worked out at load changes no answer, and hides no error (3.4, 3.5)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from authz.decision.request import Action, Entity, Question, Request
from authz.engine.decide import decide
from authz.engine.expression import Expression, any_of, compile_rule
from authz.policy.cases import Case
from authz.policy.load import load
from authz.policy.testing import StatedSituation
from tests.conformance.test_casbin_equality import CONDITIONS, ENTITIES

TOKENS = ("r_sub", "r_act")
ROLE_FIRST = "held(r.sub.roles, p.role) && listed(r.act.name, p.action) && eval(p.condition)"
ROLE_LAST = "eval(p.condition) && listed(r.act.name, p.action) && held(r.sub.roles, p.role)"


def rule(role: str, actions: str, condition: str, matcher: str = ROLE_FIRST) -> Expression:
    columns = {"p_role": role, "p_action": actions, "p_condition": condition}
    return compile_rule(matcher.replace("p.", "p_").replace("r.", "r_"), TOKENS, columns, condition)


def holds(found: Callable[..., bool], *roles: str, action: object = "read", **more: Any) -> bool:
    subject = SimpleNamespace(roles=frozenset(roles), **more)
    return bool(found(subject, SimpleNamespace(name=action)))


@pytest.mark.parametrize("matcher", [ROLE_FIRST, ROLE_LAST])
@pytest.mark.parametrize(
    ("role", "actions", "held", "action", "expected"),
    [
        ("editor", "read|write", "editor", "read", True),
        ("editor", "read|write", "editor", "delete", False),
        ("editor", "all but read", "editor", "delete", True),
        ("editor", "all but read", "editor", "read", False),
        ("editor", "any", "editor", "whatever", True),
        ("editor", "any", "owner", "read", False),
        ("any", "all", "owner", "read", True),
    ],
)
def test_a_folded_rule_holds_where_its_line_says(
    matcher: str, role: str, actions: str, held: str, action: str, expected: bool
) -> None:
    assert holds(rule(role, actions, "True", matcher).holds, held, action=action) is expected


def test_a_rule_that_tests_its_role_first_has_it_as_its_gate() -> None:
    assert rule("editor", "read", "True").gate == "editor"


def test_a_rule_that_everybody_may_use_has_no_gate() -> None:
    assert rule("any", "read", "True").gate is None


def test_a_rule_whose_condition_is_asked_first_has_no_gate() -> None:
    """Its condition may raise, and then the question is refused whoever asks."""
    found = rule("editor", "read", "r.sub.level > 3", ROLE_LAST)
    assert found.gate is None
    with pytest.raises(TypeError):
        holds(found.holds, level="high")


def test_what_may_be_absent_is_still_asked() -> None:
    """Leaving it out would turn an error into an answer."""
    found = rule("any", "any", 'listed(r.sub.absent, "any")')
    with pytest.raises(AttributeError):
        holds(found.holds)


def test_any_of_rules_holds_where_one_does() -> None:
    both = any_of([rule("a", "read", "True"), rule("b", "any", "r.sub.level > 3")], TOKENS)
    assert holds(both, "a", level=0)
    assert holds(both, "b", level=4)
    assert not holds(both, "b", level=0)
    assert not holds(any_of([], TOKENS), "a")


def test_a_function_of_unknown_making_may_hold() -> None:
    unknown = Expression("", frozenset(), lambda *_: False)
    assert holds(any_of([unknown], TOKENS))


def test_a_refusal_that_cannot_be_evaluated_refuses_and_is_named(tmp_path: Path) -> None:
    """Asked at once with all others or by itself: never skipped (3.5)."""
    conditions = {**CONDITIONS, "{locked}": "r.ctx.level >= 3"}
    for name, text in ENTITIES.items():
        written = "\n".join(line.strip() for line in text.strip().splitlines())
        for mark, condition in conditions.items():
            written = written.replace(mark, condition)
        (tmp_path / name).write_text(written, "utf-8")
    asked = Question(
        Request(Entity("user", "U"), Action("read"), Entity("document", "D"), {"level": "high"})
    )
    case = Case(name="", where="", roles=frozenset({"editor"}))
    found = decide(load(tmp_path), asked, StatedSituation(case))
    assert (found.permit, found.reason) == (False, "rule_error")
    assert "locked" in found.rules
