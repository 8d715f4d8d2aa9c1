"""What a client is answered on every way to a decision, while all is well and while it is not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import text

from authz.audit import proven
from authz.audit.journal import Journal
from authz.service.database import reading
from authz.service.journals import journal_of
from authz.service.tokens import create_token
from tests.api.conftest import EVALUATION, EVALUATIONS, Client, open_client, question
from tests.journals import verified

SEARCH = "/access/v1/search/resource"
EXPLAIN = "/api/v1/explain"
LIST: dict[str, Any] = {**question(), "resource": {"type": "identity"}}
ASKED: tuple[tuple[str, dict[str, Any]], ...] = (
    (EVALUATION, question()),
    (EVALUATION, question("anan")),
    (EVALUATIONS, {"evaluations": [question(), question("anan")]}),
    (SEARCH, LIST),
    (EXPLAIN, question()),
)
SCOPES = ["pdp", "pdp:search", "pdp:explain"]


def served(url: str, folder: Path, **more: Any) -> Iterator[Client]:
    """The service with a token for every way to a decision."""
    for client in open_client(url, folder, **more):
        hour = timedelta(hours=1)
        token = create_token(client.store, client.settings, "all", SCOPES, hour, by="tests")
        yield replace(client, token=token)


def journal(client: Client) -> Journal:
    found = journal_of(client.store)
    assert found is not None
    return found


def refused(client: Client, code: str = "audit_unavailable", field: str = "audit") -> None:
    """Nothing is decided on any way, and the service says that it is not ready."""
    undecided(client, code)
    ready = client.ask("GET", "/readyz")
    assert (ready.status_code, ready.json.get("field")) == (503, field)
    assert client.ask("GET", "/healthz").status_code == 200


def undecided(client: Client, code: str = "audit_unavailable") -> None:
    """No way leads to a decision."""
    for path, body in ASKED:
        answer = client.post(path, body, x_request_id="lost")
        assert (answer.status_code, answer.json["code"]) == (503, code), path
        assert not answer.json.keys() & {"decision", "evaluations", "results", "rules"}
        assert "X-Decision-Id" not in answer.headers
        assert int(answer.headers["Retry-After"]) > 0


def answered(client: Client, name: str) -> None:
    """All is decided as it is without a fault, and the service is ready."""
    proven.doubt()
    found = [client.post(path, body, x_request_id=name) for path, body in ASKED]
    assert [answer.status_code for answer in found] == [200] * len(ASKED)
    assert [found[0].json["decision"], found[1].json["decision"]] == [True, False]
    assert client.ask("GET", "/readyz").status_code == 200


def whole(client: Client, *names: str) -> None:
    """The trail is whole; the requests of those names are in it, and no other that was made."""
    found = verified(client.store)
    assert found.whole, found.damage
    rows = "SELECT request_id FROM audit_record WHERE decision <> '' OR event = 'search'"
    with reading(client.store) as connection:
        assert set(connection.scalars(text(rows))) == set(names)


def until_refused(client: Client, name: str) -> None:
    """Ask until there is no answer; the answers before were good."""
    for _ in range(500):
        answer = client.post(EVALUATION, question(), x_request_id=name)
        if answer.status_code != 200:
            return
        assert answer.json["decision"] is True
    raise AssertionError("it goes on and on")
