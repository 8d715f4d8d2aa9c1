"""An explanation and the decision cannot disagree (issue 3, part 5): random schools.

What the document says is put together again as page 2.6 says, and has to be the decision; and
each relation and role is true exactly where some fact behind it counts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from hypothesis import given
from sqlalchemy import Engine

from authz.decision.catalogue import Catalogue
from authz.decision.request import parse
from authz.directory import evidence
from authz.directory.behind import FACTS, behind, behind_role
from authz.directory.relations import Situation
from authz.service.change_texts import THINGS
from authz.service.database import reading
from authz.service.decided import Decided
from authz.service.explain import explained
from authz.service.explain_texts import RELATIONS, STATES
from authz.service.hypotheses import ADDS, DROPS, LIFTS
from authz.vocabulary import FactState, Relation, Role
from tests.oracle.policy import REFUSALS
from tests.property.worlds import batches, plain_batches, theorem, worlds
from tests.world import CALLER, NOW, Row, World, clear, moment, point, policy

ROLES = [role for role in Role if role not in {Role.STUDENT, Role.PLATFORM_ADMIN}]
WORDS = {"purpose", "ticket", "order", "case"}
Document = dict[str, Any]


def explain(store: Engine, world: World, asked: list[Row]) -> list[tuple[Decided, Document]]:
    """The explanations on a world that is put in the emptied store."""
    clear(store)
    world.store(store)
    return explained(point(store), [parse(each) for each in asked], CALLER, NOW, "en")


@theorem
@given(world=worlds(), asked=batches)
def test_an_explanation_says_what_was_decided(
    store: Engine, world: World, asked: list[Row]
) -> None:
    """N-23: its rules and refusals, combined as page 2.6 says, are the decision itself."""
    found = explain(store, world, asked)
    for one, (decided, document) in zip(world.ask_all(store, asked), found, strict=True):
        told = document["context"]["explanation"]
        assert decided.decision == one.decision
        permit, rules = outcome(told)
        assert document["decision"] is decided.decision.permit is permit
        assert list(decided.decision.rules) == rules
        for rule in told["rules"]:
            parts = (rule["role"]["held"], rule["purpose"]["fits"], rule["condition"]["holds"])
            assert rule["holds"] is all(parts), rule
            adds_up(rule, policy().catalogue)


def outcome(told: Document) -> tuple[bool, list[str]]:
    """Page 2.6, "How they combine", from nothing but what the explanation says."""
    holding = [rule for rule in told["rules"] if rule["holds"]]
    standing = [rule for rule in holding if not rule["struck_by"]]
    if standing:
        purpose = standing[0]["purpose"]["taken"]
        return True, [rule["rule"] for rule in standing if rule["purpose"]["taken"] == purpose]
    struck = {refusal["rule"] for refusal in told["refusals"]}
    assert struck >= {name for rule in holding for name in rule["struck_by"]}
    return False, [name for name in REFUSALS if name in struck]


def adds_up(rule: Document, catalogue: Catalogue) -> None:
    """E-01: what is allowed and what each limit cut are the category's fields, none twice."""
    if "fields" in rule:
        cut = [name for each in rule["fields"]["cut"] for name in each["fields"]]
        every = sorted([*rule["fields"]["allowed"], *cut])
        assert every in [sorted(known.fields) for known in catalogue.categories.values()]


@theorem
@given(world=worlds(), asked=plain_batches)
def test_a_relation_is_true_exactly_where_a_fact_of_it_counts(
    store: Engine, world: World, asked: list[Row]
) -> None:
    """2.4: so are roles; what has ended, or is somebody else's, counts for nothing."""
    clear(store)
    world.store(store)
    for decided in point(store).what_if([parse(each) for each in asked], CALLER, NOW):
        assert decided.situation is not None
        assert decided.question is not None
        with reading(store) as connection:
            on_file = evidence.read(connection, decided.question)
        for name, holds, counts in truths(decided.situation, on_file, decided.decision.purpose):
            assert holds is counts, (name, decided.question)


def truths(
    situation: Situation, on_file: evidence.OnFile, taken: str | None
) -> Iterator[tuple[str, bool, bool]]:
    """Each relation and role: whether it is so, and whether a fact of it counts."""
    purpose = situation.question.purpose or taken
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
    sqlite_store: Engine, world: World, asked: list[Row]
) -> None:
    """Moments and words are put to the real decision point again; every change is one."""
    found = explain(sqlite_store, world, asked)
    for request, (decided, document) in zip(asked, found, strict=True):
        for change in document["context"]["explanation"]["changes"]:
            if change["kind"] != "time":
                assert change["decision"] is not decided.decision.permit
            if change["what"] == "from":
                then = world.ask(sqlite_store, request, at=moment(change["value"]))
            elif change["what"] in WORDS:
                context = {**request.get("context", {}), change["what"]: change["value"]}
                then = world.ask(sqlite_store, {**request, "context": context})
            else:
                continue
            assert (then.permit, list(then.rules)) == (change["decision"], change.get("rules", []))


def test_nothing_of_the_vocabulary_is_forgotten() -> None:
    """3.4: every relation has facts and words, every state and every change has words."""
    assert set(FACTS) == set(RELATIONS) == set(Relation)
    assert set(STATES) == set(FactState)
    assert set(THINGS) >= set(ADDS) | set(DROPS) | set(LIFTS)
