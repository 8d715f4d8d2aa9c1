"""Policy tests: what a pack says of stated situations, without a database (3.3).

Run by ``authz policy test``. Every case must give exactly what it expects, and every rule
must be seen at work: a permit permitting, and not permitting what it is about; a refusal
striking. A rule without a test is a failure.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authz.decision.catalogue import About
from authz.decision.combine import Decision, refuse
from authz.decision.request import Action, Entity, Question, Request, question
from authz.engine import decide as engine
from authz.engine.policy import Policy
from authz.errors import MalformedError
from authz.policy.cases import Case, CaseReader
from authz.vocabulary import CLASS_RELATIONS, ObligationId, Relation, Role

FOLDER = "tests"
ALWAYS_TRUE = frozenset({Relation.SUBJECT_ACTIVE.value, Relation.PERSON_KNOWN.value})
SUBJECT_ID, PERSON_ID = "U-1", "S-1"


class StatedRelations:
    """``r.rel`` of a case: what it states holds, and nothing else."""

    def __init__(self, case: Case, purpose: str | None) -> None:
        self._case = case
        self._purpose = purpose

    def __getattr__(self, name: str) -> bool:
        """Whether the case states the relation, for this purpose."""
        if name not in tuple(Relation):
            raise AttributeError(name)
        if name in self._case.fails:
            return False
        if name not in self._case.holds:
            return name in ALWAYS_TRUE
        purposes = self._case.holds[name]
        return purposes is None or self._purpose is None or self._purpose in purposes


@dataclass(frozen=True, slots=True)
class StatedSituation:
    """A :class:`authz.engine.match.Situation` out of a case."""

    case: Case
    class_id: str | None = None

    @property
    def roles(self) -> frozenset[str]:
        """The roles stated; everybody active is ``public`` (2.4)."""
        active = Relation.SUBJECT_ACTIVE not in self.case.fails
        return self.case.roles | ({Role.PUBLIC.value} if active else frozenset())

    @property
    def subject_properties(self) -> Any:
        """The stored properties of a subject that is a generic entity."""
        return self.case.subject.get("properties", {})

    @property
    def resource_properties(self) -> Any:
        """The properties of the resource, as sent and stored."""
        return {**self.case.resource.get("properties", {}), **self.case.ask.get("properties", {})}

    @property
    def resource_known(self) -> bool:
        """Whether the directory knows what the resource names."""
        stated: bool = self.case.resource.get("known", True)
        return stated and Relation.PERSON_KNOWN not in self.case.fails

    def relations(self, purpose: str | None) -> StatedRelations:
        """The relations by name, for a use with this purpose."""
        return StatedRelations(self.case, purpose)

    def contract_fields(self, purpose: str | None) -> Collection[str] | None:
        """The fields that the contracts in force name; None where they name no limit."""
        for purposes, fields in self.case.contract_fields:
            if purposes is None or purpose in purposes:
                return fields
        return None

    def classes(self, relations: frozenset[str]) -> tuple[str, ...]:
        """The classes stated, where a relation that holds in classes is asked."""
        held = {r for r in relations & CLASS_RELATIONS if getattr(self.relations(None), r)}
        named = (None, self.class_id) if self.class_id is None else (self.class_id,)
        return tuple(sorted(c for c in self.case.classes if held and (None in named or c in named)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """One case and what differed from what it expects; nothing differs where it passed."""

    case: Case
    decision: Decision
    differences: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether everything is as expected."""
        return not self.differences


