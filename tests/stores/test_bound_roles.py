"""A role granted at one organisation opens nothing that is shown of all schools (2.4, N-20)."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, select

from authz.decision.request import parse
from authz.directory.facts import Place
from authz.directory.tables import Person
from authz.policy.load import load
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.explain import explained
from authz.service.permitted import permitted
from tests.conftest import ROOT
from tests.world import BANGKOK, CALLER, NOW, World, frozen, question

CONSOLE = load(ROOT / "policies" / "console")
EVERYWHERE = [name for name, each in CONSOLE.catalogue.categories.items() if each.everywhere]
OVERSEEING = ("dpo", "platform_admin")


def opened(point: DecisionPoint, who: str, category: str, person: str = "") -> bool:
    asked = parse(question(who, "read", category, person or who, mfa=True))
    with frozen(NOW):
        (decided,) = point.evaluate([asked], CALLER)
        ((_, told),) = explained(point, [asked], CALLER, NOW, "en")
    found = decided.decision.permit
    assert told["decision"] is found
    with reading(point.store) as connection:
        listed = connection.scalars(
            permitted(
                select(Person.id), who, "read", category, person=Person.id,
                context={"mfa": True}, policy=point.policy, place=point.place, at=NOW,
            )
        ).all()  # fmt: skip
    assert ((person or who) in listed) is found
    return found


@pytest.fixture
def point(store: Engine) -> DecisionPoint:
    """Two schools; who oversees one of them is a member of it."""
    world = World().school("S1").school("S2").person("kid", "one", at="S1").person("pal", at="S2")
    world.person("both", at="S1").person("all")
    for role in OVERSEEING:
        world.grant("one", role, "S1")
    world.grant("both", "dpo", "S1").grant("both", "platform_admin").grant("all", "dpo")
    world.store(store)
    return DecisionPoint(store, CONSOLE, Place(BANGKOK))


def test_the_console_says_what_is_shown_of_all_schools() -> None:
    overseen = {rule.rule.id: rule.rule for rule in CONSOLE.permits}
    opening = {
        category
        for name in ("dpo-places", "dpo-change", "platform-places", "platform-incidents",
                     "platform-users", "auditor-places")
        for category in overseen[name].categories
    }  # fmt: skip
    assert opening - {"people", "classes"} == set(EVERYWHERE)


def test_a_role_at_one_school_opens_no_screen_of_all(point: DecisionPoint) -> None:
    assert [name for name in EVERYWHERE if opened(point, "one", name)] == []


def test_a_role_at_one_school_reaches_its_members_only(point: DecisionPoint) -> None:
    assert opened(point, "one", "person", "kid")
    assert not opened(point, "one", "person", "pal")
    assert opened(point, "one", "people")


def test_each_role_reaches_as_far_as_it_is_held(point: DecisionPoint) -> None:
    """Whoever runs the platform, and oversees one school, does not oversee them all."""
    assert opened(point, "both", "users")
    assert not opened(point, "both", "trail")
    assert opened(point, "all", "trail")
