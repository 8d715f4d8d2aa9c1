"""The relations of 2.4 and their edges, and the values of page 5, worked out by hand."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from tests.oracle.small_school import (
    BANGKOK,
    NOW,
    Line,
    ask,
    grant,
    permitted,
    refused_for,
    school,
)

from .answer import Malformed, answer


@pytest.mark.parametrize(
    ("born", "moment", "decision"),
    [
        ("2006-11-16", "2026-11-15T23:59:59", True),
        ("2006-11-16", "2026-11-16T00:00:00", False),  # the birthday itself is adult
        ("2008-02-29", "2028-02-28T23:59:59", True),
        ("2008-02-29", "2028-02-29T00:00:00", False),
        (None, "2026-11-15T12:00:00", False),
    ],
)
def test_the_twentieth_birthday(born: str | None, moment: str, decision: bool) -> None:
    rows: list[Line] = [{"id": "son", "birth_date": born}]
    tie = {"fact": "guardianship", "guardian": "mum", "student": "son", "kind": "guardian"}
    where = school(tie, people=rows)
    now = datetime.fromisoformat(moment).replace(tzinfo=BANGKOK)
    assert ask(where, "mum", "read", "identity", "son", now=now)["decision"] is decision


def test_a_birthday_of_29_february_falls_back() -> None:
    where = school({"fact": "guardianship", "guardian": "mum", "student": "son", "kind": "parent"},
                   people=[{"id": "son", "birth_date": "2008-02-29"}])  # fmt: skip
    request = {"subject": {"type": "user", "id": "mum"}, "action": {"name": "read"},
               "resource": {"type": "identity", "id": "son"}}  # fmt: skip
    for day, decision in ((27, True), (28, False)):
        now = datetime(2026, 2, day, 12, tzinfo=BANGKOK)
        assert answer(where, request, now, age_of_majority=18)["decision"] is decision


def test_emancipation_and_relatives() -> None:
    free = {"fact": "emancipation", "person": "kid", "from": "2026-11-15"}
    refused_for(ask(school(free), "mum", "read", "identity"), "no_rule")
    eve = datetime(2026, 11, 14, 23, tzinfo=BANGKOK)
    assert ask(school(free), "mum", "read", "identity", now=eve)["decision"]
    aunt = {"fact": "guardianship", "guardian": "ops", "student": "kid", "kind": "relative"}
    refused_for(ask(school(aunt), "ops", "read", "identity"), "no_rule")


def test_a_recorded_guardianship_supersedes_the_rosters() -> None:
    link = [{"guardian": "men", "student": "kid", "kind": "parent"}]
    fact = {"fact": "guardianship", "guardian": "men", "student": "kid", "kind": "relative"}
    asked = ("men", "export", "identity")
    assert ask(school(guardianships=link), *asked)["decision"]
    assert not ask(school(fact, guardianships=link), *asked)["decision"]
    ended = school(fact, {**fact, "delete": True}, guardianships=link)
    assert not ask(ended, *asked)["decision"]


def test_a_fact_deleted_ends_at_that_moment() -> None:
    line = {"fact": "mentoring", "mentor": "men", "person": "kid", "delete": True}
    where = school().with_facts([line], at=NOW)
    eve = datetime(2026, 11, 14, tzinfo=BANGKOK)
    asked = ("men", "read", "interests")
    assert not ask(where, *asked, purpose="advice")["decision"]
    assert ask(where, *asked, now=eve, purpose="advice")["decision"]


@pytest.mark.parametrize(
    ("moment", "decision"),
    [
        ("2026-08-14T23:59:59", False), ("2026-08-15T00:00:00", True),
        ("2027-06-09T23:59:59", True), ("2027-06-10T00:00:00", False),
    ],
)  # fmt: skip
def test_an_enrolment_takes_the_dates_of_its_terms(moment: str, decision: bool) -> None:
    now = datetime.fromisoformat(moment).replace(tzinfo=BANGKOK)
    assert ask(school(), "teach", "read", "identity", now=now)["decision"] is decision


@pytest.mark.parametrize(
    ("group", "own", "decision"),
    [
        ("C1", {"begin": "2026-11-01"}, True),  # the end is the term's
        ("C1", {"end": "2026-11-15"}, False),
        ("C1", {"end": "2030-01-01", "begin": "2026-11-16"}, False),
        ("C0", {}, True),  # no terms, no end
        ("CX", {"begin": "2026-01-01", "end": "2030-01-01"}, False),  # terms not known
        ("C?", {"begin": "2026-01-01", "end": "2030-01-01"}, False),
    ],
)
def test_an_enrolments_own_dates(group: str, own: Line, decision: bool) -> None:
    rows = [{"class": group, "person": who, "role": role, **own}
            for who, role in (("teach", "teacher"), ("kid", "student"))]  # fmt: skip
    found = ask(school(enrolments=rows), "teach", "read", "identity")
    assert found["decision"] is decision


def test_nobody_is_their_own_administrator_mentor_or_dpo() -> None:
    where = school({"fact": "mentoring", "mentor": "men", "person": "men"},
                   {"fact": "case", "id": "R2", "kind": "rights_request", "persons": ["dpo"],
                    "assignee": "dpo"})  # fmt: skip
    permitted(ask(where, "head", "read", "contact", "head"), "self-read", purpose="service")
    refused_for(ask(where, "head", "update", "identity", "head"), "no_rule")
    refused_for(ask(where, "men", "update", "learner_profile", "men", purpose="advice"), "no_rule")
    refused_for(ask(where, "dpo", "read", "contact", "dpo", purpose="legal_duty", case="R2"),
                "no_rule")  # fmt: skip
    permitted(ask(where, "ana", "read", "interests", "ana", purpose="improvement"),
              "analyst-read", purpose="improvement")  # fmt: skip


def test_a_deregistered_person_has_no_school_class_or_guardian() -> None:
    where = school({"fact": "person", "id": "kid", "status": "deregistered"})
    for who in ("mum", "teach", "head"):
        refused_for(ask(where, who, "read", "identity"), "no_rule")
    assert ask(where, "dpo", "read", "identity", purpose="legal_duty", case="R1")["decision"]
    assert ask(where, "court", "read", "contact", purpose="legal_duty", order="O1")["decision"]


def test_a_suspended_person_keeps_every_relation_as_data_subject() -> None:
    where = school({"fact": "person", "id": "kid", "status": "suspended"})
    for who in ("mum", "teach", "head"):
        assert ask(where, who, "read", "identity")["decision"]


def test_several_rules_widen_each_other() -> None:
    both = school(grant("teach", "school_admin", "S1"))
    found = permitted(ask(both, "teach", "read", "identity"), "teacher-read", "school-read",
                      purpose="service")  # fmt: skip
    assert "classes" not in found  # binds only if every rule is bound


def test_the_first_standing_pair_names_the_purpose() -> None:
    """Without a purpose each rule brings its own default; rules of another purpose are left."""
    where = school({"fact": "guardianship", "guardian": "head", "student": "kid", "kind": "parent"})
    found = ask(where, "head", "update", "contact")
    permitted(found, "parent-update", "school-maintain", purpose="account")


WRONG_PROPERTIES: list[Any] = [
    "C1", {"class": 1}, {"record": {}}, {"fields": []}, {"fields": "a"}, {"fields": [1]},
]  # fmt: skip
GOOD: Line = {
    "subject": {"type": "user", "id": "mum"},
    "action": {"name": "read"},
    "resource": {"type": "identity", "id": "kid"},
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": None}, {"subject": "mum"}, {"action": {"name": 7}}, {"action": {}},
        {"subject": {"type": "user"}}, {"resource": {"id": "kid"}}, {"context": []},
        {"context": {"purpose": 1}}, {"context": {"mfa": "true"}}, {"context": {"mfa": 1}},
        {"context": {"case": ["R1"]}}, {"context": {"justification": True}},
        *({"resource": {**GOOD["resource"], "properties": those}} for those in WRONG_PROPERTIES),
    ],
)  # fmt: skip
def test_malformed(wrong: Line) -> None:
    with pytest.raises(Malformed):
        answer(school(), {**GOOD, **wrong}, NOW)


def test_null_is_absent_and_unknown_members_are_ignored() -> None:
    nothing = dict.fromkeys(("purpose", "ticket", "order", "case", "justification", "mfa"))
    resource = {**GOOD["resource"], "properties": dict.fromkeys(("class", "record", "fields"))}
    asked = {**GOOD, "resource": resource, "context": {**nothing, "weather": 3}, "page": []}
    assert answer(school(), asked, NOW) == answer(school(), GOOD, NOW)
