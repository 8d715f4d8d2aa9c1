"""What differs between two policies, and which recorded decisions would (3.3, 4.2).

The differences are said word by word: a rule's columns, a category's fields, a purpose's
needs and clock, an obligation, a sentence, a role that inherits another. Both parts are
pure: :func:`replay` is given the requests and what decides them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Generic, TypeVar

from authz.decision.catalogue import Catalogue
from authz.decision.combine import Decision
from authz.decision.rule import Rule
from authz.engine.policy import Policy
from authz.vocabulary import ObligationId

T = TypeVar("T")
Values = Mapping[str, Mapping[str, str]]
"""For each thing of one kind its parts, each as text."""


Description = Mapping[str, Values]
"""A whole policy: the values of each kind."""
ORDER = "rules"
"""The kind under which the order of the rules is described."""


class How(StrEnum):
    """What became of something."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"


MARKS = {How.ADDED: "+", How.REMOVED: "-", How.CHANGED: "~"}


@dataclass(frozen=True, slots=True)
class Change:
    """One difference: of a rule, say, the rule's id and the column that changed.

    ``part`` is empty where the whole thing was added or removed.
    """

    kind: str
    name: str
    how: How
    part: str = ""
    before: str = ""
    after: str = ""

    def line(self) -> str:
        """The difference on one line."""
        head = f"{MARKS[self.how]} {self.kind} {self.name}"
        if self.how is How.CHANGED:
            return (
                f"{head}: {self.part}: {self.before or '(nothing)'} → {self.after or '(nothing)'}"
            )
        return f"{head}: {self.before or self.after}".rstrip(": ")


def diff(old: Policy, new: Policy) -> list[Change]:
    """Every difference that can change a decision, a duty or a sentence."""
    return compare(described(old), described(new))


def described(policy: Policy) -> Description:
    """All of a policy that :func:`compare` looks at, as JSON can hold it."""
    kinds: Mapping[str, Callable[[Policy], Values]] = {
        "pack": _pack,
        "category": _categories,
        "purpose": _purposes,
        "rule": _rules,
        "role": _hierarchy,
        "obligation": _obligations,
        "reason": _reasons,
        "separation": _separation,
        ORDER: _ids,
    }
    return {kind: values(policy) for kind, values in kinds.items()}


def compare(old: Description, new: Description) -> list[Change]:
    """Every difference between two policies that were described."""
    found = [
        change
        for kind, values in new.items()
        if kind != ORDER
        for change in _changes(kind, old.get(kind, {}), values)
    ]
    return [*found, *_order(old.get(ORDER, {}), new.get(ORDER, {}))]


def lines(changes: Iterable[Change]) -> list[str]:
    """The differences as text, or that there is none."""
    return [change.line() for change in changes] or ["no difference"]


def as_dict(changes: Iterable[Change]) -> list[dict[str, Any]]:
    """The differences for ``--json``."""
    return [asdict(change) for change in changes]


def _changes(kind: str, old: Values, new: Values) -> Iterator[Change]:
    for name in dict.fromkeys((*old, *new)):
        before, after = old.get(name), new.get(name)
        if before is None and after is not None:
            yield Change(kind, name, How.ADDED, after=_whole(after))
        elif after is None and before is not None:
            yield Change(kind, name, How.REMOVED, before=_whole(before))
        elif before is not None and after is not None:
            for part in dict.fromkeys((*before, *after)):
                was, now = before.get(part, ""), after.get(part, "")
                if was != now:
                    yield Change(kind, name, How.CHANGED, part, was, now)


def _whole(parts: Mapping[str, str]) -> str:
    return ", ".join(text for text in parts.values() if text)


def _order(old: Values, new: Values) -> Iterator[Change]:
    """The order of the rules is the order of the answer: it chooses purpose and reason (2.6)."""
    for name in new:
        before, after = (side.get(name, {}).get("order", "").split() for side in (old, new))
        both = set(before) & set(after)
        was, now = ([i for i in ids if i in both] for ids in (before, after))
        if was != now:
            yield Change("rules", name, How.CHANGED, "order", " ".join(was), " ".join(now))


def _ids(policy: Policy) -> Values:
    """The ids of the rules in their order."""
    return {
        name: {"order": " ".join(compiled.rule.id for compiled in rules)}
        for name, rules in (("permits", policy.permits), ("refusals", policy.refusals))
    }