@dataclass(frozen=True, slots=True)
class Results:
    """All outcomes, and the rules that no passing case shows at work."""

    outcomes: tuple[Outcome, ...]
    untested: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Whether there are cases, all pass, and every rule is shown."""
        return bool(self.outcomes) and not self.untested and all(o.passed for o in self.outcomes)

    @property
    def clauses(self) -> frozenset[str]:
        """The clauses that the passing cases show kept."""
        return frozenset(c for o in self.outcomes if o.passed for c in o.case.clauses)

    def lines(self) -> list[str]:
        """The failures, and a last line that counts."""
        found = []
        for outcome in self.outcomes:
            if not outcome.passed:
                found.append(f"FAILED {outcome.case.where}: {outcome.case.name}")
                found.extend(f"       {difference}" for difference in outcome.differences)
        found.extend(f"FAILED {text}" for text in self.untested)
        if not self.outcomes:
            found.append(f"FAILED The pack has no tests; expected some in {FOLDER}/*.yaml.")
        failed = sum(not outcome.passed for outcome in self.outcomes)
        good = len(self.outcomes) - failed
        found.append(f"{good} passed, {failed} failed, {len(self.untested)} gaps in what is shown")
        return found

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "passed": self.passed,
            "cases": [
                {
                    "case": outcome.case.name,
                    "where": outcome.case.where,
                    "clauses": list(outcome.case.clauses),
                    "passed": outcome.passed,
                    "differences": list(outcome.differences),
                }
                for outcome in self.outcomes
            ],
            "untested": list(self.untested),
        }


def run(policy: Policy, folder: Path) -> Results:
    """The tests of the pack in ``folder`` against its policy; PolicyError in a test file."""
    rules = (compiled.rule.id for compiled in (*policy.permits, *policy.refusals))
    cases = CaseReader(policy.catalogue, frozenset(rules)).folder(folder / FOLDER)
    outcomes = tuple(_outcome(policy, case) for case in cases)
    return Results(outcomes, tuple(_untested(policy, outcomes)) if outcomes else ())


def decide(policy: Policy, case: Case) -> Decision:
    """What the policy says of a case; MalformedError where it asks no question."""
    asked = _question(policy, case)
    return engine.decide(policy, asked, StatedSituation(case, asked.class_id))


def _question(policy: Policy, case: Case) -> Question:
    ask = case.ask
    own = Relation.SELF in case.holds
    context, properties = dict(ask.get("context", {})), dict(ask.get("properties", {}))
    if "purpose" in ask:
        context["purpose"] = ask["purpose"]
    if "fields" in ask:
        properties["fields"] = ask["fields"]
    request = Request(
        subject=Entity(
            case.subject.get("type", "user"),
            case.subject.get("id", PERSON_ID if own else SUBJECT_ID),
            case.subject.get("properties", {}),
        ),
        action=Action(ask["action"], ask.get("action_properties", {})),
        resource=Entity(ask["category"], case.resource.get("id", PERSON_ID), properties),
        context=context,
    )
    if policy.catalogue.about is About.PEOPLE:
        return question(request, believes_mfa=True)
    return Question(request)


def _outcome(policy: Policy, case: Case) -> Outcome:
    try:
        decision = decide(policy, case)
    except MalformedError as error:
        return Outcome(case, refuse(error.code), (f"It is no question: {error}",))
    return Outcome(case, decision, tuple(_differences(case, decision)))


def _differences(case: Case, decision: Decision) -> Iterable[str]:
    """Where the answer is not the one expected. What is not stated of a duty must not be."""
    expected = case.expect
    got: dict[str, Any] = {
        "decision": decision.permit,
        "reason": decision.reason,
        "rules": list(decision.rules),
        "purpose": decision.purpose,
    }
    for name, value in got.items():
        if name in expected and expected[name] != value:
            yield f"{name}: expected {expected[name]!r}, got {value!r}"
    if not decision.permit or not expected["decision"]:
        return
    stated = expected.get("obligations", {})
    for duty in ObligationId:
        value = decision.obligations.get(duty)
        if duty.value in stated or (value is not None and duty is not ObligationId.FIELDS):
            wanted = stated.get(duty.value)
            if wanted != value:
                yield f"{duty.value}: expected {wanted!r}, got {value!r}"


def _untested(policy: Policy, outcomes: Iterable[Outcome]) -> Iterable[str]:
    """The rules that no passing case shows at work, from both sides."""
    passing = [outcome for outcome in outcomes if outcome.passed]
    for compiled in policy.permits:
        rule = compiled.rule
        about = [o for o in passing if rule.covers(o.case.ask["action"], o.case.ask["category"])]
        if not any(rule.id in o.decision.rules for o in about if o.decision.permit):
            yield f"No test shows {rule.id} permitting."
        if all(rule.id in o.decision.rules for o in about):
            yield f"No test shows {rule.id} not permitting what it is about."
    for compiled in policy.refusals:
        rule = compiled.rule
        if not any(rule.id in o.decision.rules for o in passing if not o.decision.permit):
            yield f"No test shows {rule.id} striking."
