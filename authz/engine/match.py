"""Which rules hold for a question, for which purpose, and what strikes them (2.5, 2.6)."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from authz.decision import fields
from authz.decision.catalogue import About
from authz.decision.combine import Findings, Pair
from authz.decision.request import Question
from authz.decision.rule import Rule
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


@dataclass(slots=True)
class Subject:
    """``r.sub``: who asks, and the roles the directory says they hold."""

    type: str
    id: str
    roles: frozenset[str]
    properties: Bag


@dataclass(slots=True)
class Named:
    """``r.act`` (its name) and the properties that the caller sent."""

    name: str
    properties: Bag


@dataclass(slots=True)
class Resource:
    """``r.res``: the category and the person, or the generic entity."""

    type: str
    id: str
    known: bool
    properties: Bag


@dataclass(slots=True)
class Context:
    """``r.ctx``: what page 2 lets a condition ask of the context and the properties."""

    mfa: bool
    justified: bool
    class_named: bool


@dataclass(slots=True)
class UnderTest:
    """``r.pair``: the permit and the purpose that a refusal is looked at for."""

    rule: str = ""
    purpose: str = ""
    basis: str = ""
    needed: bool = True
    no_fields: bool = False


class Matcher:
    """One question against one policy; made for it and thrown away."""

    def __init__(self, policy: Policy, question: Question, situation: Situation) -> None:
        self.policy = policy
        self.catalogue = policy.catalogue
        self.question = question
        self.situation = situation
        request = question.request
        people = self.catalogue.about is About.PEOPLE
        self.tokens: dict[str, Any] = {
            "r_sub": Subject(
                request.subject.type,
                request.subject.id,
                policy.closure(situation.roles),
                Bag(situation.subject_properties),
            ),
            "r_act": Named(request.action.name, Bag(request.action.properties)),
            "r_res": Resource(
                request.resource.type,
                request.resource.id,
                situation.resource_known,
                Bag(situation.resource_properties),
            ),
            "r_ctx": Context(question.mfa, question.justified, question.class_id is not None)
            if people
            else Bag(request.context),
        }
        self.roles: frozenset[str] = self.tokens["r_sub"].roles
        self.rules = policy.applicable(question.action, question.category)
        self._values = [self.tokens.get(token) for token in policy.tokens]
        self.broken: list[str] = []

    def findings(self) -> Findings:
        """Everything the decision needs, whatever the order of the rules."""
        pairs: list[Pair] = []
        left_out = False
        for compiled in self.candidates():
            rule, gate = compiled.rule, compiled.expression.gate
            if gate is not None and gate not in self.roles:
                continue
            purposeless = self._lacks_purpose(rule)
            purpose = self.question.purpose or rule.default_purpose
            if not purposeless and not _serves(rule, purpose):
                continue
            # With no purpose to test, any of the rule's own lets its condition be asked.
            tested = rule.purposes[0] if purposeless and rule.purposes else purpose
            given = self._given(UnderTest(rule.id, *self._about(tested)), purpose)
            if self._holds(compiled, given):
                left_out |= purposeless
                if not purposeless:
                    pairs.append(self._pair(rule, purpose))
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

    def _lacks_purpose(self, rule: Rule) -> bool:
        """Whether the rule wants a purpose that the caller did not give (2.3)."""
        wants = bool(self.catalogue.purposes)
        return wants and self.question.purpose is None and rule.default_purpose is None

    def _pair(self, rule: Rule, purpose: str | None) -> Pair:
        own = self.situation.relations(purpose).self
        left = fields.allowed(
            self.catalogue,
            rule,
            self.question.category,
            purpose,
            own=own,
            contracted=(
                self.situation.contract_fields(purpose) if "contracted" in rule.relations else None
            ),
            asked=self.question.fields,
        )
        bare = bool(self.catalogue.fields_of(self.question.category)) and not left
        given = self._given(UnderTest(rule.id, *self._about(purpose), bare), purpose)
        return Pair(
            rule=rule,
            purpose=purpose,
            fields=left,
            struck=self._struck(given),
            classes=self.situation.classes(rule.relations),
        )

    def _struck(self, given: list[Any]) -> tuple[str, ...]:
        """Every refusal that strikes the pair; mostly none does, which is asked at once."""
        try:
            some = self.rules.strikes(*given)
        except Exception:  # noqa: BLE001 (which one is broken shows where each is asked)
            some = True
        if not some:
            return ()
        return tuple(c.rule.id for c in self.rules.refusals if self._holds(c, given))

    def _general(self) -> Iterator[str]:
        """The refusals that do not depend on a rule, nor on a purpose nobody gave (2.6)."""
        purpose = self.question.purpose
        given = self._given(UnderTest("", *self._about(purpose)), purpose)
        rules = self.rules.timeless if purpose is None else self.rules.general
        return (compiled.rule.id for compiled in rules if self._holds(compiled, given))

    def _about(self, purpose: str | None) -> tuple[str, str, bool]:
        """What ``r.pair`` says of a purpose: its name, its basis, whether it needs the category."""
        if purpose is None:
            return "", "", True
        known = self.catalogue.purposes[purpose]
        return purpose, known.basis, self.question.category in known.needs

    def _given(self, test: UnderTest, purpose: str | None) -> list[Any]:
        """The values of the model's tokens for one pair, in its order."""
        values = self._values.copy()
        policy = self.policy
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


def _serves(rule: Rule, purpose: str | None) -> bool:
    return rule.purposes is None or purpose in rule.purposes
