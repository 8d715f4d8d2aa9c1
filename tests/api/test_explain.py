"""``POST /api/v1/explain``: who may ask, what comes back, and that it is no access."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from jsonschema import Draft202012Validator
from schemathesis import GenerationMode

from authz.api.openapi import document
from authz.audit import log
from authz.errors import AuditUnavailableError
from authz.service.tokens import create_token
from authz.vocabulary import Scope
from tests.api.conftest import EVALUATION, Client, open_client, question
from tests.api.shapes import ask_of_any_shape
from tests.world import answered

EXPLAIN = "/api/v1/explain"
CUSTODY = question("anan", "mali")


@pytest.fixture
def explainer(sqlite_url: str, tmp_path: Path) -> Iterator[Client]:
    """A client whose token may ask for explanations, and for nothing else."""
    for client in open_client(sqlite_url, tmp_path):
        yield Client(client.app, _token(client, Scope.PDP_EXPLAIN))


def _token(client: Client, scope: str, asserts: tuple[str, ...] = ()) -> str:
    hour = timedelta(hours=1)
    return create_token(
        client.store, client.settings, "admins", [scope], hour, asserts=asserts, by="tests"
    )


def _schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": document()["components"]}


def test_an_explanation_tells_what_a_decision_hides(explainer: Client) -> None:
    """Page 5, "Reasons outward": the custody restriction, its basis, and what would help."""
    answer = explainer.post(EXPLAIN, CUSTODY)
    assert answer.status_code == 200
    assert answer.json["decision"] is False
    assert answer.json["context"]["reason"]["code"] == "custody"
    told = answer.json["context"]["explanation"]
    (refusal,) = told["refusals"]
    (fact,) = refusal["condition"]["relations"][0]["facts"]
    assert (fact["fact"], fact["about"]) == ("custody_restriction", {"basis": "court"})
    assert "X-Decision-Id" not in answer.headers


def test_an_explanation_has_the_shape_that_the_document_says(explainer: Client) -> None:
    """Issue 2, part 6: the OpenAPI document is true of every member."""
    validator = Draft202012Validator(_schema("Explained"))
    for who in ("mali", "anan", "nobody"):
        for category in ("identity", "contact", "credentials", "shoes"):
            asked = {**question(who), "resource": {"type": category, "id": "mali"}}
            validator.validate(explainer.post(EXPLAIN, asked).json)


def test_explaining_needs_a_scope_of_its_own(explainer: Client) -> None:
    """4.3: a token for decisions opens no explanation, and the other way round."""
    decider = Client(explainer.app, _token(explainer, Scope.PDP))
    answer = decider.post(EXPLAIN, CUSTODY)
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert 'scope="pdp:explain"' in answer.headers["WWW-Authenticate"]
    assert explainer.post(EVALUATION, CUSTODY).status_code == 403
    nobody = explainer.post(EXPLAIN, CUSTODY, authorization=None)
    assert (nobody.status_code, nobody.json["code"]) == (401, "unauthenticated")


def test_an_explanation_is_asked_about_another_moment(explainer: Client) -> None:
    """2.1: only what-if tools accept another time; a date is its local midnight."""
    told = explainer.post(EXPLAIN, {**CUSTODY, "at": "2033-05-03"}).json
    assert told["context"]["explanation"]["at"] == "2033-05-03T00:00:00+07:00"
    assert explainer.post(EXPLAIN, {**CUSTODY, "at": None}).status_code == 200


@pytest.mark.parametrize("at", ["soon", "", 3, {}, "2026-13-01", "9999-12-31T23:59:59-23:59"])
def test_a_moment_that_is_none_is_malformed(explainer: Client, at: Any) -> None:
    answer = explainer.post(EXPLAIN, {**CUSTODY, "at": at}, accept_language="th")
    assert (answer.status_code, answer.json["code"]) == (400, "malformed")
    assert answer.json["field"] == "at"
    assert answer.json["detail"].startswith("ต้องเป็น")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b'{"subject": 1, "subject": 2}', "subject"),
        ({**CUSTODY, "context": {"mfa": "yes"}}, "context.mfa"),
        ({**CUSTODY, "subject": {"type": "user"}}, "subject.id"),
        (b"[]", "body"),
    ],
)
def test_a_body_that_is_no_question_is_malformed(explainer: Client, body: Any, field: str) -> None:
    """As strict as an evaluation, and nothing is recorded."""
    before = len(answered(explainer.store))
    answer = explainer.post(EXPLAIN, body)
    assert (answer.status_code, answer.json["field"]) == (400, field)
    assert len(answered(explainer.store)) == before


def test_an_explanation_is_recorded_as_a_what_if(explainer: Client) -> None:
    """2.8: who asked, what, about when; never an access."""
    explainer.post(EXPLAIN, {**CUSTODY, "at": "2033-05-03"}, x_request_id="r-1")
    record = answered(explainer.store)[-1]
    assert (record["event"], record["application"]) == ("what_if", "admins")
    assert (record["request_id"], record["rules"]) == ("r-1", ["custody"])
    assert record["what_if_at"] == "2033-05-02T17:00:00.000000Z"


def test_without_a_record_there_is_no_explanation(explainer: Client) -> None:
    """N-49: no record, no answer."""
    with patch.object(log, "record", side_effect=AuditUnavailableError("full")):
        answer = explainer.post(EXPLAIN, CUSTODY)
    assert (answer.status_code, answer.json["code"]) == (503, "audit_unavailable")
    assert "decision" not in answer.json


def test_a_second_factor_is_believed_only_from_whom_asserts_it(explainer: Client) -> None:
    """Page 5, "Values": as in an evaluation by the same client."""
    asked = {**CUSTODY, "context": {"mfa": True}}
    explainer.post(EXPLAIN, asked)
    asserting = Client(explainer.app, _token(explainer, Scope.PDP_EXPLAIN, ("mfa",)))
    asserting.post(EXPLAIN, asked)
    plain, believed = answered(explainer.store)[-2:]
    assert "mfa" not in plain.get("context", {})
    assert believed["context"]["mfa"] is True


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
def test_no_body_of_any_shape_is_a_500(explainer: Client, mode: GenerationMode) -> None:
    """Issue 2, "Bad input": schemathesis against our own document, always the same requests."""
    ask_of_any_shape(explainer, ("POST", EXPLAIN), mode, explainer.token)


def test_an_explanation_speaks_thai(explainer: Client) -> None:
    answer = explainer.post(EXPLAIN, CUSTODY, accept_language="th")
    assert answer.headers["Content-Language"] == "th"
    texts = [each["text"] for each in answer.json["context"]["explanation"]["changes"]]
    assert all("หาก" in text or "อนุญาต" in text for text in texts)
