"""Which rules hold for a question, for which purpose, and what strikes them (2.5, 2.6)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

from authz.decision import fields
from authz.decision.catalogue import About
from authz.decision.combine import Findings, Pair
from authz.decision.request import Entity, Question
from authz.engine.candidates import Candidate, UnderTest, about
from authz.engine.expression import Bag
from authz.engine.policy import Compiled, Policy


class Situation(Protocol):
    """What is true of the two people now, as the directory tells it."""

    @property
    def roles(self) -> frozenset[str]:
        """The roles that the subject holds towards this person."""

    @property
    def subject_properties(self) -> Any:
        """The stored properties of a subject that is a generic entity."""

    @property
    def resource_properties(self) -> Any:
        """The properties of the resource, as sent and stored."""

    @property
    def resource_known(self) -> bool:
        """Whether the directory knows what the resource names."""

    def relations(self, purpose: str | None) -> Any:
        """The relations by name, for a use with this purpose."""

    def contract_fields(self, purpose: str | None) -> Collection[str] | None:
        """The fields that the contracts in force name; None where they name no limit."""

    def classes(self, relations: frozenset[str]) -> tuple[str, ...]:
        """The classes in which one of these relations holds."""


class Subject:
    """``r.sub``: who asks, and the roles the directory says they hold."""

    __slots__ = ("_situation", "id", "roles", "type")

    def __init__(self, asked: Entity, roles: frozenset[str], situation: Situation) -> None:
        self.type, self.id, self.roles = asked.type, asked.id, roles
        self._situation = situation

    @property
    def properties(self) -> Bag:
        """What the store and the caller say of a generic entity."""
        return Bag(self._situation.subject_properties)


class Resource:
    """``r.res``: the category and the person, or the generic entity."""

    __slots__ = ("_situation", "id", "type")

    def __init__(self, asked: Entity, situation: Situation) -> None:
        self.type, self.id = asked.type, asked.id
        self._situation = situation

    @property
    def known(self) -> bool:
        """Whether the directory knows what it names."""
        return self._situation.resource_known

    @property
    def properties(self) -> Bag:
        """The properties, as sent and stored."""
        return Bag(self._situation.resource_properties)


@dataclass(slots=True)
class Named:
    """``r.act`` (its name) and the properties that the caller sent."""

    name: str
    properties: Bag


@dataclass(slots=True)
class Context:
    """``r.ctx``: what page 2 lets a condition ask of the context and the properties."""

    mfa: bool
    justified: bool
    class_named: bool


class Matcher:
    """One question against one policy; made for it and thrown away."""

    def __init__(self, policy: Policy, question: Question, situation: Situation) -> None:
        self.policy = policy
        self.catalogue = policy.catalogue
        self.question = question
        self.situation = situation
        self.category = question.category
        self.action = question.action
        self.rules = policy.applicable(self.action, self.category)
        self.roles = policy.closure(situation.roles)
        self.broken: list[str] = []

    @cached_property
    def tokens(self) -> dict[str, Any]:
        """The values of the model's tokens, for conditions that ask more than relations."""
        request, question = self.question.request, self.question
        people = self.catalogue.about is About.PEOPLE
        return {
            "r_sub": Subject(request.subject, self.roles, self.situation),
            "r_act": Named(self.action, Bag(request.action.properties)),
            "r_res": Resource(request.resource, self.situation),
            "r_ctx": Context(question.mfa, question.justified, question.class_id is not None)
            if people
            else Bag(request.context),
        }

    @cached_property
    def _values(self) -> list[Any]:
        """The tokens in the model's order, with places for the pair and its relations."""
        return [self.tokens.get(token) for token in self.policy.tokens]

    def findings(self) -> Findings:
        """Everything the decision needs, whatever the order of the rules."""
        pairs: list[Pair] = []
        left_out = False
        asked = self.question.purpose
        for found in self.policy.candidates(self.action, self.category, asked, self.roles):
            if self._stands_for(found):
                left_out |= found.left_out
                if not found.left_out:
                    pairs.append(self.pair(found))
        return Findings(
            pairs=tuple(pairs),
            general=() if pairs else tuple(self._general()),
            left_out=left_out,
            broken=tuple(dict.fromkeys(self.broken)),
            refusals=self.policy.refusal_ids,
        )

    def candidates(self) -> tuple[Compiled, ...]:
        """The permits about this action and category."""
        return self.rules.permits

    def pair(self, found: Candidate) -> Pair:
        """The permit with its purpose: what it leaves, and what strikes it."""
        rule, purpose = found.compiled.rule, found.purpose
        relations = self.situation.relations(purpose)
        left = self._left(found, relations)
        bare = not left and bool(self.catalogue.fields_of(self.category))
        return Pair(
            rule=rule,
            purpose=purpose,
            fields=left,
            struck=self._struck(found, relations, bare=bare),
            classes=self.situation.classes(rule.relations) if found.in_class else (),
        )

    def _stands_for(self, found: Candidate) -> bool:
        """Whether its condition holds; mostly it asks relations alone."""
        if found.test is None:
            return self._holds(found.compiled, self._given(found.asked, found.purpose))
        try:
            return bool(found.test(self.situation.relations(found.purpose)))
        except Exception:  # noqa: BLE001 (as in _holds)
            self.broken.append(found.compiled.rule.id)
            return False

    def _left(self, found: Candidate, relations: Any) -> tuple[str, ...]:
        """The fields that the permit leaves; mostly those that were worked out before."""
        own = found.own != found.others and relations.self
        if not found.contracted and self.question.fields is None:
            return found.own if own else found.others
        return fields.allowed(
            self.catalogue,
            found.compiled.rule,
            self.category,
            found.purpose,
            own=own,
            contracted=self.situation.contract_fields(found.purpose) if found.contracted else None,
            asked=self.question.fields,
        )

    def _struck(self, found: Candidate, relations: Any, *, bare: bool) -> tuple[str, ...]:
        """Every refusal that strikes the pair; mostly none does, which is asked at once."""
        test = found.strikes_bare if bare else found.strikes
        pair, purpose = found.bare if bare else found.pair, found.purpose
        try:
            some = (
                test(relations)
                if test is not None
                else self.rules.strikes(*self._given(pair, purpose))
            )
        except Exception:  # noqa: BLE001 (which one is broken shows where each is asked)
            some = True
        if not some:
            return ()
        given = self._given(pair, purpose)
        return tuple(c.rule.id for c in self.rules.refusals if self._holds(c, given))

    def _general(self) -> Iterator[str]:
        """The refusals that do not depend on a rule, nor on a purpose nobody gave (2.6)."""
        purpose = self.question.purpose
        test = self.policy.strikes_at_large(self.action, self.category, purpose)
        try:
            if test is not None and not test(self.situation.relations(purpose)):
                return
        except Exception:  # noqa: BLE001, S110 (which one is broken shows where each is asked)
            pass
        given = self._given(UnderTest("", *about(self.catalogue, self.category, purpose)), purpose)
        for compiled in self.rules.at_large(purpose):
            if self._holds(compiled, given):
                yield compiled.rule.id

    def _given(self, test: UnderTest, purpose: str | None) -> list[Any]:
        """The values of the model's tokens for one pair; they stand until the next is asked."""
        values, policy = self._values, self.policy
        values[policy.pair_place] = test
        if policy.relations_place is not None:
            values[policy.relations_place] = self.situation.relations(purpose)
        return values

    def _holds(self, compiled: Compiled, given: list[Any]) -> bool:
        try:
            return bool(compiled.expression.holds(*given))
        except Exception:  # noqa: BLE001 (whatever it is: never skipped, always a refusal, 3.5)
            self.broken.append(compiled.rule.id)
            return False
