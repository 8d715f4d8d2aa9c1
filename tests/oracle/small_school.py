"""A small school, and questions about it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from .answer import answer
from .school import School

BANGKOK = ZoneInfo("Asia/Bangkok")
NOW = datetime(2026, 11, 15, 12, tzinfo=BANGKOK)
DATA = Path(__file__).parents[3] / "shared" / "data"
Line = dict[str, Any]
PEOPLE: list[Line] = [
    {"id": "kid", "birth_date": "2012-05-05"},
    {"id": "mate", "birth_date": "2001-05-05"},
    *({"id": ident} for ident in (
        "mum", "teach", "aide", "head", "boss", "agent", "clerk", "men", "ana", "dpo", "ops",
    )),
]  # fmt: skip
ROSTER: dict[str, list[Line]] = {
    "orgs": [{"id": "D"}, {"id": "S1", "parent": "D"}, {"id": "S2", "parent": "D"}],
    "memberships": [
        {"person": "kid", "org": "S1"}, {"person": "mate", "org": "S2"},
        {"person": "teach", "org": "S1"}, {"person": "head", "org": "S1"},
    ],
    "terms": [{"id": "T", "begin": "2026-08-15", "end": "2027-06-10"}],
    "classes": [
        {"id": "C1", "school": "S1", "terms": ["T"]},
        {"id": "C2", "school": "S1", "terms": ["T"]},
        {"id": "C0", "school": "S1", "terms": []},
        {"id": "CX", "school": "S1", "terms": ["T", "gone"]},
    ],
    "enrolments": [
        {"class": "C1", "person": "teach", "role": "teacher"},
        {"class": "C1", "person": "kid", "role": "student"},
        {"class": "C2", "person": "aide", "role": "aide"},
        {"class": "C2", "person": "kid", "role": "student"},
    ],
}  # fmt: skip


def grant(person: str, role: str, organisation: str | None = None, **dates: str) -> Line:
    return {"fact": "grant", "person": person, "role": role, "organisation": organisation, **dates}


FACTS: list[Line] = [
    grant("head", "school_admin", "S1"),
    grant("boss", "school_admin", "D"),
    grant("agent", "support_agent"),
    grant("clerk", "order_clerk"),
    grant("men", "mentor"),
    grant("ana", "analyst"),
    grant("dpo", "dpo"),
    grant("ops", "platform_admin"),
    {"fact": "guardianship", "guardian": "mum", "student": "kid", "kind": "parent"},
    {"fact": "processor", "id": "P", "name": "P", "members": ["svc"]},
    {"fact": "authority", "id": "A", "name": "A", "members": ["court"]},
    {"fact": "order", "id": "O1", "authority": "A", "persons": ["kid"], "categories": ["contact"]},
    {"fact": "ticket", "id": "T1", "person": "kid", "assignee": "agent", "opened_at": "2026-11-01"},
    {"fact": "mentoring", "mentor": "men", "person": "kid"},
    {"fact": "purchase", "id": "B1", "person": "kid", "assignee": "clerk",
     "ordered_at": "2026-08-01", "received_at": "2026-08-20"},
    {"fact": "case", "id": "R1", "kind": "rights_request", "persons": ["kid"], "assignee": "dpo",
     "opened_at": "2026-11-01"},
    {"fact": "case", "id": "I1", "kind": "incident", "persons": ["kid"], "assignee": "dpo",
     "opened_at": "2026-11-01"},
]  # fmt: skip
CONTRACT: Line = {
    "fact": "contract", "id": "K1", "processor": "P", "purposes": ["service"],
    "categories": {"assessment_result": [], "identity": ["given_name"]}, "actions": ["read"],
    "schools": "all", "transfer": "domestic", "country": "TH", "sub_processing": False,
}  # fmt: skip


def school(*more: Line, people: list[Line] | None = None, **roster: list[Line]) -> School:
    """The little school, with more facts, other people, or other rows of the roster."""
    rows = {**ROSTER, **roster}
    return School.build(people=PEOPLE + (people or []), facts=[*FACTS, *more], **rows)


def ask(
    where: School,
    who: str,
    action: str,
    category: str,
    person: str = "kid",
    now: datetime = NOW,
    properties: Line | None = None,
    **context: Any,
) -> Line:
    kind = "service" if who in ("svc", "court") else "user"
    request = {
        "subject": {"type": kind, "id": who},
        "action": {"name": action},
        "resource": {"type": category, "id": person, "properties": properties},
        "context": context,
    }
    return answer(where, request, now)


def permitted(found: Line, *rules: str, purpose: str) -> Line:
    assert (found["decision"], found["rules"], found["purpose"]) == (True, list(rules), purpose)
    obligations: Line = found["obligations"]
    return obligations


def refused(found: Line, *names: str) -> None:
    assert (found["decision"], found["rules"], found["reason"]) == (False, list(names), names[0])
    assert found["obligations"] == {}


def refused_for(found: Line, code: str) -> None:
    assert (found["decision"], found["rules"], found["reason"]) == (False, [], code)
