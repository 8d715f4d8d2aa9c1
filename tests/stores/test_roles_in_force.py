"""A role counts between its dates, and not where its school has ended (2.1, 2.4, N-42)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine

from authz.errors import ConflictError, ForbiddenError
from authz.review.item import RefusedError
from authz.review.words import Wrong
from authz.service import announcements, emergencies, incident_register, users
from authz.service.database import reading
from authz.service.reviews import defining, events, reviewers, schools
from authz.service.reviews.campaigns import Bench
from tests.reviewing import BOSS, GRANTS
from tests.world import NOW, World, frozen, point, policy

PAST, COMING = {"until": "2026-11-01"}, {"from_": "2026-12-01"}
SHADOWS = ("past", "coming", "gone")
"""Who held each role, will hold it, or holds it at a school that has ended."""


def world() -> World:
    """Of each role somebody who holds it, and three who do not."""
    made = World().school("D").school("S1", below="D").school("S2", below="D")
    made.school("OLD", below="D", ended=True).school("NEW", below="OLD")
    for role in ("school_admin", "dpo", "platform_admin"):
        names = [f"{role} {name}" for name in ("held", *SHADOWS, "part")]
        made.person(*names)
        at = "S1" if role == "school_admin" else None
        made.grant(names[0], role, at)
        made.grant(names[1], role, at, **PAST).grant(names[2], role, at, **COMING)
        made.grant(names[3], role, "OLD").grant(names[4], role, "S1")
    return made


@pytest.fixture
def held(store: Engine) -> Engine:
    """The world in a store."""
    world().store(store)
    return store


def test_only_who_administers_a_school_now_breaks_the_glass(held: Engine) -> None:
    """N-44: not who will, nor who did, nor who administers a school that has ended."""
    with frozen(NOW):
        for name in SHADOWS:
            with pytest.raises(ForbiddenError):
                emergencies.break_glass(
                    point(held), school="S2", hours=1, why="flood", by=f"school_admin {name}"
                )
        emergencies.break_glass(
            point(held), school="S2", hours=1, why="flood", by="school_admin held"
        )


def test_reviews_know_no_administrator_of_an_ended_school(held: Engine) -> None:
    """N-46: neither as who runs reviews there and below, nor as who is asked."""
    with reading(held) as connection:
        tree = schools.read(connection, NOW)
    assert tree.admins == {"S1": ("school_admin held", "school_admin part")}
    assert not tree.administered_by("school_admin gone")
    assert not any(tree.line("NEW"))


def test_only_roles_in_force_are_asked_to_review(held: Engine) -> None:
    asked = {"school_admin held", "school_admin part", "dpo held", "dpo part"}
    with reading(held) as connection:
        assert {row.id for row in reviewers.possible(connection, NOW)} == asked
        shadows = {f"dpo {name}" for name in SHADOWS} | {"nobody"}
        assert reviewers.able(connection, shadows | asked, NOW) == asked


def test_a_definition_names_nobody_who_holds_no_role(held: Engine) -> None:
    """Somebody active is not enough: a review tells the reviewer of people."""
    bench = Bench(held, policy(), point(held).place)
    with frozen(NOW):
        for name in SHADOWS:
            named = replace(GRANTS, fallbacks=("dpo held", f"dpo {name}"))
            with pytest.raises(RefusedError) as caught:
                defining.define(bench, named, BOSS, "each term", None)
            assert caught.value.wrong is Wrong.NOT_A_REVIEWER
        defining.define(bench, replace(GRANTS, fallbacks=("dpo held",)), BOSS, "each term", None)


def test_who_oversees_one_school_is_not_asked_about_all(held: Engine) -> None:
    """An incident, or a review without an administrator, is of all schools (N-46, N-50)."""
    assert [who for who, _ in incident_register.officers(held, NOW)] == ["dpo held"]
    with reading(held) as connection:
        assert events._officers(connection, NOW) == ("dpo held",)


def test_a_notice_is_for_those_whose_role_is_in_force(held: Engine) -> None:
    with reading(held) as connection:
        number = announcements._number(connection, "granted", NOW)
    assert number == len(("held", "part")) * 3


def test_the_platform_keeps_somebody_who_runs_all_of_it(held: Engine) -> None:
    """Who holds that role at one school, or not now, can add no sign-in."""
    for name in ("held", *SHADOWS, "part"):
        users.add(held, name, person=f"platform_admin {name}", by="a-test")
    with frozen(NOW), pytest.raises(ConflictError):
        users.disable(held, "held", by="a-test")
