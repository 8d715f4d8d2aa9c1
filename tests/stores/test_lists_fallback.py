"""What SQL cannot say is decided one by one: nobody is lost, and nobody is listed too many."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, select

from authz import permitted
from authz.decision.request import parse
from authz.decision.search import Kind, parse_search
from authz.directory import tables as t
from authz.directory.conditions import listing
from authz.directory.facts import Place
from authz.engine.policy import Policy
from authz.errors import PolicyError
from authz.policy.load import load
from authz.service import candidates
from authz.service.decide import DecisionPoint
from authz.service.search import SearchPoint
from tests.world import BANGKOK, CALLER, NOW, SCHOOL_PACK, World, frozen, policy, question

KIDS = tuple(f"kid-{number}" for number in range(7))


@pytest.fixture
def odd_policy(tmp_path: Path) -> Policy:
    """A teacher may not read of whoever comes after kid-3: SQL may order ids otherwise."""
    folder = Path(shutil.copytree(SCHOOL_PACK, tmp_path / "pack"))
    file = folder / "policy.csv"
    odd = 'r.rel.teaches && r.res.id < "kid-4", allow'
    file.write_text(file.read_text().replace("r.rel.teaches, allow", odd))
    return load(folder)


def school(store: Engine) -> World:
    world = World().school("S").group("C", school="S").person("ann", *KIDS, at="S")
    return world.enrol("C", "teacher", "ann").enrol("C", "student", *KIDS).store(store)


def asked(store: Engine, known: Policy, request: dict[str, Any], **more: Any) -> list[str]:
    """Everything that is listed, page by page."""
    point = DecisionPoint(store, known, Place(more.pop("zone", BANGKOK)))
    searching = SearchPoint(point, lambda: b"key")
    page: dict[str, Any] = {"limit": 2}
    found: list[str] = []
    with frozen(NOW):
        while True:
            search = parse_search(Kind.RESOURCE, {**request, "page": page})
            answer = searching.search(search, CALLER)
            found += answer.listed
            if not answer.next_token:
                return found
            page = {"token": answer.next_token}


def test_a_condition_that_sql_cannot_say_lists_exactly(
    store: Engine, odd_policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More candidates than a batch holds, and pages that end in the middle of one."""
    monkeypatch.setattr(candidates, "BATCH", 3)
    school(store)
    request = question("ann", "read", "identity", "")
    assert asked(store, policy(), request) == ["ann", *KIDS]
    assert asked(store, odd_policy, request) == ["ann", *KIDS[:4]]


def test_a_query_cannot_be_narrowed_by_what_sql_cannot_say(odd_policy: Policy) -> None:
    with pytest.raises(PolicyError, match="Use a search"):
        permitted(
            select(t.Person.id), "ann", "read", "identity",
            person=t.Person.id, policy=odd_policy, place=Place(BANGKOK),
        )  # fmt: skip


def test_days_of_a_zone_with_summer_time_are_decided_one_by_one(store: Engine) -> None:
    """E-02: 30 days of local time, over the end of summer time in Berlin."""
    world = World().person("ann", "bob", "cat")
    for ident, ended in (("p1", "2026-10-16T05:59:59+02:00"), ("p2", "2026-10-16T06:00:01+02:00")):
        world.fact("project", id=ident, customer="C", ended_at=ended)
    for who, project in (("ann", "p1"), ("bob", "p2"), ("cat", "p2")):
        world.fact("consent", person=who, purpose="event", project=project, given_at="2026-01-01")
    world.fact("processor", id="P", name="P", members=["svc"])
    world.fact(
        "contract", id="c", processor="P", purposes=["event"], categories={"identity": []},
        actions=["read"], schools="all", transfer="domestic", country="TH", sub_processing=False,
    )  # fmt: skip
    world.store(store)
    request = question("svc", "read", "identity", "", kind="service", purpose="event")
    zone = ZoneInfo("Europe/Berlin")
    point = DecisionPoint(store, policy(), Place(zone))
    expected = []
    with frozen(NOW):
        for ident in ("ann", "bob", "cat"):
            whole = {**request, "resource": {"type": "identity", "id": ident}}
            if point.evaluate([parse(whole)], CALLER)[0].decision.permit:
                expected.append(ident)
    assert expected == ["bob", "cat"]
    assert asked(store, policy(), request, zone=zone) == expected


def test_a_broad_source_is_gone_through_page_by_page(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An administrator of very many is listed the same, in the order of the ids."""
    world = school(store)
    world.import_into(store, World().grant("ann", "school_admin", "S").facts)
    request = question("ann", "read", "contact", "")
    narrow = asked(store, policy(), request)
    monkeypatch.setattr(listing, "FEW", 2)
    assert asked(store, policy(), request) == narrow == ["ann", *KIDS]
