"""Reviews that do not run to their end, and the report that holds against the trail (N-46)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, text

from authz.audit import trail
from authz.config import Settings
from authz.errors import NotFoundError
from authz.review.definition import Scope, Stage
from authz.review.item import RefusedError
from authz.review.tables import Campaign, Snapshot
from authz.review.words import Kind, NoAnswer, Reviewers, State, Wrong
from authz.service.database import reading
from authz.service.reviews import (
    checking,
    closing,
    defining,
    ending,
    events,
    listing,
    previewing,
    remedies,
    report,
    starting,
)
from authz.service.reviews.checking import Problem
from authz.service.reviews.records import Actor
from tests.reviewing import BOSS, DPO, GRANTS, HEAD, SECOND, Desk
from tests.stores.checkpoint_log import settings as log_settings
from tests.stores.test_audit_support import unguard


@pytest.fixture
def desk(store: Engine) -> Desk:
    """The district, on file."""
    found = Desk(store)
    found.world.store(store)
    return found


def row(desk: Desk, campaign: str) -> Any:
    with reading(desk.store) as connection:
        return connection.execute(select(Campaign.__table__).where(Campaign.id == campaign)).one()


def told(desk: Desk, campaign: str, action: str) -> Mapping[str, Any]:
    """What the record of a step says."""
    with reading(desk.store) as connection:
        page = trail.search(connection, person=campaign, limit=50)
    found: Mapping[str, Any] = next(
        each.record["detail"] for each in page.records if each.record["action"] == action
    )
    return found


def test_a_review_is_called_off_before_it_starts_and_never_starts_then(desk: Desk) -> None:
    with desk.now() as bench:
        campaign = defining.define(bench, GRANTS, DPO, "it is time", None)
        previewing.preview(bench, campaign, DPO, None)
        with pytest.raises(NotFoundError):
            ending.cancel(bench, campaign, DPO, "no", frozenset({"S2"}))
        with pytest.raises(RefusedError) as caught:
            ending.cancel(bench, campaign, DPO, " ", None)
        assert caught.value.wrong is Wrong.EMPTY
        ending.cancel(bench, campaign, DPO, "the law changed", None)
        for step in (
            lambda: ending.cancel(bench, campaign, DPO, "again", None),
            lambda: starting.start(bench, campaign, DPO, "go", None),
            lambda: previewing.preview(bench, campaign, DPO, None),
            lambda: report.report(bench, campaign, DPO, None),
        ):
            with pytest.raises(RefusedError):
                step()
    found = row(desk, campaign)
    assert (found.state, found.closed_by, found.ended_because) == (
        "cancelled", "dpo", "the law changed",
    )  # fmt: skip
    assert told(desk, campaign, "cancel")["why"] == "the law changed"


def half_answered(desk: Desk, silence: NoAnswer = NoAnswer.REVOKE) -> str:
    """Danai's grant is revoked and submitted; head's is answered, and not; dan's is open."""
    stages = (Stage(Reviewers.NAMED, 9, "boss"),)
    campaign = desk.started(replace(GRANTS, stages=stages, no_answer=silence))
    desk.say(campaign, {desk.item(campaign, "danai").number: "revoke"}, "left the office")
    desk.submit_all(campaign)
    desk.say(campaign, {desk.item(campaign, "head").number: "revoke"}, "perhaps")
    return campaign


def test_ended_early_what_was_submitted_counts_and_nothing_else(desk: Desk) -> None:
    campaign = half_answered(desk)
    with desk.now() as bench:
        state = ending.end_early(bench, campaign, DPO, "a new law", None, applied=True)
        assert state is State.CLOSED  # one of three is more than a tenth: a second person
        assert desk.permits("danai")
        waiting = report.report(bench, campaign, DPO, None).document["trail"]
        assert waiting["last"] == row(desk, campaign).trail_last > waiting["first"]
        closing.confirm(bench, campaign, SECOND, "I agree", None)
    assert not desk.permits("danai")
    assert desk.permits("head")  # answered, not submitted: left, though silence would end it
    states = {each.holder: each.state for each in desk.items(campaign)}
    assert states == {"danai": "applied", "head": "left", "pim": "left"}
    assert desk.item(campaign, "head").verdict == "revoke"  # what was said stays on file
    detail = told(desk, campaign, "end_early")
    assert (detail["counts"], detail["left"], detail["why"]) == (True, 2, "a new law")
    with desk.now(days=1) as bench:
        remedies.undo(bench, campaign, desk.item(campaign, "danai").number, SECOND, "no", None)
    assert desk.permits("danai")


def test_ended_early_and_dropped_nothing_counts_and_the_report_says_so(desk: Desk) -> None:
    campaign = half_answered(desk)
    with desk.now() as bench:
        state = ending.end_early(bench, campaign, DPO, "a mistake", None, applied=False)
        assert state is State.CANCELLED
        made = report.report(bench, campaign, DPO, None)
        assert closing.close_due(bench) == 0
    assert desk.permits("danai")
    assert made.document["review"]["ended_because"] == "a mistake"
    assert {each["state"] for each in made.items} == {"left"}
    assert made.document["trail"]["last"] == row(desk, campaign).trail_last > 0
    with reading(desk.store) as connection:
        assert listing.inbox(connection, "boss", desk.at) == []