def _pack(policy: Policy) -> Values:
    catalogue = policy.catalogue
    return {
        catalogue.about.value: {
            "name": catalogue.name,
            "subject_types": " ".join(sorted(catalogue.subject_types)),
            "actions": " ".join(catalogue.actions),
            "roles": " ".join(catalogue.roles),
            "answers": "plain" if catalogue.plain_answers else "explained",
        }
    }


def _categories(policy: Policy) -> Values:
    return {
        name: {
            "fields": " ".join(category.fields),
            **({"everywhere": "true"} if category.everywhere else {}),
            **category.title,
        }
        for name, category in policy.catalogue.categories.items()
    }


def _purposes(policy: Policy) -> Values:
    return {
        name: {
            "basis": purpose.basis,
            "clock": " ".join(f"{k} {v}" for k, v in asdict(purpose.clock).items() if v),
            "needs": _with_fields(purpose.needs),
            **purpose.title,
        }
        for name, purpose in policy.catalogue.purposes.items()
    }


def _rules(policy: Policy) -> Values:
    return {
        compiled.rule.id: _columns(policy.catalogue, compiled.rule)
        for compiled in (*policy.permits, *policy.refusals)
    }


def _columns(catalogue: Catalogue, rule: Rule) -> dict[str, str]:
    actions, purposes = rule.actions, rule.purposes
    return {
        "role": rule.role,
        "action": "any"
        if actions is None
        else _listed(action for action in catalogue.actions if action in actions),
        "categories": _with_fields(rule.categories),
        "purposes": "any"
        if purposes is None
        else _listed(f"{p}*" if p == rule.default_purpose else p for p in purposes),
        "condition": rule.condition,
        "effect": rule.effect.value,
    }


def _with_fields(categories: Mapping[str, tuple[str, ...]]) -> str:
    return _listed(
        f"{name}({' '.join(fields)})" if fields else name for name, fields in categories.items()
    )


def _listed(names: Iterable[str]) -> str:
    return "|".join(names)


def _hierarchy(policy: Policy) -> Values:
    return {role: {"inherits": " ".join(sorted(below))} for role, below in policy.senior.items()}


def _obligations(policy: Policy) -> Values:
    table = policy.catalogue.obligations
    kinds = {"classes": table.classes, "pseudonymise": table.pseudonymise, "review": table.review}
    found = {name: {"rules": " ".join(sorted(rules))} for name, rules in kinds.items() if rules}
    if table.notify:
        found["notify"] = {rule: " ".join(whom) for rule, whom in sorted(table.notify.items())}
    return found


def _reasons(policy: Policy) -> Values:
    return {name: dict(texts) for name, texts in policy.catalogue.reasons.items()}


def _separation(policy: Policy) -> Values:
    return {
        each.id: {"roles": " ".join(each.roles), **each.title}
        for each in policy.catalogue.separation
    }


@dataclass(frozen=True, slots=True)
class ReplayItem(Generic[T]):
    """A recorded request: how the trail names it, and what the caller decides it by."""

    id: str
    request: T


@dataclass(frozen=True, slots=True)
class Changed:
    """A recorded request whose decision would differ."""

    id: str
    before: Decision
    after: Decision

    @property
    def opens(self) -> bool:
        """Whether what is refused now would be permitted."""
        return self.after.permit and not self.before.permit

    @property
    def closes(self) -> bool:
        """Whether what is permitted now would be refused."""
        return self.before.permit and not self.after.permit

    def line(self) -> str:
        """The difference on one line."""
        mark = "OPENS " if self.opens else "CLOSES" if self.closes else "ALTERS"
        return f"{mark} {self.id}: {_said(self.before)} → {_said(self.after)}"


def replay(
    old: Policy,
    new: Policy,
    records: Iterable[ReplayItem[T]],
    decide: Callable[[Policy, T], Decision],
) -> Iterator[Changed]:
    """The recorded requests that the new policy would decide otherwise than the old one."""
    for item in records:
        before, after = decide(old, item.request), decide(new, item.request)
        if before != after:
            yield Changed(item.id, before, after)


def _said(decision: Decision) -> str:
    rules = ", ".join(decision.rules)
    if not decision.permit:
        return f"no, {decision.reason}" + (f" ({rules})" if rules else "")
    duties = [
        f"{name.value} {' '.join(value) if isinstance(value, list) else value}"
        for name, value in decision.obligations.items()
        if name is not ObligationId.WITHHELD
    ]
    return f"yes, {decision.purpose or '-'} ({'; '.join([rules, *duties])})"
