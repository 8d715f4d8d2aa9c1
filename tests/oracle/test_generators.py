"""Rosters are read, and the generators meet every rule and every refusal of page 2."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from .answer import answer
from .enrich import enrich
from .moments import instant
from .policy import GRANTED_ROLES, REFUSALS, RULES
from .requests import facts, requests
from .school import KINDS, School

BANGKOK = ZoneInfo("Asia/Bangkok")
NOW = datetime(2026, 11, 15, 12, tzinfo=BANGKOK)
DATA = Path(__file__).parents[3] / "shared" / "data"
Line = dict[str, Any]


def district(size: str) -> Path:
    path = DATA / f"oneroster-district-{size}"
    if not path.is_dir():
        pytest.skip(f"no roster at {path}")
    return path


@pytest.mark.parametrize(
    ("size", "people", "admins", "enrolments"), [("small", 268, 4, 1855), ("medium", 837, 9, 5810)]
)
def test_a_district(size: str, people: int, admins: int, enrolments: int) -> None:
    where = School.from_roster(district(size))
    assert (len(where.people), len(where.grants), len(where.enrolments)) == (
        people, admins, enrolments,
    )  # fmt: skip


def test_a_roster_of_1_2_and_its_agents(tmp_path: Path) -> None:
    tables = {
        "orgs": "sourcedId,status,name,parentSourcedId\nS,,School,\n",
        "users": "sourcedId,status,enabledUser,givenName,familyName,agentSourcedIds\n"
        'k,,true,K,K,"a,t"\na,,true,A,A,\nb,,false,B,B,k\nt,,true,T,T,\n'
        "x,tobedeleted,true,X,X,k\n",
        "roles": "sourcedId,status,userSourcedId,role,orgSourcedId,beginDate,endDate\n"
        "1,,k,student,S,,\n2,,a,parent,S,,\n3,,a,relative,S,,\n4,,b,guardian,S,,\n"
        "5,,t,teacher,S,,\n6,,t,principal,S,2026-01-01,2026-12-31\n7,,t,administrator,S,,\n",
    }
    for name, text in tables.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    where = School.from_roster(tmp_path)
    assert [(r["guardian"], r["kind"]) for r in where.guardianships] == [
        ("a", "relative"), ("b", "guardian"),
    ]  # fmt: skip
    assert [(g["person"], g["until"]) for g in where.grants] == [("t", "2026-12-31")]
    assert where.people["b"]["status"] == "suspended"
    assert "x" not in where.people


def answers(source: Path, seed: int, n: int) -> list[Line]:
    where = School.from_roster(source)
    where = where.with_facts(facts(where, seed, NOW), at=NOW)
    return [answer(where, request, NOW) for request in requests(where, n, seed, NOW)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_five_thousand_requests_meet_every_rule_and_every_refusal(
    tmp_path: Path, seed: int
) -> None:
    found = answers(enrich(district("small"), tmp_path / "roster", seed, NOW), seed, 5000)
    permits = Counter(rule for a in found if a["decision"] for rule in a["rules"])
    refusals = Counter(name for a in found if not a["decision"] for name in a["rules"])
    reasons = Counter(a["reason"] for a in found)
    assert {rule.name for rule in RULES} <= permits.keys()
    assert set(REFUSALS) <= refusals.keys()
    codes = {"no_rule", "purpose_required", "unknown_category", "unknown_action", "unknown_purpose"}
    assert codes | set(REFUSALS) <= reasons.keys()
    obligations = {name for a in found for name in a["obligations"]}
    assert obligations == {"fields", "withheld", "classes", "pseudonymise", "notify", "review"}
    assert 0.2 < sum(a["decision"] for a in found) / len(found) < 0.8


@pytest.mark.parametrize("seed", range(5))
def test_the_facts_are_valid(tmp_path: Path, seed: int) -> None:
    """References exist when a line comes, intervals are not empty, elevations are as page 5
    wants them, granted roles can be granted."""
    where = School.from_roster(enrich(district("small"), tmp_path / "roster", seed, NOW))
    people = set(where.people)
    ids: dict[str, set[str]] = {kind: set() for kind in KINDS}
    for line in facts(where, seed, NOW):
        kind = line["fact"]
        if kind == "person":
            people.add(line["id"])
        elif "id" in line:
            ids[kind].add(line["id"])
        refer = ("person", "guardian", "student", "subject", "assignee", "mentor", "granted_by",
                 "approved_by")  # fmt: skip
        named = [line[name] for name in refer if name in line] + line.get("persons", [])
        assert people.issuperset(named), line
        orgs = [line[n] for n in ("organisation", "school") if n in line]
        orgs += [] if line.get("schools") == "all" else line.get("schools", [])
        assert where.orgs.keys() >= set(orgs), line
        for other in ("processor", "authority", "project"):
            assert other not in line or line[other] in ids[other], line
        assert line.get("role", "dpo") in GRANTED_ROLES
        for begin, end in (
            ("from", "until"), ("opened_at", "closed_at"), ("given_at", "withdrawn_at"),
            ("ordered_at", "received_at"),
        ):  # fmt: skip
            first, last = instant(line.get(begin), BANGKOK), instant(line.get(end), BANGKOK)
            assert not (first and last) or first < last, line
            if kind == "elevation" and begin == "from":
                assert first is not None
                assert last is not None
                assert (last - first).total_seconds() <= 24 * 3600
                assert line.get("approved_by") != line["person"]


def test_the_generators_are_deterministic() -> None:
    where = School.from_roster(district("small"))
    lines = [json.dumps(line) for line in facts(where, 5, NOW)]
    assert lines == [json.dumps(line) for line in facts(where, 5, NOW)]
    asked = [json.dumps(request) for request in requests(where, 300, 5, NOW)]
    assert asked == [json.dumps(request) for request in requests(where, 300, 5, NOW)]
    assert len(set(asked)) > 250
