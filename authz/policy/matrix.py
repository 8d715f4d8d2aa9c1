"""The policy as tables: who may do what with which data, why, and how long (2.2 to 2.5).

Printed by ``authz policy show``. Everything is read from the policy itself, so that the
tables cannot say something else than what is decided.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from authz.decision.answer import sentence
from authz.decision.catalogue import Catalogue, Clock, Texts
from authz.decision.rule import Rule
from authz.engine.policy import Policy

LETTERS = {"read": "r", "update": "u", "export": "e", "disclose": "x", "delete": "d"}
WORDS = {
    "en": {
        "may": "Who may do what",
        "rules": "The rules, in their order",
        "refusals": "Refusals that override every permit",
        "needs": "What each purpose needs",
        "kept": "How long each purpose lasts",
        "all": "all",
        "never": "no limit",
        "consent": "until withdrawn",
        "years": "{n} years after {start}",
        "days": "{n} days after {start}",
        "fields": "some fields",
    },
    "th": {
        "may": "ใครทำอะไรได้กับข้อมูลใด",
        "rules": "กฎตามลำดับ",
        "refusals": "ข้อห้ามที่อยู่เหนือทุกการอนุญาต",
        "needs": "ข้อมูลที่แต่ละวัตถุประสงค์จำเป็นต้องใช้",
        "kept": "ระยะเวลาของแต่ละวัตถุประสงค์",
        "all": "ทั้งหมด",
        "never": "ไม่จำกัด",
        "consent": "จนกว่าจะถอนความยินยอม",
        "years": "{n} ปีหลัง {start}",
        "days": "{n} วันหลัง {start}",
        "fields": "บางรายการ",
    },
}


@dataclass(frozen=True, slots=True)
class Cell:
    """What one role may do with one category: each action with the rules that permit it."""

    role: str
    category: str
    actions: Mapping[str, tuple[str, ...]]


def matrix(policy: Policy) -> list[Cell]:
    """The cells that permit something, by category and role, in the order of the catalogue.

    A role that inherits others has their rules, too.
    """
    cells = (
        Cell(role, category, _permitted(policy, role, category))
        for category in policy.catalogue.categories
        for role in roles(policy)
    )
    return [cell for cell in cells if cell.actions]


def roles(policy: Policy) -> list[str]:
    """The roles that some permit is for, in the order of the catalogue."""
    anybody = any(c.rule.role == "any" for c in policy.permits)
    named = {c.rule.role for c in policy.permits}
    held = [
        role
        for role in policy.catalogue.roles
        if role in named or policy.closure(frozenset({role})) & named
    ]
    return [*(["any"] if anybody else []), *held]


def _permitted(policy: Policy, role: str, category: str) -> dict[str, tuple[str, ...]]:
    held = policy.closure(frozenset({role}))
    found = {
        action: tuple(
            compiled.rule.id
            for compiled in policy.permits
            if compiled.rule.role in held and compiled.rule.covers(action, category)
        )
        for action in policy.catalogue.actions
    }
    return {action: rules for action, rules in found.items() if rules}


def letters(catalogue: Catalogue) -> dict[str, str]:
    """A letter, or failing that a short mark, for each action."""
    found: dict[str, str] = {}
    for action in catalogue.actions:
        wanted = [LETTERS.get(action, ""), *action, *"0123456789", action]
        found[action] = next(w for w in wanted if w and w not in found.values())
    return found


def as_dict(policy: Policy) -> dict[str, Any]:
    """Everything that the tables show, for ``--json``."""
    catalogue = policy.catalogue
    return {
        "pack": catalogue.name,
        "digest": policy.digest,
        "roles": roles(policy),
        "actions": list(catalogue.actions),
        "inherits": {role: sorted(below) for role, below in sorted(policy.senior.items())},
        "categories": {
            name: {"title": dict(category.title), "fields": list(category.fields)}
            for name, category in catalogue.categories.items()
        },
        "cells": [
            {
                "role": cell.role,
                "category": cell.category,
                "actions": {action: list(rules) for action, rules in cell.actions.items()},
            }
            for cell in matrix(policy)
        ],
        "permits": [_rule(compiled.rule) for compiled in policy.permits],
        "refusals": [_rule(compiled.rule) for compiled in policy.refusals],
        "purposes": {
            name: {
                "title": dict(purpose.title),
                "basis": purpose.basis,
                "clock": _clock(purpose.clock),
                "needs": {
                    category: list(fields or catalogue.fields_of(category))
                    for category, fields in purpose.needs.items()
                },
            }
            for name, purpose in catalogue.purposes.items()
        },
    }


def _rule(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "role": rule.role,
        "actions": None if rule.actions is None else sorted(rule.actions),
        "categories": {name: list(fields) for name, fields in rule.categories.items()},
        "purposes": None if rule.purposes is None else list(rule.purposes),
        "default_purpose": rule.default_purpose,
        "condition": rule.condition,
        "effect": rule.effect.value,
        "line": rule.line,
    }


def _clock(clock: Clock) -> dict[str, Any] | None:
    if not clock.starts:
        return None
    unit = "days" if clock.days else "years"
    return {"starts": clock.starts, unit: clock.days or clock.years}


def lines(policy: Policy, language: str = "en") -> list[str]:
    """The tables as text for a terminal, in Thai or English."""
    catalogue, words = policy.catalogue, WORDS[language if language in WORDS else "en"]
    found = [f"{catalogue.name}  {policy.digest[:12]}", ""]
    found += _heading(words["may"]) + _who(policy, language)
    found += _heading(words["rules"]) + _rules(policy, [c.rule for c in policy.permits], language)
    if policy.refusals:
        refusals = [c.rule for c in policy.refusals]
        found += _heading(words["refusals"]) + _rules(policy, refusals, language)
    if catalogue.purposes:
        found += _heading(words["needs"]) + _needs(catalogue, words)
        found += _heading(words["kept"]) + _kept(catalogue, language)
    return found[:-1]


def _heading(text: str) -> list[str]:
    return [text, "─" * width(text)]


def _who(policy: Policy, language: str) -> list[str]:
    """Categories down, roles across; the names of the roles as a staircase above."""
    catalogue, marks = policy.catalogue, letters(policy.catalogue)
    cells = {(cell.category, cell.role): cell for cell in matrix(policy)}
    rows = []
    for category in catalogue.categories:
        row = [category]
        for role in roles(policy):
            cell = cells.get((category, role))
            row.append("".join(marks[action] for action in cell.actions) if cell else "·")
        rows.append([*row, _title(catalogue.categories[category].title, language)])
    legend = ", ".join(f"{mark} {action}" for action, mark in marks.items())
    return [*_staircase(roles(policy), rows), "", legend, ""]


def _staircase(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """A table whose column heads stand one above the other, each over its column."""
    sizes = [max(width(row[i]) for row in rows) for i in range(len(heads) + 1)]
    starts = [sum(size + 2 for size in sizes[:i]) for i in range(1, len(sizes))]
    found = []
    for number, head in enumerate(heads):
        bars = "".join("│".ljust(sizes[i + 1] + 2) for i in range(number))
        found.append(" " * starts[0] + bars + head)
    found.append(" " * starts[0] + "".join("│".ljust(size + 2) for size in sizes[1:]).rstrip())
    found.extend(_row(row, sizes) for row in rows)
    return found


def _row(row: Sequence[str], sizes: Sequence[int]) -> str:
    padded = [pad(text, size) for text, size in zip(row, sizes, strict=False)]
    return "  ".join([*padded, *row[len(sizes) :]]).rstrip()


def _rules(policy: Policy, rules: Iterable[Rule], language: str) -> list[str]:
    """Each rule with its condition, and below it the sentence for people."""
    found = []
    for rule in rules:
        actions = "any" if rule.actions is None else "|".join(_in_order(policy, rule.actions))
        found.append(
            f"{rule.id}: {rule.role} · {actions} · {_categories(policy.catalogue, rule)}"
            f" · {_purposes(rule)}"
        )
        found.append(f"    if {rule.condition}")
        if rule.id in policy.catalogue.reasons:
            found.append(f"    {sentence(policy.catalogue, rule.id, language)}")
    return [*found, ""]


def _in_order(policy: Policy, actions: Iterable[str]) -> list[str]:
    return [action for action in policy.catalogue.actions if action in frozenset(actions)]


def _categories(catalogue: Catalogue, rule: Rule) -> str:
    left_out = [name for name in catalogue.categories if name not in rule.categories]
    if not left_out:
        return "all"
    if len(left_out) < len(rule.categories) and not any(rule.categories.values()):
        return "all but " + "|".join(left_out)
    return "|".join(
        f"{name}({' '.join(fields)})" if fields else name
        for name, fields in rule.categories.items()
    )


def _purposes(rule: Rule) -> str:
    if rule.purposes is None:
        return "any"
    return "|".join(f"{p}*" if p == rule.default_purpose else p for p in rule.purposes)


def _needs(catalogue: Catalogue, words: Mapping[str, str]) -> list[str]:
    """Categories down, purposes across: all fields, or how many."""
    rows = []
    for category, about in catalogue.categories.items():
        row = [category]
        for purpose in catalogue.purposes.values():
            fields = purpose.needs.get(category)
            row.append("·" if fields is None else str(len(fields)) if fields else "●")
        rows.append([*row, " ".join(about.fields)])
    legend = f"● {words['all']}, 1 2 3 {words['fields']}"
    return [*_staircase(list(catalogue.purposes), rows), "", legend, ""]


def _kept(catalogue: Catalogue, language: str) -> list[str]:
    words = WORDS[language if language in WORDS else "en"]
    rows = []
    for name, purpose in catalogue.purposes.items():
        clock = purpose.clock
        unit = "days" if clock.days else "years"
        kept = words[unit].format(n=clock.days or clock.years, start=clock.starts)
        if not clock.starts:
            kept = words["consent" if purpose.basis == "consent" else "never"]
        rows.append([name, purpose.basis, kept, _title(purpose.title, language)])
    sizes = [max(width(row[i]) for row in rows) for i in range(3)]
    return [*(_row(row, sizes) for row in rows), ""]


def _title(title: Texts, language: str) -> str:
    return title.get(language) or title.get("en", "")


def width(text: str) -> int:
    """The columns that a text takes on a terminal; Thai marks above and below take none."""
    return sum(0 if unicodedata.category(c) in {"Mn", "Me", "Cf"} else 1 for c in text)


def pad(text: str, size: int) -> str:
    """The text with blanks up to this width."""
    return text + " " * (size - width(text))
