"""The five rules for Casbin's enforcers and for ours: the same model, policy and functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import casbin

from authz.engine import CompiledEnforcer
from benchmarks.five.world import RELATIONS, RULES, Ask, Person, Student

Answer = Callable[..., bool]
MODEL = """
[request_definition]
r = role, act, sub, obj
[policy_definition]
p = role, act, {third}, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = r.role == p.role && r.act == p.act && {last}
"""
BY_NAME = MODEL.format(third="rel", last="related(r.sub, r.obj, p.rel)")
BY_EVAL = MODEL.format(third="rule", last="eval(p.rule)")
EXPRESSIONS = {
    "guardian": "guardian(r.sub, r.obj)",
    "teaches": "r.obj.running && teaches(r.sub, r.obj)",
    "administers": "r.sub.school == r.obj.school",
    "self": "r.sub.id == r.obj.id",
    "restricted": "restricted(r.sub, r.obj)",
}
ORDER = [0, 1]
"""What FastEnforcer keeps its lines by: role and action."""


def related(person: Person, student: Student, name: str) -> bool:
    """The matcher function of the policy: whether this relation holds."""
    return RELATIONS[name](person, student)


def enforcer(kind: Callable[..., Any], *, by_eval: bool = False) -> Any:
    """An enforcer of this kind with the five rules."""
    fast = kind is casbin.FastEnforcer
    model = casbin.FastModel(ORDER) if fast else casbin.Model()
    model.load_model_from_text(BY_EVAL if by_eval else BY_NAME)
    made = kind(model, cache_key_order=ORDER) if fast else kind(model)
    made.logger.disabled = True
    made.add_function("related", related)
    for name in ("guardian", "teaches", "restricted"):
        made.add_function(name, RELATIONS[name])
    for role, action, relation, effect in RULES:
        made.add_policy(role, action, EXPRESSIONS[relation] if by_eval else relation, effect)
    return made


def given(ask: Ask) -> tuple[Any, ...]:
    """The arguments of ``enforce``."""
    return ask.person.role, ask.action, ask.person, ask.student


ENGINES: dict[str, Callable[[], Answer]] = {
    "CompiledEnforcer (ours)": lambda: enforcer(CompiledEnforcer).enforce,
    "CompiledEnforcer (ours), `eval()`": lambda: enforcer(CompiledEnforcer, by_eval=True).enforce,
    "pycasbin Enforcer": lambda: enforcer(casbin.Enforcer).enforce,
    "pycasbin Enforcer, `eval()`": lambda: enforcer(casbin.Enforcer, by_eval=True).enforce,
    "pycasbin FastEnforcer": lambda: enforcer(casbin.FastEnforcer).enforce,
    "pycasbin FastEnforcer, `eval()`": lambda: enforcer(casbin.FastEnforcer, by_eval=True).enforce,
}
"""By the name shown: what makes the engine's question."""
