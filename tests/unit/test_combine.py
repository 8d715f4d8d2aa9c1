"""The combination of 2.6 as theorems, over generated findings and generated policies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authz.decision.combine import Decision, Findings, Pair, combine, unknown
from authz.decision.request import Action, Entity, Question, Request, question
from authz.engine.expression import Expression
from authz.engine.match import Matcher
from authz.engine.policy import Compiled, Policy
from authz.policy.cases import Case
from authz.policy.load import load
from authz.policy.testing import StatedSituation
from authz.vocabulary import ObligationId, Reason, Relation, Role

SCHOOL = Path(__file__).resolve().parents[2] / "policies" / "school"


@cache
def school() -> Policy:
    return load(SCHOOL)


CATALOGUE = school().catalogue
PERMITS = [compiled.rule for compiled in school().permits]
REFUSALS = list(school().refusal_ids)
RELATIONS = [relation.value for relation in Relation]
REFUSING = [
    "custody_restricted",
    "retention_ended",
    "objected",
    "processing_restricted",
    "holds_granted_role",
]
FOR_PERMITS = [name for name in RELATIONS if name not in REFUSING]


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    rule = draw(st.sampled_from(PERMITS))
    purposes = rule.purposes or tuple(CATALOGUE.purposes)
    struck = draw(st.just(()) | st.lists(st.sampled_from(REFUSALS), unique=True, max_size=3))
    return Pair(
        rule=rule,
        purpose=draw(st.sampled_from(purposes)),
        fields=tuple(draw(st.lists(st.sampled_from(["email", "phone", "gender"]), unique=True))),
        struck=tuple(sorted(struck, key=REFUSALS.index)),
        classes=tuple(draw(st.lists(st.sampled_from(["C-1", "C-2"]), unique=True))),
    )


@st.composite
def findings(draw: st.DrawFn) -> Findings:
    return Findings(
        pairs=tuple(draw(st.lists(pairs(), max_size=5, unique_by=lambda p: p.rule.id))),
        general=tuple(draw(st.lists(st.sampled_from(REFUSALS), unique=True, max_size=2))),
        left_out=draw(st.booleans()),
        refusals=tuple(REFUSALS),
    )


@st.composite
def questions(draw: st.DrawFn) -> tuple[Case, Question]:
    """A situation and a question near one rule of the school pack."""
    near = draw(st.sampled_from(PERMITS))
    held = near.relations | {"consented"} | draw(st.frozensets(st.sampled_from(FOR_PERMITS)))
    if draw(st.booleans()):
        held |= draw(st.frozensets(st.sampled_from(REFUSING), max_size=2))
    case = Case(
        name="",
        where="",
        roles=draw(st.frozensets(st.sampled_from([role.value for role in Role]), max_size=5))
        | {near.role},
        holds=dict.fromkeys(held),
        classes=("C-1", "C-2"),
    )
    context: dict[str, Any] = {
        "purpose": draw(st.none() | st.sampled_from(near.purposes or tuple(CATALOGUE.purposes))),
        "mfa": True,
        "justification": "a child is missing",
    }
    properties = {"class": "C-1"} if draw(st.booleans()) else {}
    request = Request(
        Entity("user", "U-1"),
        Action(draw(st.sampled_from(sorted(near.actions or CATALOGUE.actions)))),
        Entity(draw(st.sampled_from(list(near.categories))), "S-1", properties),
        context,
    )
    return case, question(request, believes_mfa=True)


def combined(found: Findings) -> Decision:
    return combine(CATALOGUE, found, category="contact")


def decided(policy: Policy, stated: tuple[Case, Question]) -> Decision:
    case, asked = stated
    found = Matcher(policy, asked, StatedSituation(case, asked.class_id)).findings()
    return combine(
        policy.catalogue,
        found,
        category=asked.category,
        asked=asked.fields,
        class_named=asked.class_id is not None,
    )


def refusals_of(policy: Policy, chosen: Iterable[Compiled]) -> Policy:
    return replace(policy, refusals=tuple(chosen))


def unstruck(found: Findings) -> list[Pair]:
    """The pairs that stand: no refusal strikes them, and they have a field to give."""
    return [pair for pair in found.pairs if not pair.struck and pair.fields]


@given(findings())
def test_refusal_beats_permit(found: Findings) -> None:
    """A pair that any refusal strikes gives nothing, and with none standing there is no permit."""
    decision = combined(found)
    standing = unstruck(found)
    assert decision.permit is bool(standing)
    if decision.permit:
        assert set(decision.rules) <= {pair.rule.id for pair in standing}
        given_fields = {name for pair in standing for name in pair.fields}
        assert set(decision.obligations.get(ObligationId.FIELDS, ())) <= given_fields


@given(findings())
def test_a_permit_about_fields_names_them(found: Findings) -> None:
    """No answer can be read as one without a limit, whatever refusals the pack has (E-01)."""
    decision = combined(found)
    assert decision.permit is bool(decision.obligations.get(ObligationId.FIELDS))


@given(findings(), st.sampled_from(REFUSALS), st.data())
def test_striking_one_more_pair_never_opens(
    found: Findings, name: str, data: st.DataObject
) -> None:
    assume(found.pairs)
    place = data.draw(st.integers(0, len(found.pairs) - 1))
    hit = list(found.pairs)
    hit[place] = replace(hit[place], struck=(*hit[place].struck, name))
    before, after = combined(found), combined(replace(found, pairs=tuple(hit)))
    assert before.permit or not after.permit


@given(findings())
def test_a_permit_names_one_purpose_and_all_that_stand_for_it(found: Findings) -> None:
    decision = combined(found)
    assume(decision.permit)
    standing = unstruck(found)
    assert decision.purpose == standing[0].purpose
    chosen = [pair for pair in standing if pair.purpose == decision.purpose]
    assert decision.rules == tuple(pair.rule.id for pair in chosen)
    bound = all(pair.rule.id in CATALOGUE.obligations.classes for pair in chosen)
    assert bound or ObligationId.CLASSES not in decision.obligations


@given(findings())
def test_a_refusal_always_has_its_reason(found: Findings) -> None:
    decision = combined(found)
    assume(not decision.permit)
    assert not decision.obligations
    if decision.rules:
        assert decision.reason == decision.rules[0]
        assert list(decision.rules) == sorted(decision.rules, key=REFUSALS.index)
    else:
        wanted = Reason.PURPOSE_REQUIRED if found.left_out else Reason.NO_RULE
        assert decision.reason == wanted


@given(findings(), st.lists(st.sampled_from([rule.id for rule in PERMITS]), min_size=1))
def test_broken_rule_refuses_everything(found: Findings, broken: list[str]) -> None:
    decision = combined(replace(found, broken=tuple(broken)))
    assert not decision.permit
    assert decision.reason == Reason.RULE_ERROR
    assert decision.rules == tuple(broken)


@given(questions(), st.sampled_from([compiled.rule.id for compiled in school().permits]))
def test_a_rule_that_cannot_be_evaluated_is_never_skipped(
    stated: tuple[Case, Question], name: str
) -> None:
    """Whatever breaks, in a permit or below: the answer is no, and says so (3.5)."""

    def fail(*_: object) -> bool:
        raise RuntimeError(name)

    policy = replace(
        school(),
        permits=tuple(
            replace(c, expression=Expression("", frozenset(), fail)) if c.rule.id == name else c
            for c in school().permits
        ),
    )
    before, after = decided(school(), stated), decided(policy, stated)
    assert after == before or (not after.permit and after.reason == Reason.RULE_ERROR)
    assert name not in after.rules or after.reason == Reason.RULE_ERROR


@given(questions(), st.frozensets(st.sampled_from(REFUSALS)))
def test_adding_a_refusal_never_opens(stated: tuple[Case, Question], some: frozenset[str]) -> None:
    policy = school()
    fewer = refusals_of(policy, (c for c in policy.refusals if c.rule.id in some))
    less, more = decided(fewer, stated), decided(policy, stated)
    assert less.permit or not more.permit
    if more.permit and less.purpose == more.purpose:
        assert set(more.rules) <= set(less.rules)
        few, many = (set(d.obligations.get(ObligationId.FIELDS, ())) for d in (more, less))
        assert few <= many


@given(questions(), st.frozensets(st.sampled_from([rule.id for rule in PERMITS])))
def test_removing_a_permit_never_opens(stated: tuple[Case, Question], some: frozenset[str]) -> None:
    policy = school()
    fewer = replace(policy, permits=tuple(c for c in policy.permits if c.rule.id in some))
    assert decided(policy, stated).permit or not decided(fewer, stated).permit


@given(questions(), st.randoms(use_true_random=False))
def test_order_of_rules_does_not_matter(stated: tuple[Case, Question], random: Random) -> None:
    """The order of the lines chooses the order of names, and the first purpose; nothing else."""
    policy = school()
    permits, refusals = list(policy.permits), list(policy.refusals)
    random.shuffle(permits)
    random.shuffle(refusals)
    other = replace(policy, permits=tuple(permits), refusals=tuple(refusals))
    before, after = decided(policy, stated), decided(other, stated)
    assert after.permit is before.permit
    if before.permit and before.purpose != after.purpose:
        return
    assert set(after.rules) == set(before.rules)
    assert dict(after.obligations) == dict(before.obligations)
    if not before.rules:
        assert after.reason == before.reason


def test_order_of_lines_in_the_file_does_not_matter(tmp_path: Path) -> None:
    """The same on a pack that is written and read anew."""
    for name in ("model.conf", "catalogue.toml"):
        (tmp_path / name).write_bytes((SCHOOL / name).read_bytes())
    written = (SCHOOL / "policy.csv").read_text("utf-8").splitlines()
    (tmp_path / "policy.csv").write_text("\n".join(reversed(written)), "utf-8")
    other = load(tmp_path)
    assert {c.rule.id for c in other.permits} == {c.rule.id for c in school().permits}
    assert list(other.refusal_ids) == REFUSALS[::-1]


WORD = st.text(min_size=1, max_size=12)


@given(WORD, WORD, st.none() | WORD)
def test_unknown_word_refuses(category: str, action: str, purpose: str | None) -> None:
    """Looked at first, in this order: category, action, purpose."""
    reason = unknown(CATALOGUE, category, action, purpose)
    if category not in CATALOGUE.categories:
        assert reason == Reason.UNKNOWN_CATEGORY
    elif action not in CATALOGUE.actions:
        assert reason == Reason.UNKNOWN_ACTION
    elif purpose is not None and purpose not in CATALOGUE.purposes:
        assert reason == Reason.UNKNOWN_PURPOSE
    else:
        assert reason is None


@pytest.mark.parametrize("category", list(CATALOGUE.categories))
@pytest.mark.parametrize(
    "change", [str.upper, str.title, lambda word: word + " ", lambda w: w[:-1]]
)
def test_words_are_compared_byte_for_byte(category: str, change: Any) -> None:
    assert unknown(CATALOGUE, change(category), "read", None) == Reason.UNKNOWN_CATEGORY
    assert unknown(CATALOGUE, category, "READ", None) == Reason.UNKNOWN_ACTION
    assert unknown(CATALOGUE, category, "read", "") == Reason.UNKNOWN_PURPOSE


def test_nothing_at_all_refuses() -> None:
    """Deny by default (N-23)."""
    assert combined(Findings()) == Decision(permit=False, reason="no_rule")
