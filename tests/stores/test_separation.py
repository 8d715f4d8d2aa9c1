"""Roles kept apart, emergencies and reach, on both stores (N-44)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from authz import clock
from authz.config import Settings
from authz.errors import ConflictError, MalformedError, NotFoundError, SeparationError
from authz.policy.load import load
from authz.privacy.requests import Kind as Wish
from authz.review.definition import Scope
from authz.review.item import RefusedError
from authz.review.rights import Kind, State
from authz.review.words import Flag, Wrong
from authz.review.words import Kind as ReviewKind
from authz.service import (
    emergencies,
    families,
    own_rights,
    rights,
    rights_request_lists,
    rights_requests,
    separation,
    users,
)
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.point import place
from authz.service.reach import Reach
from authz.service.reviews import closing, remedies
from tests.conftest import ROOT
from tests.reviewing import GRANTS, SECOND, Desk
from tests.world import World, policy


@pytest.fixture
def point(store: Engine) -> DecisionPoint:
    """A district with two schools; bob administers the first, cat the district."""
    world = World().school("D").school("S1", below="D").school("S2", below="D")
    world.person("ann", born="2014-05-05", at="S1").person("bob", "dan", at="S1")
    world.person("cat", at="D").store(store)
    world.import_into(
        store,
        [
            {"fact": "grant", "person": person, "role": "school_admin", "organisation": at,
             "granted_by": "x", "reason": "y"}
            for person, at in (("bob", "S1"), ("cat", "D"))
        ],
    )  # fmt: skip
    return DecisionPoint(store, policy(), place(Settings()))


def ask(
    point: DecisionPoint, person: str, role: str, at: str | None = None, needed: int = 1
) -> str:
    until = clock.now() + timedelta(9)
    return rights.ask_for(
        point, Kind.ROLE, by=person, why="leave", needed=needed, role=role, organisation=at,
        until=until,
    )  # fmt: skip


def test_roles_kept_apart_are_refused_and_shown(point: DecisionPoint) -> None:
    ident = ask(point, "dan", "dpo")
    rights.answer_request(
        point, ident, approves=True, by="cat", why="y", reach=Reach("cat", everywhere=True)
    )
    with pytest.raises(SeparationError) as caught:
        ask(point, "dan", "platform_admin")
    assert caught.value.code == "separation_of_duties"
    World().import_into(
        point.store,
        [{"fact": "grant", "person": "dan", "role": "platform_admin",
          "granted_by": "x", "reason": "y"}],
    )  # fmt: skip
    with reading(point.store) as connection:
        found = separation.conflicts(
            connection, point.policy.catalogue, ["ann", "bob", "dan"], clock.now()
        )
    assert set(found) == {"dan"}
    assert found["dan"][0].roles == ("platform_admin", "dpo")


def test_what_was_free_when_asked_is_looked_at_again_when_it_is_given(
    point: DecisionPoint,
) -> None:
    first, second = ask(point, "dan", "dpo"), ask(point, "dan", "platform_admin")
    reach = Reach("cat", everywhere=True)
    rights.answer_request(point, first, approves=True, by="cat", why="y", reach=reach)
    with pytest.raises(SeparationError):
        rights.answer_request(point, second, approves=True, by="cat", why="y", reach=reach)
    waiting, _ = own_rights.waiting(point, reach, clock.now())
    assert [each["id"] for each in waiting] == [second]  # the answer did not count either


@pytest.mark.parametrize(
    ("who", "at", "seen"),
    [("bob", "S1", True), ("bob", "S2", False), ("cat", "S2", True), ("cat", None, False)],
)
def test_an_administrator_reaches_their_own_schools_and_those_below(
    point: DecisionPoint, who: str, at: str | None, seen: bool
) -> None:
    role = "school_admin" if at else "analyst"
    ident = ask(point, "dan", role, at)
    reach = Reach(who, everywhere=False)
    waiting, _ = own_rights.waiting(point, reach, clock.now())
    assert bool(waiting) is seen
    if seen:
        assert rights.answer_request(point, ident, approves=True, by=who, why="y", reach=reach) is (
            State.APPROVED
        )
    else:
        with pytest.raises(NotFoundError):
            rights.answer_request(point, ident, approves=True, by=who, why="y", reach=reach)


def test_the_list_of_what_waits_goes_on_where_a_page_ended(point: DecisionPoint) -> None:
    asked = [ask(point, "dan", role) for role in ("mentor", "order_clerk", "analyst")]
    reach, seen, after = Reach("cat", everywhere=True), [], ""
    for _ in range(3):
        some, after = own_rights.waiting(point, reach, clock.now(), after=after, limit=1)
        seen += [each["id"] for each in some]
    assert (seen, after) == (asked, "")


def test_an_emergency_is_reviewed_once_and_by_another(point: DecisionPoint) -> None:
    emergencies.break_glass(point, school="S2", hours=2, why="fire", by="bob")
    with pytest.raises(ConflictError):
        emergencies.break_glass(point, school="S2", hours=2, why="fire", by="bob")
    now, everywhere = clock.now(), Reach("cat", everywhere=True)
    assert emergencies.to_review(point, Reach("bob", everywhere=True), now) == []
    assert emergencies.to_review(point, Reach("dan", everywhere=False), now) == []
    (one,) = emergencies.to_review(point, Reach("cat", everywhere=False), now)
    assert (one.person, one.seen) == ("bob", 0)
    with pytest.raises(ConflictError):
        emergencies.review(point, one.id, "justified", by="bob", why="x", reach=everywhere)
    emergencies.review(point, one.id, "justified", by="cat", why="x", reach=everywhere)
    with pytest.raises(ConflictError):
        emergencies.review(point, one.id, "misused", by="cat", why="x", reach=everywhere)
    assert emergencies.to_review(point, everywhere, now) == []


def test_a_restriction_and_its_end(point: DecisionPoint) -> None:
    families.restrict(point, "ann", "dan", basis="court 1", until=None, by="bob", why="letter")
    (one,) = families.restrictions(point, "ann", clock.now())
    assert (one.holds, one.adult, one.basis) == (True, "dan", "court 1")
    families.lift_restriction(point, "ann", "dan", basis="court 2", by="bob", why="letter")
    (one,) = families.restrictions(point, "ann", clock.now())
    assert not one.holds


def test_the_requests_of_a_school_go_on_where_a_page_ended(point: DecisionPoint) -> None:

    console = DecisionPoint(point.store, load(ROOT / "policies/console"), point.place)
    opened = [
        rights_requests.open_request(
            point, "ann", Wish.ACCESS, asked="a copy", details={}, assignee="bob",
            opened_at=clock.now() - timedelta(days), by="bob", why="letter",
        )
        for days in (3, 2, 1)
    ]  # fmt: skip
    seen, after = [], ""
    for _ in range(3):
        for wrong in ("x", "[1]", '["2026-01-01", "\\u0000", "p"]', '["2026-01-01", 1, "p"]'):
            with pytest.raises(MalformedError):
                rights_request_lists.waiting(point, console, "bob", mfa=True, after=wrong, limit=1)
        some, after = rights_request_lists.waiting(
            point, console, "bob", mfa=True, after=after, limit=1
        )
        seen += [each.id for each in some]
    assert (seen, after) == (opened, "")
    assert rights_request_lists.waiting(point, console, "dan", mfa=True) == ([], "")


def test_an_auditor_is_made_only_of_who_holds_nothing_kept_apart(point: DecisionPoint) -> None:
    catalogue = point.policy.catalogue
    with pytest.raises(SeparationError):
        users.add(point.store, "bob", person="bob", by="op", auditor=True, catalogue=catalogue)
    assert users.listed(point.store) == []  # the sign-in is not there either
    users.add(point.store, "dan", person="dan", by="op", auditor=True, catalogue=catalogue)
    with pytest.raises(SeparationError):  # and the other way round
        ask(point, "dan", "school_admin", "S1")
    with pytest.raises(ValueError, match="known"):
        users.add(point.store, "cat", person="cat", by="op", auditor=True)


def test_a_facts_file_says_what_meets_in_it(point: DecisionPoint) -> None:
    line = {"fact": "grant", "person": "dan", "granted_by": "x", "reason": "y"}
    done = World().import_into(
        point.store, [{**line, "role": "analyst"}, {**line, "role": "support_agent"}]
    )
    assert done.apart == {"dan": ["analyst", "support_agent"]}


def test_what_meets_is_flagged_in_a_review_with_the_rule_that_says_so(store: Engine) -> None:
    desk = Desk(store)
    desk.world.grant("pim", "analyst", from_="2025-01-01")
    desk.world.grant("pim", "support_agent", from_="2025-01-01").store(store)
    campaign = desk.started(replace(GRANTS, scope=Scope(kinds=(ReviewKind.GRANT,))))
    flagged = {
        row.role: row.facts["conflicts"]
        for row in desk.items(campaign)
        if Flag.CONFLICT.value in row.flags
    }
    pair = {"rule": "names-and-numbers", "roles": ["analyst", "support_agent"]}
    assert flagged == {"analyst": [pair], "support_agent": [pair]}
    item = desk.item(campaign, "pim")
    assert "mentor" in {row.role for row in desk.items(campaign) if row.holder == "pim"}
    assert item.advice in {"revoke", "abstain"}


def test_undoing_gives_no_role_back_beside_one_that_was_granted_meanwhile(store: Engine) -> None:
    desk = Desk(store)
    desk.world.store(store)
    campaign = desk.started()
    desk.say(campaign, {row.number: "keep" for row in desk.items(campaign)})
    number = desk.item(campaign, "danai").number
    desk.say(campaign, {number: "revoke"}, "left the office")
    desk.submit_all(campaign)
    with desk.now() as bench:
        closing.confirm(bench, campaign, SECOND, "I agree", None)
        users.add(
            store, "danai", person="danai", by="op", auditor=True,
            catalogue=bench.policy.catalogue,
        )  # fmt: skip
        with pytest.raises(RefusedError) as caught:
            remedies.undo(bench, campaign, number, SECOND, "a mistake", None)
    assert caught.value.wrong is Wrong.APART
