"""The oracle's own answers, against answers worked out by hand from page 2."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from .answer import Malformed, answer
from .policy import CATALOGUE
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


# -- 2.5, rule by rule -----------------------------------------------------------------------


def test_self_read() -> None:
    found = permitted(ask(school(), "kid", "read", "payment"), "self-read", purpose="service")
    assert found == {"fields": ["method", "account", "card", "evidence"]}  # not cut to the purpose
    permitted(ask(school(), "kid", "read", "payment", purpose="commerce"), "self-read",
              purpose="commerce")  # fmt: skip
    refused_for(ask(school(), "kid", "read", "payment", purpose="advice"), "no_rule")


def test_self_export() -> None:
    permitted(ask(school(), "kid", "export", "access_log"), "self-export", purpose="service")


def test_self_update() -> None:
    found = permitted(ask(school(), "kid", "update", "contact"), "self-update", purpose="account")
    assert found == {"fields": ["email", "phone"]}
    permitted(ask(school(), "kid", "update", "credentials"), "self-update", purpose="account")
    refused_for(ask(school(), "kid", "update", "identity"), "no_rule")


def test_parent_read() -> None:
    where = school()
    permitted(ask(where, "mum", "read", "satisfaction"), "parent-read", purpose="service")
    permitted(ask(where, "mum", "read", "identity", purpose="advice"), "parent-read",
              purpose="advice")  # fmt: skip
    refused_for(ask(where, "mum", "read", "payment"), "no_rule")
    refused_for(ask(where, "mum", "read", "identity", "mate"), "no_rule")


def test_parent_export_update_answer() -> None:
    where = school()
    permitted(ask(where, "mum", "export", "contact"), "parent-export", purpose="service")
    found = permitted(ask(where, "mum", "update", "contact"), "parent-update", purpose="account")
    assert found == {"fields": ["email", "phone"]}
    permitted(ask(where, "mum", "update", "interests"), "parent-answer", purpose="service")


def test_teacher_read_is_bound_to_the_classes_taught() -> None:
    where = school()
    found = permitted(ask(where, "teach", "read", "identity"), "teacher-read", purpose="service")
    assert found == {"fields": ["given_name", "family_name"], "classes": ["C1"]}
    named = ask(where, "teach", "read", "identity", properties={"class": "C1"})
    assert "classes" not in permitted(named, "teacher-read", purpose="service")
    refused_for(ask(where, "teach", "read", "identity", properties={"class": "C2"}), "no_rule")


def test_teacher_grade_names_its_class() -> None:
    where = school()
    refused_for(ask(where, "teach", "update", "assessment_result"), "no_rule")
    named = ask(where, "teach", "update", "assessment_result", properties={"class": "C1"})
    permitted(named, "teacher-grade", purpose="service")


def test_assistant_read() -> None:
    where = school()
    found = permitted(ask(where, "aide", "read", "affiliation"), "assistant-read",
                      purpose="service")  # fmt: skip
    assert found["classes"] == ["C2"]
    refused_for(ask(where, "aide", "read", "assessment_result"), "no_rule")


def test_school_read_from_the_school_and_from_above() -> None:
    where = school()
    for who in ("head", "boss"):
        permitted(ask(where, who, "read", "contact"), "school-read", purpose="service")
    permitted(ask(where, "boss", "read", "contact", "mate"), "school-read", purpose="service")
    refused_for(ask(where, "head", "read", "contact", "mate"), "no_rule")
    nowhere = school(grant("mate", "school_admin"))
    refused_for(ask(nowhere, "mate", "read", "contact"), "no_rule")


def test_school_export_and_maintain() -> None:
    where = school()
    permitted(ask(where, "head", "export", "satisfaction"), "school-export", purpose="service")
    permitted(ask(where, "head", "update", "identity"), "school-maintain", purpose="account")


def test_school_reset_wants_mfa_and_tells_the_person() -> None:
    where = school()
    refused_for(ask(where, "head", "update", "credentials"), "no_rule")
    refused_for(ask(where, "head", "update", "credentials", mfa=False), "no_rule")
    found = permitted(ask(where, "head", "update", "credentials", mfa=True), "school-reset",
                      purpose="account")  # fmt: skip
    assert found == {"fields": ["username", "password"], "notify": ["person"]}


def test_school_emergency() -> None:
    where = school({"fact": "elevation", "person": "head", "school": "S2", "justification": "fire",
                    "from": "2026-11-15T00:00:00", "until": "2026-11-16T00:00:00"})  # fmt: skip
    found = permitted(ask(where, "head", "read", "contact", "mate", justification="fire"),
                      "school-emergency", purpose="service")  # fmt: skip
    assert (found["notify"], found["review"]) == (["dpo"], True)
    refused_for(ask(where, "head", "read", "contact", "mate", justification=" \t"), "no_rule")
    late = datetime(2026, 11, 16, tzinfo=BANGKOK)
    refused_for(ask(where, "head", "read", "contact", "mate", late, justification="f"), "no_rule")


def test_elevation_is_of_that_school_itself() -> None:
    where = school({"fact": "elevation", "person": "head", "school": "D", "justification": "fire",
                    "from": "2026-11-15T00:00:00", "until": "2026-11-16T00:00:00"})  # fmt: skip
    refused_for(ask(where, "head", "read", "contact", "mate", justification="fire"), "no_rule")


def test_elevation_lasts_a_day_and_is_approved_by_another() -> None:
    line = {"fact": "elevation", "person": "head", "school": "S2", "justification": "fire",
            "from": "2026-11-14T12:30:00", "until": "2026-12-01"}  # fmt: skip
    asked = ("head", "read", "contact", "mate")
    assert ask(school(line), *asked, justification="fire")["decision"]
    late = datetime(2026, 11, 15, 12, 30, tzinfo=BANGKOK)
    assert not ask(school(line), *asked, now=late, justification="fire")["decision"]
    for who, decision in (("boss", True), ("head", False)):
        approved = school({**line, "approved_by": who})
        assert ask(approved, *asked, justification="fire")["decision"] is decision


def test_processor_use_and_its_fields() -> None:
    where = school(CONTRACT)
    permitted(ask(where, "svc", "read", "assessment_result", purpose="service"), "processor-use",
              purpose="service")  # fmt: skip
    found = permitted(ask(where, "svc", "read", "identity", purpose="service"), "processor-use",
                      purpose="service")  # fmt: skip
    assert found == {"fields": ["given_name"]}
    refused_for(ask(where, "svc", "read", "identity"), "purpose_required")
    refused_for(ask(where, "svc", "update", "identity"), "no_rule")
    refused_for(ask(where, "svc", "read", "identity", purpose="support"), "no_rule")


def test_processor_onward_wants_sub_processing_in_the_same_contract() -> None:
    onward = {**CONTRACT, "id": "K2", "actions": ["disclose"]}
    apart = school(onward, {**CONTRACT, "id": "K3", "sub_processing": True})
    refused_for(ask(apart, "svc", "disclose", "identity", purpose="service"), "no_rule")
    where = school({**onward, "sub_processing": True})
    permitted(ask(where, "svc", "disclose", "identity", purpose="service"), "processor-onward",
              purpose="service")  # fmt: skip


@pytest.mark.parametrize(
    ("transfer", "country", "allowed"),
    [
        ("domestic", "TH", True), ("domestic", "SG", False), ("adequate", "SG", True),
        ("safeguards", "US", True), ("none", "TH", False), ("adequate", None, False),
    ],
)  # fmt: skip
def test_transfer(transfer: str, country: str | None, allowed: bool) -> None:
    where = school({**CONTRACT, "transfer": transfer, "country": country})
    found = ask(where, "svc", "read", "identity", purpose="service")
    assert found["decision"] is allowed


def test_a_contract_of_schools_wants_a_member_of_exactly_one() -> None:
    of_s1, of_d = ({**CONTRACT, "schools": [org]} for org in ("S1", "D"))
    assert ask(school(of_s1), "svc", "read", "identity", purpose="service")["decision"]
    assert not ask(school(of_d), "svc", "read", "identity", purpose="service")["decision"]


def test_several_contracts_permit_together() -> None:
    other = {**CONTRACT, "id": "K2", "categories": {"identity": ["family_name"]}}
    found = ask(school(CONTRACT, other), "svc", "read", "identity", purpose="service")
    assert found["obligations"]["fields"] == ["given_name", "family_name"]


def test_authority_receive() -> None:
    where = school()
    asked: Line = {"purpose": "legal_duty", "order": "O1"}
    found = permitted(ask(where, "court", "disclose", "contact", **asked), "authority-receive",
                      purpose="legal_duty")  # fmt: skip
    assert found["notify"] == ["dpo"]
    refused_for(ask(where, "court", "read", "identity", **asked), "no_rule")
    refused_for(ask(where, "court", "read", "contact", order="O1"), "purpose_required")
    refused_for(ask(where, "court", "read", "contact", purpose="legal_duty"), "no_rule")


def test_support_read_while_the_ticket_is_open() -> None:
    where = school({"fact": "ticket", "id": "T2", "person": "kid", "assignee": "agent",
                    "opened_at": "2026-11-01", "closed_at": "2026-11-15"})  # fmt: skip
    found = permitted(ask(where, "agent", "read", "contact", purpose="support", ticket="T1"),
                      "support-read", purpose="support")  # fmt: skip
    assert found == {"fields": ["email", "phone"]}  # cut to the purpose
    refused_for(ask(where, "agent", "read", "contact", purpose="support", ticket="T2"), "no_rule")
    refused_for(ask(where, "agent", "read", "contact", "mate", purpose="support", ticket="T1"),
                "no_rule")  # fmt: skip


def test_order_read_within_ninety_local_days() -> None:
    """Received on 20 August: the 90th day, 18 November, is the first without."""
    where = school()
    last = datetime(2026, 11, 17, 23, 59, tzinfo=BANGKOK)
    permitted(ask(where, "clerk", "read", "delivery", now=last, purpose="commerce"), "order-read",
              purpose="commerce")  # fmt: skip
    end = datetime(2026, 11, 18, tzinfo=BANGKOK)
    refused_for(ask(where, "clerk", "read", "delivery", now=end, purpose="commerce"), "no_rule")
    refused_for(ask(where, "clerk", "read", "delivery", properties={"record": "B2"},
                    purpose="commerce"), "no_rule")  # fmt: skip


def test_mentor_read_and_write() -> None:
    where = school()
    permitted(ask(where, "men", "read", "interests", purpose="advice"), "mentor-read",
              purpose="advice")  # fmt: skip
    permitted(ask(where, "men", "update", "learner_profile", purpose="advice"), "mentor-write",
              purpose="advice")  # fmt: skip
    refused_for(ask(where, "men", "update", "learner_profile"), "purpose_required")


def test_analyst_read_is_pseudonymised() -> None:
    found = permitted(ask(school(), "ana", "read", "interests", purpose="improvement"),
                      "analyst-read", purpose="improvement")  # fmt: skip
    assert found["pseudonymise"] is True


def test_pseudonyms_only_where_no_other_rule_permits() -> None:
    where = school({"fact": "processor", "id": "P", "name": "P", "members": ["svc", "ana"]},
                   {**CONTRACT, "purposes": ["improvement"]})  # fmt: skip
    found = permitted(ask(where, "ana", "read", "assessment_result", purpose="improvement"),
                      "processor-use", "analyst-read", purpose="improvement")  # fmt: skip
    assert "pseudonymise" not in found


def test_dpo_case_and_log() -> None:
    where = school()
    for case, action, decision in (
        ("R1", "read", True), ("R1", "delete", True), ("I1", "read", True), ("I1", "delete", False),
    ):  # fmt: skip
        found = ask(where, "dpo", action, "contact", purpose="legal_duty", case=case)
        assert found["decision"] is decision
    both = ask(where, "dpo", "read", "access_log", purpose="legal_duty", case="R1")
    permitted(both, "dpo-case", "dpo-log", purpose="legal_duty")
    permitted(ask(where, "dpo", "read", "access_log", "mate", purpose="legal_duty"), "dpo-log",
              purpose="legal_duty")  # fmt: skip


def test_a_platform_administrator_sees_nobody() -> None:
    for category in CATALOGUE:
        assert ask(school(), "ops", "read", category)["decision"] is False


def test_a_grant_at_an_organisation_reaches_its_members() -> None:
    where = school(grant("men", "analyst", "S1"), grant("clerk", "analyst", "D"))
    decisions = {
        (who, whom): ask(where, who, "read", "interests", whom, purpose="improvement")["decision"]
        for who in ("men", "clerk")
        for whom in ("kid", "mate", "mum")
    }
    assert decisions == {
        ("men", "kid"): True, ("men", "mate"): False, ("men", "mum"): False,
        ("clerk", "kid"): True, ("clerk", "mate"): True, ("clerk", "mum"): False,
    }  # fmt: skip


# -- 2.6, refusal by refusal -----------------------------------------------------------------


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


# -- 2.4, relations and their edges ----------------------------------------------------------


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


# -- page 5, "Values" ------------------------------------------------------------------------

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
