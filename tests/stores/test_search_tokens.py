"""What a page token is bound to besides the question: policy, moment, client and their word."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from authz import clock
from authz.decision.search import Kind, Search, parse_search
from authz.errors import MalformedError
from authz.policy.load import load
from authz.service import search as service
from authz.service.decide import DecisionPoint
from authz.service.search import SearchPoint
from tests.world import CALLER, NOW, SCHOOL_PACK, World, frozen, point, question

KIDS = tuple(f"kid-{number}" for number in range(5))
ASKED = question("ann", "read", "identity", "")


@pytest.fixture
def searching(store: Engine) -> SearchPoint:
    world = World().school("S").group("C", school="S").person("ann", *KIDS, at="S")
    world.enrol("C", "teacher", "ann").enrol("C", "student", *KIDS).store(store)
    return SearchPoint(point(store), lambda: b"key")


def search(**page: Any) -> Search:
    return parse_search(Kind.RESOURCE, {**ASKED, "page": page})


def refused(ask: Callable[[], object]) -> None:
    with pytest.raises(MalformedError, match="not of this search"):
        ask()


def test_what_ends_while_a_search_waits_for_the_store_is_not_listed(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The moment is that of the snapshot, as with a decision, and not that of the asking."""
    world = World().school("S").person("mum").person("kid", born="2015-01-01", at="S")
    world.guardian("mum", "kid", until="2026-11-16").store(store)
    searching = SearchPoint(point(store), lambda: b"key")
    asked = parse_search(Kind.RESOURCE, question("mum", "read", "identity", ""))
    now, real = [NOW], service.begun
    monkeypatch.setattr(clock, "now", lambda: now[0])
    assert searching.search(asked, CALLER).listed == ("kid", "mum")

    def late(connection: Connection) -> int:
        now[0] += timedelta(days=2)
        return real(connection)

    monkeypatch.setattr(service, "begun", late)
    assert searching.search(asked, CALLER).listed == ("mum",)


def test_a_token_is_of_one_policy(searching: SearchPoint, tmp_path: Path) -> None:
    """3.3: the same rules under another digest are another policy."""
    folder = Path(shutil.copytree(SCHOOL_PACK, tmp_path / "pack"))
    with (folder / "policy.csv").open("a") as file:
        file.write("# a remark\n")
    old = searching.point
    newer = SearchPoint(DecisionPoint(old.store, load(folder), old.place), searching.key)
    with frozen(NOW):
        token = searching.search(search(limit=2), CALLER).next_token
        assert searching.search(search(token=token), CALLER).listed == ("kid-1", "kid-2")
        refused(lambda: newer.search(search(token=token), CALLER))


def test_a_token_is_of_one_client_and_of_what_it_may_assert(searching: SearchPoint) -> None:
    with frozen(NOW):
        token = searching.search(search(limit=2), CALLER).next_token
        for other in (
            replace(CALLER, client="another"),
            replace(CALLER, asserts_mfa=not CALLER.asserts_mfa),
        ):
            refused(partial(searching.search, search(token=token), other))


def test_a_token_of_a_what_if_is_of_its_moment(searching: SearchPoint) -> None:
    later = NOW + timedelta(days=1)
    with frozen(NOW):
        token = searching.what_if(search(limit=2), CALLER, later).next_token
        page = searching.what_if(search(token=token), CALLER, later)
        assert page.listed == ("kid-1", "kid-2")
        refused(lambda: searching.what_if(search(token=token), CALLER, NOW))
        refused(lambda: searching.search(search(token=token), CALLER))


def test_a_token_is_no_right(searching: SearchPoint, store: Engine) -> None:
    """2.1: a page shows what is true when it is asked for, whatever the first page showed."""
    with frozen(NOW):
        token = searching.search(search(limit=2), CALLER).next_token
        World().import_into(store, [{"fact": "person", "id": "ann", "status": "suspended"}])
        page = searching.search(search(token=token), CALLER)
    assert (page.listed, page.next_token) == ((), "")


def test_the_same_token_gives_the_same_page_again(searching: SearchPoint) -> None:
    with frozen(NOW):
        token = searching.search(search(limit=2), CALLER).next_token
        pages = [searching.search(search(token=token), CALLER) for _ in range(2)]
    assert pages[0].listed == pages[1].listed == ("kid-1", "kid-2")
    assert pages[0].next_token == pages[1].next_token
