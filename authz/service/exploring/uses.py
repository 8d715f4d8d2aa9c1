"""All that one subject may do with one person's data, each asked of the engine (3.4).

A use counts where some words of a caller would permit it: any purpose that the rule serves,
with a second factor and a justification, naming the class, ticket, order or case on file. The
facts are read once, as a decision reads them, and again where such a name is in the words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Final

from authz.decision.request import Action, Entity, Question, Request
from authz.decision.rule import Rule
from authz.directory import reader
from authz.directory import tables as t
from authz.directory.asking import Asking
from authz.directory.evidence import OnFile
from authz.directory.facts import Facts
from authz.directory.needs import EVERYTHING
from authz.directory.relations import Situation
from authz.engine import decide as engine
from authz.engine.formula import All, Related
from authz.engine.plan import stands
from authz.engine.policy import Compiled, Policy
from authz.service.decide import DecisionPoint
from authz.service.exploring.ended import Ended, without
from authz.vocabulary import Relation

CLASS_NAMED = "r.ctx.class_named"
_NAMED = (
    ("ticket", t.Ticket, {Relation.TICKETED}),
    ("order", t.Order, {Relation.ORDERED}),
    ("case", t.Case, {Relation.ON_CASE, Relation.ON_RIGHTS_REQUEST}),
)


_STEADY: Final = frozenset(
    {
        Relation.SELF,
        Relation.GUARDIAN,
        Relation.MINOR,
        Relation.SAME_SCHOOL,
        Relation.TEACHES,
        Relation.ASSISTS,
        Relation.MENTORS,
        Relation.ELEVATED,
    }
)
"""Relations that no words of a caller can make true."""


@dataclass(frozen=True, slots=True)
class Use:
    """A use that is permitted by a rule; ``situation`` is what was decided on."""

    rule: Rule
    situation: Situation

    @property
    def question(self) -> Question:
        """The question that was permitted, with all its words."""
        return self.situation.question


def bare(kind: str, subject: str, person: str) -> Question:
    """A question about these two, without action and category, with a second factor."""
    request = Request(Entity(kind, subject), Action(""), Entity("", person))
    return Question(request, mfa=True, justified=True)


def uses(
    point: DecisionPoint,
    asking: Asking,
    pair: Question,
    on_file: OnFile,
    at: datetime,
    gone: Ended | None = None,
) -> list[Use]:
    """Every permitted use of these two, in the order of the policy's rules."""
    looking = _Looking(point, asking, on_file, at, gone)
    situation = looking.situation(pair, looking.facts(pair))
    roles = point.policy.closure(situation.roles)
    held = situation.relations(None)
    found: list[Use] = []
    for rule, asked, needed in _possible(point.policy, pair.request.subject.type):
        held_role = rule.role == "any" or rule.role in roles
        if held_role and all(getattr(held, name) for name in needed):
            found += looking.permitted(rule, asked, pair, situation.facts)
    return found


Words = tuple[str, str, str | None]
"""An action, a category and a purpose."""
_KNOWN: dict[tuple[str, str], list[tuple[Rule, list[Words], frozenset[str]]]] = {}


def _possible(policy: Policy, kind: str) -> list[tuple[Rule, list[Words], frozenset[str]]]:
    """Each permit with the words that it could ever stand for, whoever the two are.

    And with the relations that it cannot do without, of those that no words can change. What
    is left out here is refused by the words alone (a purpose that does not need the category).
    """
    key = (policy.digest, kind)
    if key not in _KNOWN:
        _KNOWN[key] = [_of_rule(policy, compiled, kind) for compiled in policy.permits]
    return _KNOWN[key]


def _of_rule(
    policy: Policy, compiled: Compiled, kind: str
) -> tuple[Rule, list[Words], frozenset[str]]:
    rule, catalogue = compiled.rule, policy.catalogue
    named = "?" if CLASS_NAMED in rule.mentions else None
    pair = replace(bare(kind, "", ""), class_id=named)
    possible: list[Words] = []
    needed = _STEADY
    for action, category in product(catalogue.actions, catalogue.categories):
        purposes = rule.purposes or tuple(catalogue.purposes) or (None,)
        for purpose in purposes if rule.covers(action, category) else ():
            formula = stands(policy, worded(pair, (action, category, purpose)), compiled, purpose)
            if formula is not False:
                possible.append((action, category, purpose))
                parts = formula.parts if isinstance(formula, All) else (formula,)
                needed &= {each.name for each in parts if isinstance(each, Related)}
    return rule, possible, needed


def worded(pair: Question, words: Words) -> Question:
    """The question about the pair in these words."""
    action, category, purpose = words
    resource = replace(pair.request.resource, type=category)
    request = replace(pair.request, action=Action(action), resource=resource)
    return replace(pair, request=request, purpose=purpose)


@dataclass(frozen=True)
class _Looking:
    point: DecisionPoint
    asking: Asking
    on_file: OnFile
    at: datetime
    gone: Ended | None

    def facts(self, asked: Question) -> Facts:
        facts = reader.people(self.asking, asked, EVERYTHING)
        return without(facts, asked, self.on_file, self.gone) if self.gone else facts

    def situation(self, asked: Question, facts: Facts) -> Situation:
        catalogue = self.point.policy.catalogue
        return Situation(asked, facts, self.at, self.point.place, catalogue)

    def permitted(
        self, rule: Rule, possible: list[Words], pair: Question, facts: Facts
    ) -> Iterator[Use]:
        """The uses that this rule permits, each once."""
        seen: set[Words] = set()
        for named in self._naming(rule, pair):
            known = self.facts(named) if _names(named) else facts
            for words in possible:
                if words in seen:
                    continue
                situation = self.situation(worded(named, words), known)
                decision = engine.decide(self.point.policy, situation.question, situation)
                if decision.permit and rule.id in decision.rules:
                    seen.add(words)
                    yield Use(rule, situation)

    def _naming(self, rule: Rule, pair: Question) -> list[Question]:
        """The question with each ticket, order, case or class that the rule could ask for."""
        found = [pair]
        for name, table, relations in _NAMED:
            if relations & rule.relations:
                idents = [row["id"] for row in self.on_file.of(table)]
                found = [replace(each, **{name: ident}) for each in found for ident in idents]
        if CLASS_NAMED in rule.mentions:
            shared = self._classes(pair.request.subject.id) & self._classes(pair.person)
            found = [replace(each, class_id=name) for each in found for name in sorted(shared)]
        return found

    def _classes(self, person: str) -> set[str]:
        rows = self.on_file.of(t.Enrolment)
        return {row["class"] for row in rows if row["person"] == person}


def _names(asked: Question) -> bool:
    return any(getattr(asked, name) is not None for name, _, _ in _NAMED)
