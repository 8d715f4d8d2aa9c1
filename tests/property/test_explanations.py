"""An explanation and the decision cannot disagree (issue 3, part 5): random schools.

What the document says is put together again as page 2.6 says, and has to be the decision; and
each relation and role is true exactly where some fact behind it counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from sqlalchemy import Engine

from authz.decision.request import parse
from authz.directory import evidence
from authz.directory.behind import behind, behind_role
from authz.directory.relations import Situation
from authz.service.database import reading
from authz.service.decide import Decided
from authz.service.explain import explained
from authz.vocabulary import Relation, Role
from tests.oracle.policy import REFUSALS
from tests.property.worlds import batches, plain_batches, theorem, worlds
from tests.world import BANGKOK, CALLER, NOW, Row, World, clear, moment, point, policy

ROLES = [role for role in Role if role not in {Role.STUDENT, Role.PLATFORM_ADMIN}]
Document = dict[str, Any]


def explain(store: Engine, world: World, asked: list[Row]) -> list[tuple[Decided, Document]]:
    """The explanations on a world that is put in the emptied store."""
    clear(store)
    world.store(store)
    return explained(point(store), [parse(each) for each in asked], CALLER, NOW, "en")


def outcome(document: Document) -> tuple[bool, list[str]]:
    """Page 2.6, "How they combine", from nothing but what the explanation says."""
    told = document["context"]["explanation"]
    holding = [rule for rule in told["rules"] if rule["holds"]]
    standing = [rule for rule in holding if not rule["struck_by"]]
    if standing:
        purpose = standing[0]["purpose"]["taken"]
        return True, [rule["rule"] for rule in standing if rule["purpose"]["taken"] == purpose]
    struck = {refusal["rule"] for refusal in told["refusals"]}
    assert struck >= {name for rule in holding for name in rule["struck_by"]}
    return False, [name for name in REFUSALS if name in struck]


@theorem
@given(world=worlds(), asked=batches)
def test_the_outcome_of_an_explanation_is_the_decision(
    store: Engine, world: World, asked: list[Row]
) -> None:
    for decided, document in explain(store, world, asked):
        permit, rules = outcome(document)
        assert document["decision"] is decided.decision.permit is permit
        assert list(decided.decision.rules) == rules
    decided_again = [each.decision for each in world.ask_all(store, asked)]
    assert [each.decision for each, _ in explain(store, world, asked)] == decided_again


@theorem
@given(world=worlds(), asked=batches)
def test_a_rule_holds_where_its_role_its_purpose_and_its_condition_do(
    store: Engine, world: World, asked: list[Row]
) -> None:
    for decided, document in explain(store, world, asked):
        for rule in document["context"]["explanation"]["rules"]:
            parts = (rule["role"]["held"], rule["purpose"]["fits"], rule["condition"]["holds"])
            assert rule["holds"] is all(parts), (decided.question, rule)


@theorem
@given(world=worlds(), asked=plain_batches)
def test_a_relation_is_true_exactly_where_a_fact_of_it_counts(
    store: Engine, world: World, asked: list[Row]
) -> None:
    for decided, _ in explain(store, world, asked):
        assert decided.situation is not None
        assert decided.question is not None
        with reading(store) as connection:
            on_file = evidence.read(connection, decided.question)
        for name, holds, counts in told(decided.situation, on_file, decided.decision.purpose):
            assert holds is counts, (name, decided.question)


def told(
    situation: Situation, on_file: evidence.OnFile, purpose: str | None
) -> Iterator[tuple[str, bool, bool]]:
    purpose = situation.question.purpose or purpose
    for relation in Relation:
        facts = behind(relation, situation, on_file, purpose)
        holds = getattr(situation.relations(purpose), relation)
        yield relation, holds, any(each.counts for each in facts)
    for role in ROLES:
        facts = behind_role(role, situation, on_file)
        yield role, role in situation.roles, any(each.counts for each in facts)


@theorem
@given(world=worlds(), asked=plain_batches)
def test_what_would_change_the_answer_does_when_it_is_asked(
    store: Engine, world: World, asked: list[Row]
) -> None:
    """Moments and words are asked again, of the real decision point."""
    found = explain(store, world, asked)
    for request, (decided, document) in zip(asked, found, strict=True):
        for change in document["context"]["explanation"]["changes"]:
            if change["kind"] != "time":
                assert change["decision"] is not decided.decision.permit
            if change["what"] == "from":
                then = world.ask(store, request, at=moment(change["value"]))
            elif change["what"] in {"purpose", "ticket", "order", "case"}:
                context = {**request.get("context", {}), change["what"]: change["value"]}
                then = world.ask(store, {**request, "context": context})
            else:
                continue
            assert (then.permit, list(then.rules)) == (change["decision"], change["rules"])


@theorem
@given(world=worlds(), asked=plain_batches)
def test_the_fields_of_a_rule_are_those_of_the_category_without_what_was_cut(
    store: Engine, world: World, asked: list[Row]
) -> None:
    """E-01: what each limit takes away, and nothing twice."""
    for request, (_, document) in zip(asked, explain(store, world, asked), strict=True):
        for rule in document["context"]["explanation"]["rules"]:
            if "fields" in rule:
                cut = [name for each in rule["fields"]["cut"] for name in each["fields"]]
                known = policy().catalogue.fields_of(request["resource"]["type"])
                assert sorted([*rule["fields"]["allowed"], *cut]) == sorted(known)


def test_every_relation_has_facts_and_words() -> None:
    """3.4: nothing of the vocabulary is forgotten."""
    from authz.directory.behind import FACTS
    from authz.service.explain_texts import RELATIONS, STATES
    from authz.vocabulary import FactState

    assert set(FACTS) == set(RELATIONS) == set(Relation)
    assert set(STATES) == set(FactState)
    assert BANGKOK is not None
