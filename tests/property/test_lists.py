"""A list and a check are one: whoever is listed is permitted, and nobody else (page 3.4).

``test_list_equals_check`` asks random worlds, near to a permit by every rule, both ways:
once by a search, which is one SQL statement, and once by an evaluation of each candidate.
"""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from authz import permitted
from authz.decision.search import Kind, Search, parse_search
from authz.directory import tables as t
from authz.service.listings import Listings
from authz.service.search import SearchPoint
from tests.oracle.policy import RULES
from tests.property.worlds import PEOPLE, SERVICES, requests, theorem, worlds
from tests.world import CALLER, NOW, Row, World, clear, frozen, point, policy, question

DUTIES = frozenset({"school-reset", "school-emergency", "authority-receive"})
EVERYBODY = (*PEOPLE, "stranger")
SUBJECTS = (*EVERYBODY, *SERVICES, "nobody")
KEY = b"a key of tests"
LISTINGS = Listings()
"""The statements that were made already, so that a test does not make each one anew."""


def searching(store: Engine) -> SearchPoint:
    return SearchPoint(point(store), lambda: KEY, LISTINGS)


def listed(store: Engine, kind: Kind, request: Row, **page: Any) -> list[str]:
    """All that a search lists, through all its pages."""
    found: list[str] = []
    search: Search = parse_search(kind, {**request, "page": page})
    with frozen(NOW):
        while True:
            answer = searching(store).search(search, CALLER)
            found += answer.listed
            if not answer.next_token:
                return found
            follow = {**page, "token": answer.next_token}
            search = parse_search(kind, {**request, "page": follow})


def checked(
    store: Engine, world: World, request: Row, part: str, idents: tuple[str, ...]
) -> set[str]:
    """Those whom an evaluation permits by a rule that a search does not leave out."""
    asked = []
    for ident in idents:
        whole = copy.deepcopy(request)
        whole[part]["name" if part == "action" else "id"] = ident
        asked.append(whole)
    decided = world.ask_all(store, asked)
    return {
        ident
        for ident, one in zip(idents, decided, strict=True)
        if one.decision.permit and set(one.decision.rules) - DUTIES
    }


@theorem
@given(world=worlds(), asked=st.lists(requests(), min_size=4, max_size=6))
def test_list_equals_check(store: Engine, world: World, asked: list[Row]) -> None:
    """Who is listed is permitted, and who is permitted is listed (3.4), by every rule."""
    clear(store)
    world.store(store)
    for request in asked:
        for kind, idents in (
            (Kind.RESOURCE, EVERYBODY),
            (Kind.SUBJECT, SUBJECTS),
            (Kind.ACTION, policy().catalogue.actions),
        ):
            expected = checked(store, world, request, kind.value, tuple(idents))
            found = listed(store, kind, request)
            assert len(found) == len(set(found))
            if kind is Kind.SUBJECT:
                expected &= _of_directory(world, request["subject"]["type"])
            assert set(found) == expected, (kind, request)


def _of_directory(world: World, kind: str) -> set[str]:
    people = {row["id"] for row in world.people}
    return people if kind == "user" else {"svc", "court", "dan", "cat"} - people


@theorem
@given(world=worlds(), asked=st.lists(requests(strange=False), min_size=4, max_size=6))
def test_permitted_equals_check(store: Engine, world: World, asked: list[Row]) -> None:
    """A statement narrowed to what a subject may see shows that and nothing else."""
    clear(store)
    world.store(store)
    for request in asked:
        narrowed = permitted(
            select(t.Person.id),
            request["subject"]["id"],
            request["action"]["name"],
            request["resource"]["type"],
            person=t.Person.id,
            subject_type=request["subject"]["type"],
            context=request.get("context", {}),
            properties=request["resource"].get("properties", {}),
            policy=policy(),
            place=point(store).place,
            at=NOW,
        )
        with store.connect() as connection:
            found = set(connection.scalars(narrowed))
        assert found == checked(store, world, request, "resource", EVERYBODY), request


@pytest.mark.parametrize("name", ["ticket", "order", "case", "class", "record"])
@pytest.mark.parametrize("strange", ["\0", "a\0b"])
def test_a_name_that_no_database_holds_narrows_a_list_as_it_does_a_check(
    store: Engine, name: str, strange: str
) -> None:
    """3.4: it is nobody's (N-51), and who is seen by another rule is seen all the same."""
    world = World().person("ann").person("kid", born="2015-01-01").guardian("ann", "kid")
    world.store(store)
    request = question("ann", "read", "contact", "kid")
    if name in ("class", "record"):
        request["resource"]["properties"] = {name: strange}
    else:
        request["context"] = {name: strange}
    for kind, idents in (
        (Kind.RESOURCE, ("ann", "kid")),
        (Kind.SUBJECT, ("ann", "kid")),
        (Kind.ACTION, policy().catalogue.actions),
    ):
        expected = checked(store, world, request, kind.value, tuple(idents))
        assert expected
        assert set(listed(store, kind, request)) == expected, kind


def test_every_rule_of_the_policy_is_in_the_worlds() -> None:
    assert {rule.name for rule in RULES} == {c.rule.id for c in policy().permits}
