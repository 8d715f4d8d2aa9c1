"""All that one subject may do with one person's data, each asked of the engine (3.4).

A use counts where some words of a caller would permit it: any purpose that the rule serves,
with a second factor and a justification, naming the class, ticket, order or case on file. The
facts are read once, as a decision reads them, and again where such a name is in the words.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

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
from authz.service.decide import DecisionPoint
from authz.service.exploring.ended import Ended, without
from authz.vocabulary import Relation

CLASS_NAMED = "r.ctx.class_named"
_NAMED = (
    ("ticket", t.Ticket, {Relation.TICKETED}),
    ("order", t.Order, {Relation.ORDERED}),
    ("case", t.Case, {Relation.ON_CASE, Relation.ON_RIGHTS_REQUEST}),
)


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
    found: list[Use] = []
    for compiled in point.policy.permits:
        if compiled.rule.role == "any" or compiled.rule.role in roles:
            found += looking.permitted(compiled.rule, pair, situation.facts)
    return found


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

    def permitted(self, rule: Rule, pair: Question, facts: Facts) -> Iterator[Use]:
        """The uses that this rule permits, each once."""
        seen = set()
        for worded in self._worded(rule, pair):
            known = facts if worded == pair or not _names(worded) else self.facts(worded)
            for asked in self._asked(rule, worded):
                key = (asked.action, asked.category, asked.purpose)
                if key in seen:
                    continue
                situation = self.situation(asked, known)
                decision = engine.decide(self.point.policy, asked, situation)
                if decision.permit and rule.id in decision.rules:
                    seen.add(key)
                    yield Use(rule, situation)

    def _worded(self, rule: Rule, pair: Question) -> list[Question]:
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

    def _asked(self, rule: Rule, worded: Question) -> Iterator[Question]:
        catalogue = self.point.policy.catalogue
        every = tuple(catalogue.purposes) or (None,)
        for action in catalogue.actions:
            for category in catalogue.categories:
                if not rule.covers(action, category):
                    continue
                resource = replace(worded.request.resource, type=category)
                request = replace(worded.request, action=Action(action), resource=resource)
                asked = replace(worded, request=request)
                for purpose in every if rule.purposes is None else rule.purposes:
                    yield replace(asked, purpose=purpose)


def _names(asked: Question) -> bool:
    return any(getattr(asked, name) is not None for name, _, _ in _NAMED)
