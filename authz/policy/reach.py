"""Whether a rule can ever do what it says: somebody, some data, some purpose (3.3).

A permit is looked at for each action, category and purpose that it names, with what is
known of them put in. What only the directory knows is free to be true or false, within
what 2.4 says of it; if no choice lets the permit stand against the refusals, nobody can
reach it. A refusal must be able to strike one of the permits, or no permit at all.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from authz.decision import fields
from authz.decision.rule import Rule
from authz.engine.expression import FUNCTIONS, parse
from authz.engine.policy import RULE_NAMES, Policy
from authz.policy.conditions import dotted
from authz.vocabulary import Relation

Known = Mapping[str, Any]
BETWEEN_TWO = (
    Relation.GUARDIAN,
    Relation.TEACHES,
    Relation.ASSISTS,
    Relation.SAME_SCHOOL,
    Relation.CONTRACTED,
    Relation.ORDERED,
    Relation.TICKETED,
    Relation.FULFILLING,
    Relation.MENTORS,
    Relation.ON_CASE,
    Relation.ON_RIGHTS_REQUEST,
    Relation.ELEVATED,
)
NEVER_BOTH = tuple(f"!(r.rel.self && r.rel.{relation})" for relation in BETWEEN_TWO)
"""None of these relations holds between a person and themselves (2.4)."""
ALWAYS = (*NEVER_BOTH, "r.rel.on_case || !r.rel.on_rights_request")


def unreachable(policy: Policy, rule: Rule) -> str:
    """Why nobody can reach the rule or a part of it; empty where somebody can."""
    return _dead_part(policy, rule) if rule.permits else _never_strikes(policy, rule)


def _dead_part(policy: Policy, rule: Rule) -> str:
    """The first action, category or purpose with which the permit can never stand."""
    catalogue = policy.catalogue
    wanted = {
        "action": list(rule.actions or catalogue.actions),
        "category": list(rule.categories),
        "purpose": list(rule.purposes or catalogue.purposes or [""]),
    }
    alive: dict[str, set[str]] = {name: set() for name in wanted}
    for cell in _cells(wanted):
        new = any(cell[name] not in alive[name] for name in wanted)
        if new and _stands(policy, rule, cell):
            for name in wanted:
                alive[name].add(cell[name])
    if not alive["action"]:
        return "its condition never holds, or a refusal always strikes it"
    # With no purpose named a rule serves all; that some are of no use to it is no defect.
    parts = ["action", "category", *(["purpose"] if rule.purposes else [])]
    for part in parts if rule.actions else parts[1:]:
        dead = [name for name in wanted[part] if name not in alive[part]]
        if dead:
            return f"with the {part} {dead[0]} it can never stand"
    return ""


def _cells(wanted: Mapping[str, list[str]]) -> Iterator[dict[str, str]]:
    for action in wanted["action"]:
        for category in wanted["category"]:
            for purpose in wanted["purpose"]:
                yield {"action": action, "category": category, "purpose": purpose}


def _stands(policy: Policy, rule: Rule, cell: Mapping[str, str]) -> bool:
    for own in (False, True) if Relation.SELF in rule.relations else (False,):
        known = {**_known(policy, rule, cell, own=own), "r.rel.self": own}
        struck = [
            f"!({refusal.rule.condition})"
            for refusal in policy.refusals
            if _applies(refusal.rule, rule.role, cell)
        ]
        if _possible([rule.condition, *struck, *ALWAYS], known):
            return True
    return False


def _applies(refusal: Rule, role: str, cell: Mapping[str, str]) -> bool:
    """Whether the refusal is looked at for whoever holds this role."""
    return (
        refusal.covers(cell["action"], cell["category"])
        and refusal.role in ("any", role)
        and (refusal.purposes is None or cell["purpose"] in refusal.purposes)
    )


def _known(policy: Policy, rule: Rule, cell: Mapping[str, str], *, own: bool) -> Known:
    left = fields.allowed(
        policy.catalogue,
        rule,
        cell["category"],
        cell["purpose"] or None,
        own=own,
        contracted=None,
        asked=None,
    )
    return {
        **_of_purpose(policy, cell),
        "r.pair.rule": rule.id,
        "r.pair.no_fields": bool(policy.catalogue.fields_of(cell["category"])) and not left,
    }


def _of_purpose(policy: Policy, cell: Mapping[str, str]) -> Known:
    purpose = policy.catalogue.purposes.get(cell["purpose"])
    return {
        "r.act.name": cell["action"],
        "r.res.type": cell["category"],
        "r.pair.rule": "",
        "r.pair.purpose": cell["purpose"],
        "r.pair.basis": purpose.basis if purpose else "",
        "r.pair.needed": cell["category"] in purpose.needs if purpose else True,
        "r.pair.no_fields": False,
    }


def _never_strikes(policy: Policy, rule: Rule) -> str:
    """A refusal that names no rule is looked at where no permit holds, too (2.6)."""
    catalogue = policy.catalogue
    wanted = {
        "action": sorted(rule.actions or catalogue.actions),
        "category": list(rule.categories),
        "purpose": list(rule.purposes or catalogue.purposes or [""]),
    }
    alone = not rule.mentions & RULE_NAMES
    for cell in _cells(wanted):
        if alone and _possible([rule.condition, *ALWAYS], _of_purpose(policy, cell)):
            return ""
        for permit in policy.permits:
            if _serves(permit.rule, cell) and _strikes(policy, rule, permit.rule, cell):
                return ""
    return "it can strike nothing"


def _serves(permit: Rule, cell: Mapping[str, str]) -> bool:
    return permit.covers(cell["action"], cell["category"]) and (
        permit.purposes is None or cell["purpose"] in permit.purposes
    )


def _strikes(policy: Policy, rule: Rule, permit: Rule, cell: Mapping[str, str]) -> bool:
    known = dict(_known(policy, permit, cell, own=False))
    del known["r.pair.no_fields"]  # what is asked for can leave none
    return _possible([rule.condition, permit.condition, *ALWAYS], known)


def _possible(conditions: Iterable[str], known: Known) -> bool:
    """Whether what is not known can be chosen so that all conditions hold."""
    return _choose([_parsed(text) for text in conditions], dict(known))


@lru_cache(maxsize=4096)
def _parsed(text: str) -> ast.expr:
    return parse(text).body


def _choose(conditions: list[ast.expr], known: dict[str, Any]) -> bool:
    open_ones = []
    for condition in conditions:
        value = _value(condition, known)
        if value is None:
            open_ones.append(condition)
        elif not value:
            return False
    if not open_ones:
        return True
    atom = next(_atoms(open_ones[0], known))
    return any(_choose(open_ones, {**known, atom: choice}) for choice in (False, True))


def _value(node: ast.expr, known: Known) -> bool | None:
    """True, False, or None where it depends on what is not known."""
    if isinstance(node, ast.BoolOp):
        values = [_value(part, known) for part in node.values]
        decisive = isinstance(node.op, ast.Or)
        if decisive in values:
            return decisive
        return None if None in values else not decisive
    if isinstance(node, ast.UnaryOp):
        value = _value(node.operand, known)
        return None if value is None else not value
    if isinstance(node, ast.Constant):
        return bool(node.value)
    return _atom_value(node, known)


def _atom_value(node: ast.expr, known: Known) -> bool | None:
    """An atom is what a choice is made for: a name, a comparison or a call."""
    name = _atom(node)
    if name in known:
        return bool(known[name])
    if isinstance(node, ast.Compare):
        left, right = _part(node.left, known), _part(node.comparators[0], known)
        if left is not None and right is not None and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            return bool((left == right) is isinstance(node.ops[0], ast.Eq))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        value, names = _part(node.args[0], known), _part(node.args[1], known)
        if value is not None and node.func.id == "listed":
            return FUNCTIONS["listed"](value, names)
    return None


def _part(node: ast.expr, known: Known) -> Any:
    return node.value if isinstance(node, ast.Constant) else known.get(dotted(node))


@lru_cache(maxsize=65536)
def _atom(node: ast.expr) -> str:
    """The name of what is chosen; the same text is the same choice."""
    return dotted(node) or ast.dump(node)


def _atoms(node: ast.expr, known: Known) -> Iterator[str]:
    if isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from _atoms(part, known)
    elif isinstance(node, ast.UnaryOp):
        yield from _atoms(node.operand, known)
    elif not isinstance(node, ast.Constant) and _atom_value(node, known) is None:
        yield _atom(node)
