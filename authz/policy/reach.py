"""Whether a rule can ever do what it says: somebody, some data, some purpose (3.3).

A permit is looked at for each action, category and purpose that it names, with what is
known of them put in. What only the directory knows is free to be true or false, within
what 2.4 says of it, and a name of the request is each constant that it is compared with, or
another one; if no choice lets the permit stand against the refusals, nobody can
reach it. A refusal must be able to strike one of the permits, or no permit at all.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

from authz.decision import fields
from authz.decision.rule import Rule
from authz.engine.expression import FUNCTIONS, listed_names, parse
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
MOST_TRIES = 4000
"""Choices that are looked at for one rule: those of our packs take 340 at the most, and each
further part of a condition may double them."""
ANOTHER = object()
"""What a name may be that is none of the constants it is compared with."""
ALWAYS = (*NEVER_BOTH, "r.rel.on_case || !r.rel.on_rights_request")


class TooInvolvedError(Exception):
    """Whether a condition ever holds cannot be told in reasonable time."""


class Tries:
    """How many choices may still be looked at."""

    def __init__(self) -> None:
        self._left = MOST_TRIES

    def one(self) -> None:
        """Take one; TooInvolvedError where there is none."""
        self._left -= 1
        if self._left < 0:
            raise TooInvolvedError


def unreachable(policy: Policy, rule: Rule) -> str:
    """Why nobody can reach the rule or a part of it; empty where somebody can.

    TooInvolvedError where that cannot be told.
    """
    tries = Tries()
    find = _dead_part if rule.permits else _never_strikes
    return find(policy, rule, tries)


def _dead_part(policy: Policy, rule: Rule, tries: Tries) -> str:
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
        if new and _stands(policy, rule, cell, tries):
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


def _stands(policy: Policy, rule: Rule, cell: Mapping[str, str], tries: Tries) -> bool:
    for own in (False, True) if Relation.SELF in rule.relations else (False,):
        known = {**_known(policy, rule, cell, own=own), "r.rel.self": own}
        struck = [
            f"!({refusal.rule.condition})"
            for refusal in policy.refusals
            if _applies(refusal.rule, rule.role, cell)
        ]
        if _possible([rule.condition, *struck, *ALWAYS], known, tries):
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
        **_of_role(rule),
        "r.pair.rule": rule.id,
        "r.pair.no_fields": bool(policy.catalogue.fields_of(cell["category"])) and not left,
    }


def _of_role(rule: Rule) -> Known:
    """Whoever a rule is for holds its role."""
    return {} if rule.role == "any" else {_atom(_parsed(f'held(r.sub.roles, "{rule.role}")')): True}


def _of_purpose(policy: Policy, cell: Mapping[str, str]) -> Known:
    purpose = policy.catalogue.purposes.get(cell["purpose"])
    return {
        _choices_of("r.sub.type"): sorted(policy.catalogue.subject_types),
        "r.act.name": cell["action"],
        "r.res.type": cell["category"],
        "r.pair.rule": "",
        "r.pair.purpose": cell["purpose"],
        "r.pair.basis": purpose.basis if purpose else "",
        "r.pair.needed": cell["category"] in purpose.needs if purpose else True,
        "r.pair.no_fields": False,
    }


def _never_strikes(policy: Policy, rule: Rule, tries: Tries) -> str:
    """A refusal that names no rule is looked at where no permit holds, too (2.6)."""
    catalogue = policy.catalogue
    wanted = {
        "action": sorted(rule.actions or catalogue.actions),
        "category": list(rule.categories),
        "purpose": list(rule.purposes or catalogue.purposes or [""]),
    }
    alone = not rule.mentions & RULE_NAMES
    for cell in _cells(wanted):
        known = {**_of_purpose(policy, cell), **_of_role(rule)}
        if alone and _possible([rule.condition, *ALWAYS], known, tries):
            return ""
        for permit in policy.permits:
            if _serves(permit.rule, cell) and _strikes(policy, rule, permit.rule, cell, tries):
                return ""
    return "it can strike nothing"


def _serves(permit: Rule, cell: Mapping[str, str]) -> bool:
    return permit.covers(cell["action"], cell["category"]) and (
        permit.purposes is None or cell["purpose"] in permit.purposes
    )


def _strikes(
    policy: Policy, rule: Rule, permit: Rule, cell: Mapping[str, str], tries: Tries
) -> bool:
    known = {**_known(policy, permit, cell, own=False), **_of_role(rule)}
    del known["r.pair.no_fields"]  # what is asked for can leave none
    return _possible([rule.condition, permit.condition, *ALWAYS], known, tries)


def _possible(conditions: Iterable[str], known: Known, tries: Tries) -> bool:
    """Whether what is not known can be chosen so that all conditions hold."""
    return _choose([_parsed(text) for text in conditions], dict(known), tries)


@lru_cache(maxsize=4096)
def _parsed(text: str) -> ast.expr:
    return parse(text).body


def _choose(conditions: list[ast.expr], known: dict[str, Any], tries: Tries) -> bool:
    tries.one()
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
    name, values = _atom(atom), [False, True]
    if asked := _asked(atom):
        name, values = _chosen(asked), _values(asked, open_ones, known)
    return any(_choose(open_ones, {**known, name: value}, tries) for value in values)


def _asked(node: ast.expr) -> str:
    """The name that is compared with a constant, or looked up in a list; empty for another."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "listed":
        return dotted(node.args[0])
    if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq):
        sides = node.left, node.comparators[0]
        if any(isinstance(side, ast.Constant) for side in sides):
            return dotted(sides[0]) or dotted(sides[1])
    return ""


