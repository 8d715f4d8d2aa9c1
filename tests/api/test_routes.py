"""All routes: metadata, keys, health, OpenAPI, documentation, and what is no route."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate
from schemathesis import GenerationMode
from sqlalchemy import text

from authz.api.openapi import document
from tests.api.conftest import EVALUATION, EVALUATIONS, Client, open_client, question
from tests.api.shapes import ask_of_any_shape

ROUTES = ["/healthz", "/readyz", "/openapi.json", "/docs", "/.well-known/jwks.json"]


def _served(client: Client) -> set[tuple[str, str]]:
    rules = client.app.url_map.iter_rules()
    return {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method)
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD"}
    }


def _described(found: dict[str, Any]) -> set[tuple[str, str]]:
    return {(path, method.upper()) for path, item in found["paths"].items() for method in item}


def test_the_openapi_document_is_valid_and_whole(client: Client) -> None:
    """Issue 2, part 6: every route that there is, and none that is not."""
    for spoken in ("en", "th"):
        found = client.ask("GET", "/openapi.json", accept_language=spoken).json
        validate(found)
        assert found["openapi"].startswith("3.1")
        assert _described(found) == _served(client)
    validate(document())


def test_the_metadata_of_an_identifier_with_a_path(sqlite_url: str, tmp_path: Path) -> None:
    """Items 67, 69: inserted between host and path, and the identifier is the setting's."""
    for client in open_client(sqlite_url, tmp_path, public_url="https://h.test/tenant1"):
        path = "/.well-known/authzen-configuration"
        found = client.ask("GET", f"{path}/tenant1", host="evil.test").json
        assert found["policy_decision_point"] == "https://h.test/tenant1"
        assert found["access_evaluation_endpoint"] == "https://h.test/tenant1" + EVALUATION
        assert client.ask("GET", f"{path}/tenant2").status_code == 404
        assert _described(client.ask("GET", "/openapi.json").json) == _served(client)


@pytest.mark.parametrize("path", [*ROUTES, "/.well-known/authzen-configuration"])
def test_what_is_read_needs_no_token(client: Client, path: str) -> None:
    """Item 68."""
    answer = client.ask("GET", path, authorization=None)
    assert answer.status_code == 200
    assert answer.headers["X-Request-ID"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_what_is_read_is_only_read(client: Client, path: str, method: str) -> None:
    """Item 22."""
    answer = client.ask(method, path)
    assert (answer.status_code, answer.json["code"]) == (405, "method_not_allowed")
    assert set(answer.headers["Allow"].split(", ")) == {"GET", "HEAD"}


@pytest.mark.parametrize(
    "path", ["/", "/metric", "/access/v1/evaluation/", "//access/v1/evaluation", "/admin", "/%00"]
)
def test_what_is_no_route_is_a_problem(client: Client, path: str) -> None:
    """Issue 2, part 6: RFC 9457 everywhere."""
    answer = client.post(path, question())
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"
    assert set(answer.json) == {"type", "title", "status", "detail", "code"}


def test_the_page_runs_nothing_and_loads_nothing(client: Client) -> None:
    """Issue 2, part 6: no CDN, no script; its style is allowed by its hash alone."""
    answer = client.ask("GET", "/docs")
    page = answer.text
    assert answer.content_type == "text/html; charset=utf-8"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; style-src")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script|<img|<link|@import|url\(|\son\w+=|style=", page)
    assert 'name="viewport"' in page
    for path in document()["paths"]:
        assert path in page


@pytest.mark.parametrize(("query", "accepted"), [("?lang=th", "en"), ("", "th"), ("?lang=x", "th")])
def test_the_page_speaks_thai(client: Client, query: str, accepted: str) -> None:
    answer = client.ask("GET", "/docs" + query, accept_language=accepted)
    assert answer.headers["Content-Language"] == "th"
    assert '<html lang="th">' in answer.text
    assert "ถามหนึ่งคำถาม" in answer.text


def test_ready_needs_migrations(client: Client) -> None:
    """Page 4.3: alive is not ready."""
    assert client.ask("GET", "/readyz").json == {"status": "ready"}
    with client.store.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    answer = client.ask("GET", "/readyz")
    assert (answer.status_code, answer.json["field"]) == (503, "migrations")
    assert client.ask("GET", "/healthz").status_code == 200


def test_a_store_that_fails_a_statement_is_no_fault_of_the_service(any_client: Client) -> None:
    """The driver's own errors too: facts are asked through its cursor, past SQLAlchemy."""
    with any_client.store.begin() as connection:
        connection.execute(text("ALTER TABLE guardianship RENAME TO guardianship_gone"))
    try:
        answer = any_client.post(EVALUATION, question())
    finally:
        with any_client.store.begin() as connection:
            connection.execute(text("ALTER TABLE guardianship_gone RENAME TO guardianship"))
    assert (answer.status_code, answer.json["code"]) == (503, "store_unavailable")
    assert "guardianship" not in answer.text


def test_ready_writes_no_record(any_client: Client) -> None:
    """Whether a record can be written is tried and taken back."""
    count = text("SELECT count(*), max(sequence) FROM audit_record")
    assert any_client.ask("GET", "/readyz").status_code == 200  # which begins the journal
    with any_client.store.connect() as connection:
        before = connection.execute(count).one()
    assert any_client.ask("GET", "/readyz").status_code == 200
    with any_client.store.connect() as connection:
        assert connection.execute(count).one() == before


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("endpoint", [EVALUATION, EVALUATIONS])
def test_no_request_of_any_shape_is_a_500(
    client: Client, endpoint: str, mode: GenerationMode
) -> None:
    """Issue 2, "Bad input": schemathesis against our own document, always the same requests."""
    ask_of_any_shape(client, ("POST", endpoint), mode, client.token, examples=60)
