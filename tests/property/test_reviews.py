"""Theorems of the review's state machine (N-46, N-47)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from authz.review import advice, campaign, reviewers, snapshot
from authz.review.advice import Signals
from authz.review.definition import Definition, Scope, Stage, check, from_dict
from authz.review.item import (
    KEEPING,
    Answer,
    Item,
    RefusedError,
    answered,
    ended_early,
    reassigned,
    remediation,
    submitted,
    unanswered,
    wrong,
)
from authz.review.words import (
    Advice,
    Flag,
    ItemState,
    Kind,
    NoAnswer,
    Remediation,
    Reviewers,
    State,
    Step,
    Verdict,
    Wrong,
)

NOW = datetime(2026, 11, 22, tzinfo=UTC)
PEOPLE = st.sampled_from(["ann", "bob", "cho", "dee"])
MOMENTS = st.one_of(st.none(), st.integers(-50, 50).map(lambda days: NOW + timedelta(days)))
ANSWERS = st.builds(
    Answer,
    verdict=st.sampled_from(Verdict),
    by=PEOPLE,
    reason=st.sampled_from(["", "  ", "no longer needed"]),
    until=MOMENTS,
    for_whom=st.one_of(st.just(""), PEOPLE),
    bulk=st.booleans(),
)
ITEMS = st.builds(
    Item,
    kind=st.sampled_from(Kind),
    holder=PEOPLE,
    person=st.one_of(st.just(""), PEOPLE),
    rostered=st.booleans(),
    until=MOMENTS,
    flags=st.frozensets(st.sampled_from(Flag), max_size=2),
    reviewer=PEOPLE,
    fallback=st.one_of(st.just(""), PEOPLE),
    passed=st.booleans(),
    stage=st.integers(1, 3),
    state=st.sampled_from(ItemState),
    answer=st.one_of(st.none(), ANSWERS),
)
WELL_ASKED = st.tuples(
    ITEMS.map(lambda item: replace(item, state=ItemState.OPEN, holder="eve", person="")), ANSWERS
).map(lambda pair: (pair[0], replace(pair[1], by=pair[0].reviewer)))
"""Items that wait, and an answer of their reviewer."""
SIGNALS = st.builds(
    Signals,
    kind=st.sampled_from(Kind),
    now=st.just(NOW),
    since=MOMENTS,
    until=MOMENTS,
    last_used=MOMENTS,
    used=st.booleans(),
    active=st.booleans(),
    self_granted=st.booleans(),
    rostered=st.booleans(),
    source_seen=MOMENTS,
    peers=st.integers(0, 50),
    having=st.integers(0, 50),
    told=st.frozensets(st.sampled_from(Flag), max_size=2),
)


@given(ITEMS, ANSWERS)
def test_an_answer_is_taken_exactly_when_nothing_is_wrong(item: Item, answer: Answer) -> None:
    found = wrong(item, answer, NOW)
    if found is None:
        assert answered(item, answer, NOW) == replace(item, state=ItemState.ANSWERED, answer=answer)
    else:
        with pytest.raises(RefusedError) as caught:
            answered(item, answer, NOW)
        assert caught.value.wrong is found


@given(ITEMS, ANSWERS)
def test_nobody_answers_for_themselves_or_for_what_is_held_over_them(
    item: Item, answer: Answer
) -> None:
    assume(answer.by in {item.holder, item.person})
    assert wrong(item, answer, NOW) is not None


@given(ITEMS, ANSWERS)
def test_only_the_reviewer_or_who_stands_in_answers(item: Item, answer: Answer) -> None:
    assume(item.reviewer not in {answer.by, answer.for_whom})
    assert wrong(item, answer, NOW) in {Wrong.NOT_YOURS, Wrong.NOT_NOW}


@given(WELL_ASKED)
def test_what_was_taken_has_its_reason(asked: tuple[Item, Answer]) -> None:
    item, answer = asked
    assume(wrong(item, answer, NOW) is None)
    needed = answer.verdict is Verdict.REVOKE or answer.bulk
    needed |= answer.verdict in KEEPING and bool(item.flags)
    assert answer.reason.strip() or not needed


@given(WELL_ASKED)
def test_a_flagged_item_is_never_kept_in_bulk(asked: tuple[Item, Answer]) -> None:
    item, answer = asked
    kept = replace(answer, bulk=True, verdict=Verdict.KEEP, reason="they all are fine")
    assert (wrong(item, kept, NOW) is Wrong.BULK_FLAGGED) is bool(item.flags)


@given(WELL_ASKED)
def test_keeping_until_a_day_only_shortens(asked: tuple[Item, Answer]) -> None:
    item, answer = asked
    item = replace(item, rostered=False, kind=Kind.GRANT)
    limited = replace(answer, verdict=Verdict.KEEP_UNTIL, reason="to the end of term", bulk=False)
    sooner = limited.until is not None and limited.until > NOW
    sooner = sooner and (item.until is None or limited.until <= item.until)  # type: ignore[operator]
    assert (wrong(item, limited, NOW) is None) is sooner


@given(ITEMS)
def test_what_follows_from_a_roster_never_ends_here(item: Item) -> None:
    assert not (item.rostered and remediation(item) is Remediation.END)


@given(WELL_ASKED)
def test_a_right_is_shortened_only_where_it_can_be(asked: tuple[Item, Answer]) -> None:
    item, answer = asked
    assume(wrong(item, answer, NOW) is None)
    taken = answered(item, answer, NOW)
    if item.rostered or item.kind is Kind.USE:
        assert remediation(taken) in {
            Remediation.NONE,
            Remediation.SEND_BACK,
            Remediation.REPORT,
        }


@given(ITEMS, st.integers(1, 3), st.one_of(st.just(""), PEOPLE))
def test_submitting_makes_final_or_asks_somebody_who_is_no_party(
    item: Item, stages: int, reviewer: str
) -> None:
    if item.state is not ItemState.ANSWERED or item.answer is None:
        with pytest.raises(RefusedError):
            submitted(item, stages, reviewer)
        return
    after = submitted(item, stages, reviewer)
    if after.state is ItemState.FINAL:
        assert after.answer == item.answer
    else:
        assert after.state is ItemState.OPEN
        assert after.reviewer not in item.parties
        assert (after.stage, after.passed) != (item.stage, item.passed)


@given(ITEMS, st.sampled_from(NoAnswer))
def test_silence_ends_what_it_is_defined_to_end_and_nothing_else(
    item: Item, meaning: NoAnswer
) -> None:
    once = unanswered(item, meaning)
    assume(item.state is ItemState.OPEN and item.stage == 1)
    if once.state is ItemState.FINAL:
        assert once.answer is not None
        revoked = once.answer.verdict is Verdict.REVOKE
        assert revoked is (meaning is NoAnswer.REVOKE and item.kind is not Kind.USE)
        assert once.answer.by == ""


@given(ITEMS, st.sampled_from(NoAnswer))
def test_silence_comes_to_an_end(item: Item, meaning: NoAnswer) -> None:
    twice = unanswered(unanswered(item, meaning), meaning)
    assert twice.state not in {ItemState.OPEN, ItemState.ANSWERED}


@given(item=ITEMS, applied=st.booleans())
def test_ending_early_ends_nothing_that_was_not_submitted(item: Item, *, applied: bool) -> None:
    after = ended_early(item, applied=applied)
    assert after.answer == item.answer  # what was said stays on file
    over = item.state in {ItemState.APPLIED, ItemState.UNDONE, ItemState.OVERTAKEN, ItemState.LEFT}
    if over:
        assert after is item
    elif item.state is ItemState.ANSWERED or not applied or item.answer is None:
        assert after.state is (ItemState.FINAL if applied and item.state is ItemState.FINAL
                               else ItemState.LEFT)  # fmt: skip
    else:
        submitted_before = item.state is ItemState.FINAL or item.stage > 1
        assert (after.state is ItemState.FINAL) is submitted_before


@given(ITEMS, PEOPLE)
def test_an_item_is_given_to_nobody_whom_it_is_about(item: Item, reviewer: str) -> None:
    if item.state not in {ItemState.OPEN, ItemState.ANSWERED} or reviewer in item.parties:
        with pytest.raises(RefusedError):
            reassigned(item, reviewer)
    else:
        given_on = reassigned(item, reviewer)
        assert (given_on.reviewer, given_on.state) == (reviewer, ItemState.OPEN)


@given(
    st.lists(st.lists(PEOPLE, max_size=3), max_size=3),
    st.frozensets(PEOPLE),
    st.lists(PEOPLE, max_size=2),
)
def test_a_reviewer_is_never_a_party_and_the_nearest_who_is_none(
    line: list[list[str]], parties: frozenset[str], fallbacks: list[str]
) -> None:
    found = reviewers.assign(line, parties, fallbacks)
    everybody = [each for level in line for each in level]
    able = [each for each in [*everybody, *fallbacks] if each not in parties]
    assert found.reviewer == (able[0] if able else "")
    assert found.rerouted is bool(
        set(everybody[: everybody.index(able[0])] if able and able[0] in everybody else everybody)
    )
    after = reviewers.fallback(found.reviewer, parties, fallbacks)
    assert not after or (after in fallbacks and after not in parties | {found.reviewer})


@given(st.integers(0, 500), st.integers(1, 500))
def test_more_than_a_tenth_needs_a_second_person(ending: int, items: int) -> None:
    assert campaign.guarded(ending, items) is (ending / items > 0.1)


@given(st.frozensets(PEOPLE), st.one_of(st.just(""), PEOPLE), st.booleans())
def test_the_second_person_had_no_part_in_it(
    involved: frozenset[str],
    by: str,
    guard: bool,
) -> None:
    if guard and by not in involved | {""}:
        campaign.confirmed(involved, by, guard=guard)
    else:
        with pytest.raises(RefusedError):
            campaign.confirmed(involved, by, guard=guard)


@given(st.lists(st.sampled_from(Step), max_size=12))
def test_a_campaign_is_applied_only_after_all_that_comes_before(steps: list[Step]) -> None:
    state, taken = State.DEFINED, []
    for step in steps:
        try:
            state = campaign.after(state, step)
        except RefusedError:
            continue
        taken.append(step)
    if state is State.APPLIED:
        order = [Step.PREVIEW, Step.START, Step.SUBMIT, Step.CLOSE, Step.APPLY]
        assert [step for step in dict.fromkeys(taken) if step in order] == order
        assert taken.count(Step.APPLY) == taken.count(Step.START) == 1


@given(MOMENTS)
def test_nothing_is_undone_after_its_window(until: datetime | None) -> None:
    if until is not None and until > NOW:
        campaign.may_undo(until, NOW)
    else:
        with pytest.raises(RefusedError):
            campaign.may_undo(until, NOW)


@given(SIGNALS)
def test_a_recommendation_names_a_flag_that_is_raised_or_none_is(signals: Signals) -> None:
    verdict, reason = advice.recommend(signals)
    raised = advice.flags(signals)
    assert (reason in raised) is bool(raised)
    assert isinstance(reason, Advice) is not bool(raised)
    assert verdict not in KEEPING or not raised


@given(SIGNALS, st.sampled_from(Flag))
def test_a_further_flag_never_makes_a_recommendation_milder(signals: Signals, flag: Flag) -> None:
    severity = [Verdict.KEEP, Verdict.KEEP_UNTIL, Verdict.ABSTAIN, Verdict.REVOKE]
    before, _ = advice.recommend(signals)
    after, _ = advice.recommend(replace(signals, told=signals.told | {flag}))
    assert severity.index(after) >= severity.index(before)


def test_every_flag_has_a_recommendation() -> None:
    assert {*advice.ENDING, *advice.JUDGED} == set(Flag)


@given(st.dictionaries(st.text(), st.one_of(st.integers(), st.text(), st.none()), max_size=6))
def test_the_order_of_members_does_not_change_the_hash(members: dict[str, object]) -> None:
    turned = dict(reversed(members.items()))
    spelled = snapshot.canonical(members)
    assert snapshot.canonical(turned) == spelled
    assert json.loads(spelled) == members
    assert snapshot.digest(spelled) == snapshot.digest(snapshot.canonical(turned))


GOOD = Definition(
    name="Each term",
    scope=Scope(kinds=(Kind.GRANT,), roles=("school_admin",)),
    stages=(Stage(Reviewers.SCHOOL, 14),),
    fallbacks=("dee",),
)


def test_a_definition_is_kept_whole() -> None:
    check(GOOD)
    assert from_dict(json.loads(snapshot.canonical(GOOD.as_dict()))) == GOOD


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"name": " "}, Wrong.EMPTY),
        ({"fallbacks": ()}, Wrong.NO_FALLBACK),
        ({"fallbacks": ("",)}, Wrong.NO_FALLBACK),
        ({"scope": Scope(kinds=())}, Wrong.NOTHING_CHOSEN),
        ({"scope": Scope(kinds=(Kind.USE,))}, Wrong.NOTHING_CHOSEN),
        ({"stages": ()}, Wrong.DATES),
        ({"stages": (Stage(Reviewers.SCHOOL, 0),)}, Wrong.DATES),
        ({"undo_days": 91}, Wrong.DATES),
        ({"stages": (Stage(Reviewers.NAMED, 5),)}, Wrong.NOT_A_REVIEWER),
    ],
)
def test_a_definition_that_cannot_be_is_refused(change: dict[str, object], expected: Wrong) -> None:
    with pytest.raises(RefusedError) as caught:
        check(replace(GOOD, **change))  # type: ignore[arg-type]
    assert caught.value.wrong is expected