def _values(name: str, conditions: Iterable[ast.expr], known: Known) -> list[Any]:
    """What a name may be, as far as these conditions tell it apart."""
    if (closed := known.get(_choices_of(name))) is not None:
        return list(closed)
    found: dict[Any, None] = {}
    for node in (part for condition in conditions for part in ast.walk(condition)):
        if isinstance(node, ast.expr) and _asked(node) == name:
            found.update(dict.fromkeys(_constants(node)))
    return [*found, ANOTHER]


def _constants(node: ast.expr) -> Iterator[Any]:
    if isinstance(node, ast.Call):
        yield from sorted(listed_names(getattr(node.args[1], "value", "")))
    elif isinstance(node, ast.Compare):
        sides = node.left, node.comparators[0]
        yield from (side.value for side in sides if isinstance(side, ast.Constant))


def _chosen(name: str) -> str:
    """Under this key stands what a name was chosen to be.

    It counts against constants alone: of two names, each may be what the other is.
    """
    return f"= {name}"


def _choices_of(name: str) -> str:
    """Under this key stand the only values that a name can have."""
    return f"in {name}"


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
        chosen = bool(_asked(node))
        left = _part(node.left, known, chosen=chosen)
        right = _part(node.comparators[0], known, chosen=chosen)
        if left is not None and right is not None and isinstance(node.ops[0], ast.Eq | ast.NotEq):
            return bool((left == right) is isinstance(node.ops[0], ast.Eq))
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        value = _part(node.args[0], known, chosen=bool(_asked(node)))
        names = _part(node.args[1], known)
        if value is not None and node.func.id == "listed":
            return FUNCTIONS["listed"](value, names)
    return None


def _part(node: ast.expr, known: Known, *, chosen: bool = False) -> Any:
    if isinstance(node, ast.Constant):
        return node.value
    name = dotted(node)
    return known.get(name, known.get(_chosen(name)) if chosen else None)


@lru_cache(maxsize=65536)
def _atom(node: ast.expr) -> str:
    """The name of what is chosen; the same text is the same choice."""
    return dotted(node) or ast.dump(node)


def _atoms(node: ast.expr, known: Known) -> Iterator[ast.expr]:
    if isinstance(node, ast.BoolOp):
        for part in node.values:
            yield from _atoms(part, known)
    elif isinstance(node, ast.UnaryOp):
        yield from _atoms(node.operand, known)
    elif not isinstance(node, ast.Constant) and _atom_value(node, known) is None:
        yield node
