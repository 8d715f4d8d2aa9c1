"""The rules of a pack, generated for other engines, answer as our decision does."""

import importlib
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any

import pytest

from authz.decision.request import Question, parse, question
from authz.engine.decide import decide
from authz.engine.policy import Policy
from authz.policy.load import load
from authz.vocabulary import PURPOSE_RELATIONS, Relation
from benchmarks.pack.languages import python
from benchmarks.pack.peers import PEERS
from benchmarks.pack.terms import ASKED, translated
from benchmarks.pack.views import View, view

MODULES = {"vakt": "vakt", "regorus (RVM)": "regorus", "cedarpy": "cedarpy"}
ASKED_OF_EACH = 1500


class Told:
    """A situation made up by chance: the roles and what is true for each purpose."""

    subject_properties: Mapping[str, Any] = MappingProxyType({})
    resource_properties: Mapping[str, Any] = MappingProxyType({})
    resource_known = True

    def __init__(self, dice: random.Random, policy: Policy) -> None:
        # Mostly as in life: few refusals hold, or nothing would ever be permitted.
        odds = {Relation.SUBJECT_ACTIVE: 0.95, Relation.PERSON_KNOWN: 0.95}
        rare = {"custody_restricted", "retention_ended", "objected", "processing_restricted"}
        chance = {r: odds.get(r, 0.05 if r in rare else 0.5) for r in Relation}
        self.roles = frozenset(dice.sample(policy.catalogue.roles, 5)) | {"public"}
        plain = {str(r): dice.random() < chance[r] for r in Relation}
        self.by_purpose = {
            purpose: SimpleNamespace(
                **plain | {str(r): dice.random() < chance[r] for r in sorted(PURPOSE_RELATIONS)}
            )
            for purpose in (None, *policy.catalogue.purposes)
        }

    def relations(self, purpose: str | None) -> Any:
        return self.by_purpose[purpose]

    def contract_fields(self, _purpose: str | None) -> None:
        return None

    def classes(self, _relations: frozenset[str]) -> tuple[str, ...]:
        return ()


def cases(policy: Policy, count: int) -> Iterator[tuple[View, bool]]:
    dice, catalogue = random.Random(7), policy.catalogue
    for _ in range(count):
        context: dict[str, Any] = {"mfa": dice.random() < 0.5}
        if dice.random() < 0.5:
            context["purpose"] = dice.choice(list(catalogue.purposes))
        if dice.random() < 0.5:
            context["justification"] = "flood"
        asked: Question = question(
            parse(
                {
                    "subject": {"type": "user", "id": "a"},
                    "action": {"name": dice.choice(catalogue.actions)},
                    "resource": {
                        "type": dice.choice(list(catalogue.categories)),
                        "id": "b",
                        "properties": dice.choice([{}, {"class": "c"}]),
                    },
                    "context": context,
                }
            ),
            believes_mfa=True,
        )
        told = Told(dice, policy)
        yield view(policy, asked, told), decide(policy, asked, told).permit


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load(Path(__file__).parents[2] / "policies/school")


def by_terms(policy: Policy) -> Callable[[View], bool]:
    """The terms themselves, as Python: what every language is generated from."""
    pack = translated(policy)
    permits = [(one, compile(python(one.test), one.id, "eval")) for one in pack.permits]
    refusals = [(one, compile(python(one.test), one.id, "eval")) for one in pack.refusals]

    def holds(one: Any, test: Any, v: View) -> bool:
        return (
            one.role in ("any", *v["roles"])
            and (not one.actions or v["action"] in one.actions)
            and (not one.categories or v["category"] in one.categories)
            and (one.slot != ASKED or ASKED in v["views"])
            and bool(eval(test, {"v": v}))  # noqa: S307 (our own generated text)
        )

    def ask(v: View) -> bool:
        return any(holds(*each, v) for each in permits) and not any(
            holds(*each, v) for each in refusals
        )

    return ask


def test_the_terms_answer_as_the_decision(policy: Policy) -> None:
    ask = by_terms(policy)
    answers = [(ask(v), permit) for v, permit in cases(policy, ASKED_OF_EACH)]
    assert all(said is permit for said, permit in answers)
    assert sum(permit for _, permit in answers) > ASKED_OF_EACH / 20, "too few are permitted"


@pytest.mark.parametrize("name", PEERS)
def test_each_engine_answers_as_the_decision(name: str, policy: Policy) -> None:
    if not importlib.util.find_spec(MODULES[name]):
        pytest.skip(f"{MODULES[name]} is of the optional group `peers`")
    ask = PEERS[name](translated(policy))
    for v, permit in cases(policy, ASKED_OF_EACH):
        assert ask(v) is permit, v
