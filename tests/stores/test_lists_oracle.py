"""Lists over a real roster, compared with page 2 programmed a second time.

The roster and facts go in through the real imports; the oracle reads the same files by itself
and is asked about every person, so that neither SQL nor the engine vouches for itself.
"""

from __future__ import annotations

import copy
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from authz import clock
from authz.decision.search import Kind, parse_search
from authz.service.database import open_store
from authz.service.search import SearchPoint
from tests.oracle.answer import answer
from tests.oracle.enrich import enrich
from tests.oracle.policy import RULES
from tests.oracle.requests import facts, requests
from tests.oracle.school import School
from tests.stores.test_evaluate_oracle import SEED, imported, of_two
from tests.world import CALLER, NOW, point

DUTIES = frozenset({"school-reset", "school-emergency", "authority-receive"})
LISTING = {rule.name for rule in RULES} - DUTIES
Line = dict[str, Any]


@pytest.mark.slow
def test_lists_of_every_rule_equal_the_oracle(store_url: str, shared: Path, tmp_path: Path) -> None:
    """By every rule but those with duties somebody is listed, and nobody whom the oracle refuses
    (N-20, N-21, N-22, N-23, N-24)."""
    now = NOW
    roster = enrich(shared / "data" / "oneroster-district-small", tmp_path / "r", SEED, now)
    school = School.from_roster(roster)
    lines = list(facts(school, SEED, now))
    school = school.with_facts(lines, at=now)
    imported(store_url, roster, lines, now)
    found = Counter[str]()
    store = open_store(store_url, durability="os")
    searching = SearchPoint(point(store), lambda: b"a key of tests")
    with patch.object(clock, "now", lambda: now):
        for request in _worth_asking(school, now):
            search = parse_search(Kind.RESOURCE, {**request, "page": {"limit": 1000}})
            page = searching.search(search, CALLER)
            assert not page.next_token
            expected = _expected(school, request, now, found)
            assert set(page.listed) == expected, request
    store.dispose()
    assert found.keys() >= LISTING


def _worth_asking(school: School, now: datetime) -> list[Line]:
    """Questions until each rule has permitted two, so that each is asked as a list."""
    wanted, asked = Counter(dict.fromkeys(LISTING, 2)), []
    for request in filter(of_two, requests(school, 20_000, SEED, now)):
        told = answer(school, request, now)
        if told["decision"] and any(wanted[rule] > 0 for rule in told["rules"]):
            wanted.subtract(told["rules"])
            asked.append(request)
        if not any(wanted[rule] > 0 for rule in LISTING):
            break
    return asked


def _expected(school: School, request: Line, now: datetime, found: Counter[str]) -> set[str]:
    """Everybody whom the oracle permits by a rule without duties."""
    listed = set()
    for ident in school.people:
        whole = copy.deepcopy(request)
        whole["resource"]["id"] = ident
        told = answer(school, whole, now)
        by = set(told["rules"]) - DUTIES
        if told["decision"] and by:
            listed.add(ident)
            found.update(by)
    return listed
