"""`authz evaluate` over real rosters, line for line as page 2 programmed a second time.

The roster goes in through the real importer, facts through the real import, and the requests
through the real command; the oracle reads the same files by itself.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from authz import clock
from authz.cli import cli
from authz.service.database import open_store
from authz.service.record_facts import import_facts
from authz.service.rosters import import_oneroster
from tests.oracle.answer import answer
from tests.oracle.enrich import enrich
from tests.oracle.policy import REFUSALS, RULES
from tests.oracle.requests import facts, requests
from tests.oracle.school import School
from tests.world import BANGKOK, NOW, policy

SEED = 20261115
ORDER = ("fields", "withheld", "classes", "pseudonymise", "notify", "review")
Line = dict[str, Any]


@pytest.fixture
def now() -> datetime:
    """One moment for all, so that every run asks the same."""
    return NOW


def test_ten_thousand_requests_over_a_richer_district(
    sqlite_url: str, shared: Path, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Decision, purpose, rules, reason and obligations of 10,000 answers equal the oracle's,
    and every rule and refusal is among them (N-11, N-20, N-21, N-22, N-23, N-24, N-25)."""
    roster = enrich(shared / "data" / "oneroster-district-medium", tmp_path / "r", SEED, now)
    found = compared(sqlite_url, roster, 10_000, now, tmp_path, monkeypatch, with_facts=True)
    assert {rule.name for rule in RULES} <= found.keys()
    assert set(REFUSALS) <= found.keys()


def test_the_district_as_it_is_published(
    sqlite_url: str, shared: Path, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The roster alone, without a single fact (N-20, N-21)."""
    roster = shared / "data" / "oneroster-district-medium"
    found = compared(sqlite_url, roster, 2_000, now, tmp_path, monkeypatch, with_facts=False)
    assert {"self-read", "school-read"} <= found.keys()


def test_a_thousand_requests_on_postgresql(
    postgres_url: str, shared: Path, tmp_path: Path, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other store answers the same (N-23)."""
    roster = enrich(shared / "data" / "oneroster-district-small", tmp_path / "r", SEED, now)
    compared(postgres_url, roster, 1_000, now, tmp_path, monkeypatch, with_facts=True)


def compared(
    url: str,
    roster: Path,
    count: int,
    now: datetime,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    with_facts: bool,
) -> Counter[str]:
    """Import, ask through the command, and compare each line; how often each rule was named."""
    school = School.from_roster(roster)
    lines = list(facts(school, SEED, now)) if with_facts else []
    school = school.with_facts(lines, at=now)
    imported(url, roster, lines, now)
    asked = list(islice(filter(of_two, requests(school, 2 * count, SEED, now)), count))
    answers = list(evaluated(url, asked, now, folder, monkeypatch))
    assert len(answers) == count
    named: Counter[str] = Counter()
    for request, found in zip(asked, answers, strict=True):
        assert found == as_printed(answer(school, request, now)), request
        named.update(found["context"].get("rules", [found["context"].get("reason")]))
    return named


def of_two(request: Line) -> bool:
    """A service that asks about its own id asks about nobody known: it is refused either way.

    Only the names of the refusals differ: the oracle takes the two for one person (2.4).
    """
    subject = request["subject"]
    return bool(subject["type"] == "user" or subject["id"] != request["resource"]["id"])


def imported(url: str, roster: Path, lines: list[Line], now: datetime) -> None:
    store = open_store(url, durability="os")
    texts = [json.dumps(line) for line in lines]
    with patch.object(clock, "now", lambda: now):
        import_oneroster(store, roster, local=BANGKOK, by="a-test")
        import_facts(
            store,
            lambda: texts,
            name="facts.jsonl",
            catalogue=policy().catalogue,
            local=BANGKOK,
            by="a-test",
        )
    store.dispose()


def evaluated(
    url: str, asked: list[Line], now: datetime, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Line]:
    """What `authz evaluate FILE --at NOW` prints, without the sentences of its reasons."""
    file = folder / "requests.jsonl"
    file.write_text("".join(json.dumps(request) + "\n" for request in asked), encoding="utf-8")
    monkeypatch.setenv("AUTHZ_DATABASE_URL", url)
    done = CliRunner().invoke(cli, ["evaluate", str(file), "--at", now.isoformat()])
    assert done.exit_code == 0, done.output
    for line in done.stdout.splitlines():
        found: Line = json.loads(line)
        if not found["decision"]:
            found["context"]["reason"] = found["context"]["reason"]["code"]
        yield found


def as_printed(found: Line) -> Line:
    """The oracle's answer in the words of 4.3."""
    if not found["decision"]:
        rules = {"rules": found["rules"]} if found["rules"] else {}
        return {"decision": False, "context": {"reason": found["reason"], **rules}}
    told = found["obligations"]
    obligations = [{"id": name, "value": told[name]} for name in ORDER if name in told]
    context = {"purpose": found["purpose"], "rules": found["rules"], "obligations": obligations}
    return {"decision": True, "context": context}
