"""Reviews from definition to report, on both databases (N-46, N-47)."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, insert, select, update

from authz.audit import trail
from authz.directory import tables as t
from authz.directory.collation import name_order
from authz.errors import MalformedError, NotFoundError
from authz.review import snapshot
from authz.review.definition import Scope, Stage
from authz.review.item import RefusedError
from authz.review.tables import Campaign, Snapshot
from authz.review.words import Kind, NoAnswer, Reviewers, Verdict, Wrong
from authz.service.database import reading, writing
from authz.service.reviews import (
    answering,
    closing,
    defining,
    detail,
    handing,
    listing,
    previewing,
    remedies,
    report,
    reviewers,
    starting,
)
from authz.service.reviews.answering import Given
from authz.service.reviews.records import Actor
from authz.service.tables import ConsoleSession, SignIn
from tests.reviewing import BOSS, DPO, GRANTS, HEAD, SECOND, Desk, sign_in
from tests.world import NOW

ALL = replace(
    GRANTS,
    scope=Scope(
        kinds=(
            Kind.GRANT, Kind.GUARDIANSHIP, Kind.MENTORING, Kind.CONTRACT, Kind.ELEVATION,
            Kind.SIGN_IN,
        )
    ),
)  # fmt: skip


EXPECTED = {"danai": 5, "dpo": 2, "dpo2": 1, "head": 1, "boss": 1, "other": 1}
"""Who would review how many of all rights: danai and head administer S1, other S2, boss both."""


@pytest.fixture
def desk(store: Engine) -> Desk:
    """The district, on file."""
    found = Desk(store)
    found.world.store(store)
    return found


def state(desk: Desk, campaign: str) -> str:
    with reading(desk.store) as connection:
        return str(connection.scalar(select(Campaign.state).where(Campaign.id == campaign)))


def test_a_preview_tells_who_would_review_what_and_starts_nothing(desk: Desk) -> None:
    with desk.now() as bench:
        campaign = defining.define(bench, ALL, DPO, "it is time", None)
        seen = previewing.preview(bench, campaign, DPO, None)
    assert {load.reviewer: load.items for load in seen.loads} == EXPECTED
    assert not any(load.sign_in for load in seen.loads)
    assert seen.orphans == []
    assert seen.rerouted >= 1
    assert desk.items(campaign) == []
    assert state(desk, campaign) == "previewed"


def test_items_stand_as_a_thai_list_of_names_does(desk: Desk) -> None:
    """A vowel written before its consonant counts after it; the family name decides last."""
    names = {
        "boss": ("เกษม", "ใจดี"),
        "head": ("กานดา", "ใจดี"),
        "danai": ("แก้ว", "มีสุข"),
        "other": ("แก้ว", "เก่งงาน"),
        "dpo": ("ขวัญ", "ใจดี"),
        "dpo2": ("โกมล", "ใจดี"),
        "pim": ("กน", "ขำดี"),
    }
    with writing(desk.store) as connection:
        for ident, (given, family) in names.items():
            named = {"given_name": given, "family_name": family}
            ordered = {**named, "name_order": name_order(given, family)}
            connection.execute(update(t.Person).where(t.Person.id == ident).values(ordered))
    scope = replace(GRANTS.scope, organisation="")
    campaign = desk.started(
        replace(GRANTS, scope=scope, stages=(Stage(Reviewers.NAMED, 9, "boss"),))
    )
    assert [row.holder for row in desk.items(campaign)] == [
        *("pim", "head", "boss", "other", "danai", "dpo2", "dpo")
    ]
    with reading(desk.store) as connection:
        offered = [row.id for row in reviewers.possible(connection, NOW)]
    assert offered == ["head", "boss", "other", "danai", "dpo2", "dpo"]


def test_nobody_reviews_their_own(desk: Desk) -> None:
    campaign = desk.started(ALL)
    for item in desk.items(campaign):
        assert item.reviewer not in {item.holder, item.person}
    assert desk.item(campaign, "head").reviewer in {"danai", "boss"}


def test_a_review_that_leaves_an_item_without_reviewer_does_not_start(desk: Desk) -> None:
    with desk.now() as bench:
        lonely = replace(ALL, fallbacks=("dpo",))
        campaign = defining.define(bench, lonely, DPO, "it is time", None)
        seen = previewing.preview(bench, campaign, DPO, None)
        assert [each.right.holder for each in seen.orphans] == ["dpo"]
        with pytest.raises(RefusedError) as caught:
            starting.start(bench, campaign, DPO, "go", None)
    assert caught.value.wrong is Wrong.NO_REVIEWER


def test_starting_freezes_a_snapshot_with_its_hash(desk: Desk) -> None:
    campaign = desk.started()
    with reading(desk.store) as connection:
        body = connection.scalar(select(Snapshot.body).where(Snapshot.campaign == campaign))
        digest = connection.scalar(select(Campaign.digest).where(Campaign.id == campaign))
    assert body is not None
    assert snapshot.digest(body) == digest
    assert len(json.loads(body)["items"]) == len(desk.items(campaign)) == 3


def test_a_right_that_was_revoked_is_gone_on_the_next_decision(desk: Desk) -> None:
    assert desk.permits("danai")
    campaign = desk.started()
    item = desk.item(campaign, "danai")
    desk.say(campaign, {row.number: "keep" for row in desk.items(campaign)})
    desk.say(campaign, {item.number: "revoke"}, "left the office")
    assert desk.permits("danai")  # until it is submitted
    desk.submit_all(campaign)
    assert state(desk, campaign) == "closed"  # one of three is more than a tenth
    assert desk.permits("danai")
    with desk.now() as bench:
        closing.confirm(bench, campaign, SECOND, "I agree", None)
    assert not desk.permits("danai")
    assert desk.permits("head")


def test_the_guard_wants_somebody_who_had_no_part_in_it(desk: Desk) -> None:
    campaign = desk.started()
    item = desk.item(campaign, "danai")
    desk.say(campaign, {row.number: "revoke" for row in desk.items(campaign)})
    desk.submit_all(campaign)
    with desk.now() as bench, pytest.raises(RefusedError) as caught:
        closing.confirm(bench, campaign, Actor(item.reviewer), "me again", None)
    assert caught.value.wrong is Wrong.SAME_PERSON
    with desk.now() as bench, pytest.raises(RefusedError) as caught:
        closing.decline(bench, campaign, Actor("danai"), "I keep it", None)
    assert caught.value.wrong is Wrong.YOUR_OWN
    with desk.now() as bench:
        closing.decline(bench, campaign, SECOND, "too many", None)
    assert state(desk, campaign) == "applied"
    assert desk.permits("danai")


def test_every_kind_of_right_ends_and_comes_back(desk: Desk) -> None:
    sign_in(desk.store, "mum-in", "mum")
    with desk.store.begin() as connection:
        connection.execute(
            insert(ConsoleSession).values(
                id_hash="h", name="mum-in", mfa=False, created_at=NOW, seen_at=NOW,
                expires_at=NOW + timedelta(hours=1), browser="b",
            )
        )  # fmt: skip

    def uses() -> list[bool]:
        return [
            desk.permits("danai"),
            desk.permits("mum"),
            desk.permits("pim", purpose="advice"),
            desk.permits("svc-p", kind="service", purpose="service"),
            desk.permits("head", "contact", "kid2", justification="flood"),
        ]

    assert all(uses())
    campaign = desk.started(ALL)
    rows = {(row.holder, row.kind): row for row in desk.items(campaign)}
    chosen = [("danai", "grant"), ("mum", "guardianship"), ("pim", "mentoring")]
    chosen += [("P", "contract"), ("head", "elevation"), ("mum", "sign_in")]
    desk.say(campaign, {row.number: "keep" for row in rows.values()})
    desk.say(campaign, {rows[key].number: "revoke" for key in chosen}, "not needed")
    desk.submit_all(campaign)
    with desk.now() as bench:
        closing.confirm(bench, campaign, SECOND, "I agree", None)
    assert not any(uses())
    with reading(desk.store) as connection:
        assert connection.scalar(select(SignIn.disabled_at)) is not None
        assert connection.scalar(select(ConsoleSession.id_hash)) is None
    with desk.now(days=1) as bench:
        for key in chosen:
            remedies.undo(bench, campaign, rows[key].number, SECOND, "a mistake", None)
    assert uses()[:4] == [True] * 4  # the day of the emergency is over
    with reading(desk.store) as connection:
        assert connection.scalar(select(SignIn.disabled_at)) is None


def test_a_right_is_kept_until_a_day_and_ends_then(desk: Desk) -> None:
    campaign = desk.started()
    item = desk.item(campaign, "danai")
    desk.say(campaign, {row.number: "keep" for row in desk.items(campaign)})
    until = desk.at + timedelta(days=10)
    desk.say(campaign, {item.number: "keep_until"}, until=until)
    desk.submit_all(campaign)
    assert state(desk, campaign) == "applied"
    assert desk.permits("danai")
    desk.at = until
    assert not desk.permits("danai")


def test_each_change_of_a_review_is_in_the_trail_with_who_and_why(desk: Desk) -> None:
    campaign = desk.started()
    item = desk.item(campaign, "danai")
    desk.say(campaign, {row.number: "keep" for row in desk.items(campaign)})
    desk.say(campaign, {item.number: "revoke"}, "left the office")
    desk.submit_all(campaign)
    with desk.now() as bench:
        closing.confirm(bench, campaign, SECOND, "I agree", None)
    with reading(desk.store) as connection:
        page = trail.search(connection, person="danai", event="fact_changed", limit=1)
        steps = trail.search(connection, person=campaign, limit=50)
        assert trail.verify(connection).damage is None
    told = page.records[0].record["detail"]
    assert (told["who"], told["why"], told["review"]) == (
        item.reviewer,
        "left the office",
        campaign,
    )
    assert "ended_at" not in told["before"]
    assert "ended_at" in told["after"]
    actions = {found.record["action"] for found in steps.records}
    assert actions >= {"define", "preview", "start", "submit", "guard", "confirm", "apply"}


def test_what_was_changed_meanwhile_is_left_as_it_is(desk: Desk) -> None:
    campaign = desk.started()
    item = desk.item(campaign, "danai")
    line = {"fact": "grant", "person": "danai", "role": "school_admin", "organisation": "S1"}
    line |= {"from": "2025-01-01", "granted_by": "boss", "reason": "again"}
    desk.world.recorded = NOW + timedelta(hours=1)
    desk.world.import_into(desk.store, [line])
    desk.say(campaign, {row.number: "keep" for row in desk.items(campaign)})
    desk.say(campaign, {item.number: "revoke"})
    desk.submit_all(campaign)
    with desk.now(hours=2) as bench:
        closing.confirm(bench, campaign, SECOND, "I agree", None)
    assert desk.permits("danai")
    assert desk.item(campaign, "danai").state == "overtaken"


@pytest.mark.parametrize(("meaning", "gone"), [(NoAnswer.KEEP, False), (NoAnswer.REVOKE, True)])
def test_silence_means_what_the_definition_says(
    desk: Desk, meaning: NoAnswer, *, gone: bool
) -> None:
    campaign = desk.started(replace(GRANTS, no_answer=meaning))
    with desk.now(days=13) as bench, pytest.raises(RefusedError) as caught:
        closing.close(bench, campaign, DPO, "early", None)
    assert caught.value.wrong is Wrong.OPEN_ITEMS
    with desk.now(days=1) as bench:
        assert closing.close_due(bench) == 1
        if gone:
            closing.confirm(bench, campaign, SECOND, "I agree", None)
    assert state(desk, campaign) == "applied"
    assert desk.permits("danai") is not gone


def test_silence_asks_the_fallback_once(desk: Desk) -> None:
    campaign = desk.started()
    with desk.now(days=14) as bench:
        closing.close_due(bench)
    assert {row.reviewer for row in desk.items(campaign)} == {"dpo"}
    with desk.now(days=14) as bench:
        closing.close_due(bench)
    assert state(desk, campaign) == "applied"
    assert desk.permits("danai")


def test_who_abstains_passes_it_on(desk: Desk) -> None:
    campaign = desk.started()
    item = desk.item(campaign, "danai")
    desk.say(campaign, {item.number: "abstain"})
    desk.submit_all(campaign)
    after = desk.item(campaign, "danai")
    assert (after.reviewer, after.state, after.verdict) == ("dpo", "open", "")


def test_a_second_stage_has_the_last_word(desk: Desk) -> None:
    stages = (Stage(Reviewers.SCHOOL, 7), Stage(Reviewers.NAMED, 5, "dpo2"))
    campaign = desk.started(replace(GRANTS, stages=stages))
    everything = [row.number for row in desk.items(campaign)]
    desk.say(campaign, dict.fromkeys(everything, "keep"))
    desk.submit_all(campaign)
    assert {row.reviewer for row in desk.items(campaign)} == {"dpo2"}
    desk.say(campaign, dict.fromkeys(everything, "keep"))
    desk.say(campaign, {desk.item(campaign, "danai").number: "revoke"})
    desk.submit_all(campaign)
    with desk.now() as bench:
        closing.confirm(bench, campaign, DPO, "I agree", None)
    assert not desk.permits("danai")


def test_a_reviewer_sees_and_answers_their_own_items_only(desk: Desk) -> None:
    campaign = desk.started()
    item = desk.item(campaign, "danai")
    stranger = Actor("other")
    with desk.now() as bench:
        with pytest.raises(NotFoundError):
            answering.answer(bench, campaign, [item.number], Given(Verdict.KEEP), stranger)
        with pytest.raises(NotFoundError):
            detail.of_reviewer(bench, campaign, item.number, "other")
        with pytest.raises(NotFoundError):
            answering.summary(bench, campaign, "other")
        with pytest.raises(NotFoundError):
            previewing.preview(bench, campaign, DPO, frozenset({"S2"}))


def test_delegation_lasts_its_time_and_both_names_are_kept(desk: Desk) -> None:
    campaign = desk.started()
    item = desk.item(campaign, "danai")
    reviewer, deputy = Actor(item.reviewer), Actor("pim")
    number = [item.number]
    with desk.now() as bench:
        handing.delegate(
            bench, reviewer, "pim", desk.at + timedelta(days=1), desk.at + timedelta(days=2), "away"
        )
        with pytest.raises(NotFoundError):
            answering.answer(bench, campaign, number, Given(Verdict.KEEP, "ok"), deputy)
    with desk.now(days=1) as bench:
        answering.answer(bench, campaign, number, Given(Verdict.KEEP, "ok"), deputy)
    row = desk.item(campaign, "danai")
    assert (row.verdict_by, row.verdict_for) == ("pim", reviewer.id)
    with desk.now(days=1) as bench, pytest.raises(NotFoundError):
        answering.answer(bench, campaign, number, Given(Verdict.KEEP, "ok"), deputy)


def test_an_item_is_reassigned_with_both_names_but_not_to_its_holder(desk: Desk) -> None:
    campaign = desk.started()
    item = desk.item(campaign, "danai")
    with desk.now() as bench:
        who = Actor(item.reviewer)
        with pytest.raises(RefusedError):
            handing.reassign(bench, campaign, [item.number], "danai", who, "yours")
        handing.reassign(bench, campaign, [item.number], "boss", who, "you know better")
        seen = detail.of_reviewer(bench, campaign, item.number, "boss")
    assert [(each.giver, each.taker) for each in seen.handed] == [(item.reviewer, "boss")]


def test_many_are_answered_at_once_but_flagged_ones_are_not_kept_so(desk: Desk) -> None:
    campaign = desk.started(replace(GRANTS, stages=(Stage(Reviewers.NAMED, 9, "boss"),)))
    numbers = [row.number for row in desk.items(campaign)]
    assert all(row.flagged for row in desk.items(campaign))  # none was ever used
    with desk.now() as bench:
        with pytest.raises(RefusedError) as caught:
            answering.answer(bench, campaign, numbers, Given(Verdict.KEEP, "fine"), BOSS)
        assert caught.value.wrong is Wrong.BULK_FLAGGED
        with pytest.raises(RefusedError):
            answering.answer(bench, campaign, numbers, Given(Verdict.REVOKE), BOSS)
        assert answering.answer(bench, campaign, numbers, Given(Verdict.REVOKE, "all"), BOSS) == 3


def test_use_is_told_from_the_trail(desk: Desk) -> None:
    assert [desk.permits("danai") for _ in range(3)] == [True] * 3
    campaign = desk.started()
    item = desk.item(campaign, "danai")
    assert item.uses == 3
    assert "never_used" not in item.flags
    with desk.now() as bench:
        seen = detail.of_reviewer(bench, campaign, item.number, item.reviewer)
    assert len(seen.used) == 3
    assert "assessment_result" in seen.categories
    assert [each.id for each in seen.peers] == ["head"]


def test_undoing_has_an_end_and_is_not_for_the_holder(desk: Desk) -> None:
    campaign = desk.started()
    item = desk.item(campaign, "danai")
    desk.say(campaign, {row.number: "keep" for row in desk.items(campaign)})
    desk.say(campaign, {item.number: "revoke"})
    desk.submit_all(campaign)
    with desk.now() as bench:
        closing.confirm(bench, campaign, SECOND, "I agree", None)
    with desk.now(days=6) as bench, pytest.raises(RefusedError) as caught:
        remedies.undo(bench, campaign, item.number, Actor("danai"), "mine", None)
    assert caught.value.wrong is Wrong.YOUR_OWN
    with desk.now(days=1) as bench, pytest.raises(RefusedError) as caught:
        remedies.undo(bench, campaign, item.number, SECOND, "late", None)
    assert caught.value.wrong is Wrong.TOO_LATE


def test_a_roster_fact_is_sent_back_to_its_source_and_stays(desk: Desk) -> None:
    with desk.store.begin() as connection:
        connection.execute(update(t.Grant).values(origin="roster:sis"))
    campaign = desk.started()
    item = desk.item(campaign, "danai")
    desk.say(campaign, {row.number: "keep" for row in desk.items(campaign)})
    desk.say(campaign, {item.number: "revoke"}, "no longer principal")
    desk.submit_all(campaign)
    assert desk.item(campaign, "danai").remediation == "send_back"
    assert desk.permits("danai")


def test_the_report_holds_against_the_snapshot_and_the_trail(desk: Desk) -> None:
    campaign = desk.started()
    desk.say(campaign, {row.number: "keep" for row in desk.items(campaign)}, "=1+1")
    with desk.now() as bench, pytest.raises(RefusedError):
        report.report(bench, campaign, DPO, None)
    desk.submit_all(campaign)
    with desk.now() as bench:
        made = report.report(bench, campaign, DPO, None)
        assert report.report(bench, campaign, DPO, None).digest == made.digest
    assert made.whole
    span = made.document["trail"]
    assert span["first"] < span["last"]
    assert span["first_hash"]
    assert span["last_hash"]
    rows = list(csv.reader(io.StringIO(report.as_csv(made))))
    assert rows[1] == ["report_sha256", made.digest]
    assert len(rows) == 5 + len(desk.items(campaign))
    assert "'=1+1" in rows[5]  # no formula for a spreadsheet
    with desk.store.begin() as connection:
        connection.execute(update(Snapshot).values(body="{}"))
    with desk.now() as bench:
        assert not report.report(bench, campaign, DPO, None).whole


def test_lists_go_on_where_a_page_ended(desk: Desk) -> None:
    campaign = desk.started(ALL)
    numbers = [row.number for row in desk.items(campaign)]
    for order in listing.Order:
        seen, after = [], ""
        while True:
            with reading(desk.store) as connection:
                page = listing.items(connection, campaign, order=order, after=after, limit=4)
            seen += [row.number for row in page.rows]
            after = page.after
            if not after:
                break
        assert sorted(seen) == numbers
        for wrong in ("x/\u00b2", f"x/{10**20}", "x"):
            with reading(desk.store) as connection, pytest.raises(MalformedError):
                listing.items(connection, campaign, order=order, after=wrong)
    with reading(desk.store) as connection:
        assert listing.progress(connection, campaign).open == len(numbers)
        (found,) = listing.inbox(connection, "dpo2", desk.at)
        assert found[1].items == 1
        assert listing.campaigns(connection, frozenset({"S1"})).rows == []
        assert len(listing.campaigns(connection, None).rows) == 1


def test_a_started_review_is_not_defined_anew(desk: Desk) -> None:
    campaign = desk.started()
    with desk.now() as bench, pytest.raises(RefusedError):
        defining.redefine(bench, campaign, GRANTS, DPO, "other", None)
    with desk.now() as bench, pytest.raises(NotFoundError):
        defining.define(bench, GRANTS, HEAD, "not mine", frozenset({"S2"}))