def test_nobody_ends_the_review_of_their_own_right_or_of_an_event(desk: Desk) -> None:
    campaign = half_answered(desk)
    with desk.now() as bench:
        for applied in (True, False):
            with pytest.raises(RefusedError) as caught:
                ending.end_early(bench, campaign, HEAD, "mine", None, applied=applied)
            assert caught.value.wrong is Wrong.OWN_LEFT
        with pytest.raises(RefusedError):  # what would end her colleague's right is dropped
            ending.end_early(bench, campaign, Actor("danai"), "mine", None, applied=False)
    line = {"fact": "custody_restriction", "subject": "mum", "person": "kid", "basis": "court"}
    desk.world.import_into(desk.store, [line])
    with desk.now() as bench:
        (small,) = events.open_due(bench)
        with pytest.raises(RefusedError) as caught:
            ending.end_early(bench, small, SECOND, "no", None, applied=False)
    assert caught.value.wrong is Wrong.BY_EVENT


def test_a_review_that_was_dropped_is_not_the_last_one_before_the_next(desk: Desk) -> None:
    new = replace(GRANTS, scope=Scope(kinds=(Kind.GRANT,), organisation="S1", new=True))
    campaign = desk.started(new)
    with desk.now() as bench:
        ending.end_early(bench, campaign, DPO, "a mistake", None, applied=False)
        following = defining.again(bench, row(desk, campaign).definition, DPO, "anew", None)
        assert len(previewing.preview(bench, following, DPO, None).items) == 3


@pytest.fixture
def signed(tmp_path: Path) -> Settings:
    """Where checkpoints are signed."""
    return log_settings(tmp_path)


def applied(desk: Desk) -> str:
    """A review of three grants, all kept, by whoever was asked."""
    campaign = desk.started()
    desk.say(campaign, {each.number: "keep" for each in desk.items(campaign)}, "needed")
    desk.submit_all(campaign)
    return campaign


def test_a_report_is_checked_by_its_hash_its_range_and_a_checkpoint(
    desk: Desk, signed: Settings, tmp_path: Path
) -> None:
    campaign = applied(desk)
    with desk.now() as bench:
        made = report.report(bench, campaign, DPO, None, signed)
        again = report.report(bench, campaign, DPO, None, signed)
    file = tmp_path / "report.json"
    file.write_text(made.canonical, encoding="utf-8")
    assert again.digest == made.digest == hashlib.sha256(file.read_bytes()).hexdigest()
    span = made.document["trail"]
    assert span["chain"] == "main"
    assert span["first_leaf"] < span["last_leaf"] < span["checkpoint"]["size"]
    with desk.now() as bench:
        checked = checking.check(bench, signed, checking.read(file))
    assert (checked.digest, checked.problems) == (made.digest, ())
    assert checked.records == span["last"] - span["first"] + 1


def test_what_is_false_in_a_report_is_told(desk: Desk, signed: Settings) -> None:
    campaign = applied(desk)
    with desk.now() as bench:
        made = report.report(bench, campaign, DPO, None, signed)
    sent: dict[str, Any] = json.loads(made.canonical)
    one, *others = sent["items"]
    trail_ = sent["trail"]
    lies: dict[Problem, dict[str, Any]] = {
        Problem.VERDICTS: {"items": [{**one, "verdict": "revoke"}, *others]},
        Problem.RANGE: {"trail": {**trail_, "last": trail_["last"] - 1}},
        Problem.CHECKPOINT: {"trail": {**trail_, "first_leaf": trail_["first_leaf"] + 1}},
        Problem.SNAPSHOT: {"review": {**sent["review"], "digest": "0" * 64}},
    }
    with desk.now() as bench:
        for problem, lie in lies.items():
            found = checking.check(bench, signed, {**sent, **lie}).problems
            assert {problem, Problem.HASH} <= set(found)
        with desk.store.begin() as connection:
            connection.execute(Snapshot.__table__.update().values(body="{}"))  # type: ignore[attr-defined]
        assert checking.check(bench, signed, sent).problems == (Problem.SNAPSHOT,)
        with desk.store.begin() as connection:
            unguard(connection)
            changed = text(
                "UPDATE audit_record SET body = :body WHERE chain = 'main' AND sequence = :at"
            )
            connection.execute(changed, {"body": b"{}", "at": trail_["first"] + 1})
        assert Problem.RECORDS in checking.check(bench, signed, sent).problems


def test_undoing_moves_the_end_of_the_range_and_so_the_hash(desk: Desk, signed: Settings) -> None:
    campaign = half_answered(desk)
    with desk.now() as bench:
        ending.end_early(bench, campaign, DPO, "a new law", None, applied=True)
        closing.confirm(bench, campaign, SECOND, "I agree", None)
        before = report.report(bench, campaign, DPO, None, signed)
        number = desk.item(campaign, "danai").number
        remedies.undo(bench, campaign, number, BOSS, "too hasty", None)
    with desk.now(minutes=1) as bench:
        after = report.report(bench, campaign, DPO, None, signed)
        assert checking.check(bench, signed, after.document).problems == ()
    assert after.digest != before.digest
    assert after.document["trail"]["last"] > before.document["trail"]["last"]
