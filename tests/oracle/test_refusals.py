"""The refusals of 2.6, one by one; answers worked out by hand from page 2."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.oracle.small_school import (
    BANGKOK,
    CONTRACT,
    NOW,
    Line,
    ask,
    grant,
    permitted,
    refused,
    refused_for,
    school,
)

from .answer import answer


def test_inactive_subject() -> None:
    gone = [{"id": "off", "status": "suspended"}, {"id": "left", "status": "deregistered"}]
    where = school(people=gone)
    for who in ("off", "left", "nobody"):
        refused(ask(where, who, "read", "identity"), "inactive-subject")
    other = {"subject": {"type": "service", "id": "kid"}, "action": {"name": "read"},
             "resource": {"type": "identity", "id": "kid"}}  # fmt: skip
    refused(answer(where, other, NOW), "inactive-subject")


def test_unknown_person() -> None:
    refused(ask(school(), "teach", "read", "identity", "nobody"), "unknown-person")
    refused(ask(school(), "nobody", "read", "credentials", "nobody"),
            "inactive-subject", "unknown-person", "secret")  # fmt: skip


def test_secret() -> None:
    for action in ("read", "export", "disclose"):
        refused(ask(school(), "kid", action, "credentials"), "secret")
    refused_for(ask(school(), "kid", "delete", "credentials"), "no_rule")


def test_custody_is_directed() -> None:
    ban = {"fact": "custody_restriction", "subject": "mum", "person": "kid", "basis": "court"}
    refused(ask(school(ban), "mum", "read", "identity"), "custody")
    refused(ask(school(ban), "mum", "read", "payment"), "custody")  # no rule needed
    back = {**ban, "subject": "kid", "person": "mum"}
    permitted(ask(school(back), "mum", "read", "identity"), "parent-read", purpose="service")


def test_retention() -> None:
    old = {"fact": "person", "id": "kid", "cancelled_at": "2025-11-15T12:00:00"}
    refused(ask(school(old), "mum", "read", "identity"), "retention")
    refused(ask(school(old), "kid", "read", "identity"), "retention")
    before = datetime(2026, 11, 15, 11, 59, tzinfo=BANGKOK)
    assert ask(school(old), "mum", "read", "identity", now=before)["decision"]
    case = ask(school(old), "dpo", "read", "identity", purpose="legal_duty", case="R1")
    assert case["decision"]


def test_retention_from_deregistration_where_nothing_was_cancelled() -> None:
    left = datetime(2025, 1, 1, tzinfo=UTC)
    where = school(CONTRACT).with_facts([{"fact": "person", "id": "kid", "delete": True}], at=left)
    refused(ask(where, "svc", "read", "identity", purpose="service"), "retention")
    back = where.with_facts([{"fact": "person", "id": "kid", "status": "active"}])
    assert ask(back, "svc", "read", "identity", purpose="service")["decision"]


def test_retention_of_orders_and_of_use() -> None:
    sold = {"fact": "purchase", "id": "B0", "person": "kid", "assignee": "clerk",
            "ordered_at": "2016-01-01", "received_at": "2016-02-02"}  # fmt: skip
    where = school(sold)
    asked = ask(where, "kid", "read", "purchase", purpose="commerce", properties={"record": "B0"})
    refused(asked, "retention")
    permitted(ask(where, "kid", "read", "purchase", purpose="commerce"), "self-read",
              purpose="commerce")  # fmt: skip
    idle = {"fact": "person", "id": "kid", "last_used_at": "2021-11-15"}
    refused(ask(school(idle), "ana", "read", "interests", purpose="improvement"), "retention")


def test_retention_of_a_project() -> None:
    deal = {**CONTRACT, "purposes": ["event"]}
    agreed = {"fact": "consent", "person": "kid", "purpose": "event", "project": "E",
              "given_at": "2026-01-01"}  # fmt: skip
    for end, days, decision in (
        ("2026-10-16", None, False), ("2026-10-17", None, True), ("2026-10-16", 31, True),
    ):  # fmt: skip
        project = {"fact": "project", "id": "E", "customer": "c", "ended_at": end,
                   "retention_days": days}  # fmt: skip
        where = school(deal, project, agreed)
        found = ask(where, "svc", "read", "identity", purpose="event")
        assert found["decision"] is decision, (end, days)
        kept = school(deal, project, agreed, {"fact": "project", "id": "F", "customer": "c"},
                      {**agreed, "project": "F"})  # fmt: skip
        assert ask(kept, "svc", "read", "identity", purpose="event")["decision"]


def test_objected() -> None:
    no = {"fact": "objection", "person": "kid", "purpose": "improvement"}
    refused(ask(school(no), "ana", "read", "interests", purpose="improvement"), "objected")
    claims = {**no, "purpose": "legal_claims"}
    asked = ask(school(claims), "dpo", "read", "contact", purpose="legal_claims", case="R1")
    permitted(asked, "dpo-case", purpose="legal_claims")
    contract = {**no, "purpose": "service"}  # no objection against a contract
    permitted(ask(school(contract), "mum", "read", "identity"), "parent-read", purpose="service")
    refused_for(ask(school(no), "kid", "read", "interests", purpose="improvement"), "no_rule")


def test_withdrawn() -> None:
    deal = {**CONTRACT, "purposes": ["marketing"]}
    refused(ask(school(deal), "svc", "read", "identity", purpose="marketing"), "withdrawn")
    yes = {"fact": "consent", "person": "kid", "purpose": "marketing", "given_at": "2026-01-01",
           "withdrawn_at": "2026-11-15T12:00:00"}  # fmt: skip
    refused(ask(school(deal, yes), "svc", "read", "identity", purpose="marketing"), "withdrawn")
    before = datetime(2026, 11, 15, 11, 59, 59, tzinfo=BANGKOK)
    found = ask(school(deal, yes), "svc", "read", "identity", now=before, purpose="marketing")
    permitted(found, "processor-use", purpose="marketing")
    refused_for(ask(school(), "kid", "read", "identity", purpose="marketing"), "no_rule")
    refused(ask(school(), "teach", "read", "identity", purpose="marketing"), "withdrawn")


@pytest.mark.parametrize(
    "stop",
    [{"fact": "restriction", "person": "kid"},
     {"fact": "erasure", "person": "kid", "approved_at": "2026-11-01"}],
)  # fmt: skip
def test_restricted_and_its_exceptions(stop: Line) -> None:
    where = school(stop)
    refused(ask(where, "mum", "read", "identity"), "restricted")
    refused(ask(where, "kid", "update", "contact"), "restricted")
    for who, action, category, more in (
        ("kid", "read", "contact", {}),
        ("kid", "export", "contact", {}),
        ("kid", "update", "credentials", {}),
        ("head", "update", "credentials", {"mfa": True}),
        ("dpo", "read", "contact", {"purpose": "legal_duty", "case": "R1"}),
        ("court", "read", "contact", {"purpose": "legal_duty", "order": "O1"}),
    ):
        assert ask(where, who, action, category, **more)["decision"], (who, action)
    refused(ask(where, "dpo", "read", "access_log", purpose="legal_duty"), "restricted")
    claims = school(stop, {**CONTRACT, "purposes": ["legal_claims", "service"]})
    assert ask(claims, "svc", "read", "identity", purpose="legal_claims")["decision"]
    refused(ask(claims, "svc", "read", "identity", purpose="service"), "restricted")


def test_not_needed() -> None:
    where = school()
    refused(ask(where, "mum", "read", "contact", purpose="advice"), "not-needed", "no-fields")
    refused(ask(where, "teach", "read", "payment", purpose="service"), "not-needed")
    refused_for(ask(where, "teach", "read", "payment"), "no_rule")


def test_escalation() -> None:
    where = school(grant("teach", "mentor", "S2"))
    refused(ask(where, "head", "update", "identity", "teach"), "escalation")
    refused(ask(where, "head", "update", "credentials", "teach", mfa=True), "escalation")
    permitted(ask(where, "head", "read", "identity", "teach"), "school-read", purpose="service")
    over = school(grant("teach", "mentor", "S2", until="2026-11-15"))
    assert ask(over, "head", "update", "identity", "teach")["decision"]


def test_no_fields_and_withheld() -> None:
    where = school()
    asked: Line = {"fields": ["gender", "shoe_size"]}
    refused(ask(where, "kid", "update", "contact", properties=asked), "no-fields")
    asked = {"fields": ["shoe_size", "phone", "gender", "email"]}
    found = permitted(ask(where, "kid", "update", "contact", properties=asked), "self-update",
                      purpose="account")  # fmt: skip
    assert found == {"fields": ["email", "phone"], "withheld": ["shoe_size", "gender"]}


def test_unknown_words_in_their_order() -> None:
    where = school()
    asked = ask(where, "nobody", "stroke", "shoes", purpose="fun")
    refused_for(asked, "unknown_category")
    refused_for(ask(where, "nobody", "stroke", "identity", purpose="fun"), "unknown_action")
    refused_for(ask(where, "nobody", "read", "identity", purpose="fun"), "unknown_purpose")
