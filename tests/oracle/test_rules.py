"""The rules of 2.5, one by one; answers worked out by hand from page 2."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.oracle.small_school import (
    BANGKOK,
    CONTRACT,
    Line,
    ask,
    grant,
    permitted,
    refused_for,
    school,
)

from .policy import CATALOGUE


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
