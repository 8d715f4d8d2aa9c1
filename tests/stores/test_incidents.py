"""The register of incidents: its records, and the case that opens the data to the officer."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from authz import clock
from authz.audit import log
from authz.audit.search import search
from authz.decision.request import parse
from authz.errors import AuditUnavailableError, ConflictError, NotFoundError
from authz.service import incident_register, incidents
from authz.service.decide import DecisionPoint
from authz.service.decided import Caller
from tests.stores.test_reports import NOON, point

__all__ = ["point"]
WHOLE = {"cause": "A key in a repository", "effect": "Marks were read", "remedy": "Revoked"}


def records(store: Engine, **asked: Any) -> list[dict[str, Any]]:
    with store.connect() as connection:
        return [each.record for each in search(connection, **asked).records]


def permitted(point: DecisionPoint, person: str = "mali") -> bool:
    """May the officer read this person's test results on the case?"""
    asked = {
        "subject": {"type": "user", "id": "siri"},
        "action": {"name": "read"},
        "resource": {"type": "assessment_result", "id": person},
        "context": {"purpose": "legal_duty", "case": "I-1"},
    }
    return point.evaluate([parse(asked)], Caller("console"))[0].decision.permit


def test_an_incident_opens_a_case_for_its_officer_and_closes_it(
    point: DecisionPoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """E-07, N-50, 2.4: need to know begins with the assignment and ends with the closing."""
    incidents.open_incident(point, "A leak", ident="I-1", persons=["mali"], by="op", because="mail")
    assert not permitted(point)
    incidents.assign(point, "I-1", "siri", by="op")
    assert permitted(point)
    assert not permitted(point, "kru")
    incidents.amend(point, "I-1", {}, persons=["kru", "mali"], by="op")
    assert permitted(point, "kru")
    with pytest.raises(ConflictError, match="cause"):
        incidents.close(point, "I-1", by="op")
    monkeypatch.setattr(clock, "now", lambda: NOON + timedelta(hours=2))
    incidents.amend(point, "I-1", {**WHOLE, "reported_at": NOON + timedelta(hours=1)}, by="siri")
    done = incidents.close(point, "I-1", by="siri", because="all told")
    assert done.closed_at == NOON + timedelta(hours=2)
    assert not permitted(point)
    assert incident_register.register(point.store) == []
    assert [each.id for each in incident_register.register(point.store, everything=True)] == ["I-1"]


def test_each_change_leaves_a_record_without_the_words(point: DecisionPoint) -> None:
    """N-49: who, when, what and why; what is said of people stays in the register."""
    incidents.open_incident(point, "Secret words", ident="I-1", persons=["mali"], by="op")
    incidents.amend(point, "I-1", {"cause": "More secret words"}, by="siri", because="found it")
    newest, first = records(point.store, person="I-1")
    assert (first["event"], newest["event"]) == ("incident_opened", "incident_updated")
    assert "secret" not in str([newest, first]).lower()
    assert newest["detail"]["who"] == "siri"
    assert newest["detail"]["why"] == "found it"
    assert newest["detail"]["after"]["given"] == ["title", "cause"]
    assert first in records(point.store, person="mali", event="incident_opened")
    steps = incident_register.history(point.store, "I-1")
    assert [step["action"] for step in steps] == ["incident_opened", "incident_updated"]
    assert steps[1]["members"] == {"cause": "More secret words", "persons": []}


def test_a_change_without_its_record_does_not_happen(
    point: DecisionPoint, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-49: one transaction for the register, the case and the records."""

    def fail(*_: Any) -> None:
        raise AuditUnavailableError("full", where="audit trail")

    incidents.open_incident(point, "A leak", ident="I-1", persons=["mali"], by="op")
    monkeypatch.setattr(log, "append", fail)
    with pytest.raises(AuditUnavailableError):
        incidents.assign(point, "I-1", "siri", by="op")
    assert incident_register.get(point.store, "I-1").assignee is None
    with point.store.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM privacy_case")) == 0


def test_what_is_not_there_is_told(point: DecisionPoint) -> None:
    incidents.open_incident(point, "A leak", ident="I-1", by="op")
    with pytest.raises(ConflictError):
        incidents.open_incident(point, "Again", ident="I-1", by="op")
    with pytest.raises(NotFoundError):
        incidents.assign(point, "I-1", "nobody", by="op")
    with pytest.raises(NotFoundError):
        incidents.amend(point, "I-1", {}, persons=["nobody"], by="op")
    for ask in (incident_register.get, incident_register.history):
        with pytest.raises(NotFoundError):
            ask(point.store, "none")
    made = incidents.open_incident(point, "Another", by="op")
    assert made.id.startswith("INC-20261123-")


def test_the_clock_is_told_as_hours(point: DecisionPoint) -> None:
    """E-07: how long is left, and that it is late."""
    made = incidents.open_incident(
        point, "A leak", known_at=NOON - timedelta(hours=73), ident="I-1", by="op"
    )
    told = incident_register.as_dict(made, NOON)
    assert (told["hours_left"], told["late"]) == (-1.0, True)
    assert told["due_at"] == "2026-11-23T04:00:00.000000Z"
