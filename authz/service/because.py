"""What happens at a moment at which an answer changes: which fact begins or ends (3.4).

The relations and roles that the rules ask are looked at just before and at the moment. What
begins or ends then is told if it turns one of them; if nothing does, the answer changed by
what a fact carries (the fields of a contract), and any fact of that moment may be it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from authz.directory.behind import behind, behind_role
from authz.directory.evidence import OnFile
from authz.directory.fact import Fact
from authz.directory.relations import Situation
from authz.engine.policy import Policy
from authz.vocabulary import Relation

BEFORE = timedelta(microseconds=1)
BEGINS, ENDS = "begins", "ends"

Key = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class Event:
    """A fact that begins or ends."""

    fact: Fact
    how: str


@dataclass(frozen=True, slots=True)
class _View:
    """Whether a relation or role is so, and the facts behind it."""

    holds: bool
    facts: list[Fact]

    def counting(self, fact: Fact) -> bool:
        """Whether that fact counts for it."""
        return any(
            each.counts for each in self.facts if (each.kind, each.id) == (fact.kind, fact.id)
        )


def because(policy: Policy, situation: Situation, on_file: OnFile, moment: datetime) -> list[Event]:
    """What begins or ends at that moment and turns what the rules ask."""
    then = _views(policy, replace(situation, now=moment), on_file)
    before = _views(policy, replace(situation, now=moment - BEFORE), on_file)
    bounded = [
        (key, Event(each, how))
        for key, view in then.items()
        for each in view.facts
        for at, how in ((each.since, BEGINS), (each.until, ENDS))
        if at == moment
    ]
    turning = [(key, event) for key, event in bounded if then[key].holds is not before[key].holds]
    flipped = [
        (key, event)
        for key, event in turning
        if then[key].counting(event.fact) is not before[key].counting(event.fact)
    ]
    found: dict[tuple[str, str], Event] = {}
    for _, event in flipped or turning or bounded:
        found.setdefault((event.fact.kind, event.fact.id), event)
    return list(found.values())


def _views(policy: Policy, now: Situation, on_file: OnFile) -> Mapping[Key, _View]:
    """Every relation that a rule about this action and category asks, and every role."""
    asked = now.question
    rules = [
        compiled.rule
        for compiled in (*policy.permits, *policy.refusals)
        if compiled.rule.covers(asked.action, asked.category)
    ]
    purposes = sorted({asked.purpose} | {rule.default_purpose for rule in rules}, key=str)
    found: dict[Key, _View] = {}
    for name in sorted({name for rule in rules for name in rule.relations}):
        for purpose in purposes:
            holds = bool(getattr(now.relations(purpose), name))
            facts = behind(Relation(name), now, on_file, purpose)
            found[name, purpose] = _View(holds, facts)
    for role in sorted({rule.role for rule in rules}):
        held = role in policy.closure(now.roles)
        found[f"role {role}", None] = _View(held, behind_role(role, now, on_file))
    return found
