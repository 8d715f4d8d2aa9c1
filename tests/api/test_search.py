"""Searches over HTTP: the binding, pages and their tokens, and the record of each page.

Item numbers are those of ``reference/authzen.md``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from schemathesis import GenerationMode
from sqlalchemy import text

from authz import clock
from authz.audit import log
from authz.errors import AuditUnavailableError
from authz.service.page_tokens import LIFETIME
from authz.service.record_facts import import_facts
from authz.service.tokens import create_token, rotate_key
from tests.api.conftest import Client, Reply, open_client
from tests.api.shapes import ask_of_any_shape
from tests.world import answered

SUBJECT, RESOURCE, ACTION = (f"/access/v1/search/{k}" for k in ("subject", "resource", "action"))
MEMBERS = [f"member-{number:02}" for number in range(7)]
BOSS = {"type": "user", "id": "boss"}
READ = {"name": "read"}
LIST = {"subject": BOSS, "action": READ, "resource": {"type": "identity"}}


@pytest.fixture
def searcher(store_url: str, tmp_path: Path) -> Iterator[Client]:
    """A school of seven members and its administrator, on each kind of database."""
    for client in open_client(store_url, tmp_path):
        with client.store.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO organisation (id, name, type, origin, recorded_at, recorded_by, "
                    "recorded_because) VALUES ('S', '', '', 't', '2026-01-01 00:00:00', '', '')"
                )
            )
        people: list[dict[str, Any]] = [
            {"fact": "person", "id": m, "schools": ["S"]} for m in MEMBERS
        ]
        grant = {"fact": "grant", "person": "boss", "role": "school_admin", "organisation": "S"}
        facts = [*people, {"fact": "person", "id": "boss"}]
        facts.append({**grant, "granted_by": "office", "reason": "duty"})
        _import(client, facts)
        yield Client(client.app, _token(client, "searcher"))


def _import(client: Client, facts: list[dict[str, Any]]) -> None:
    import_facts(
        client.store,
        lambda: [json.dumps({"given_name": "x", "family_name": "y", **f}) if f["fact"] == "person"
                 else json.dumps(f) for f in facts],
        name="facts",
        catalogue=client.service.point.policy.catalogue,
        local=client.settings.local,
        by="tests",
    )  # fmt: skip


def _token(client: Client, name: str, *scopes: str) -> str:
    asked = scopes or ("pdp:search",)
    return create_token(client.store, client.settings, name, asked, timedelta(hours=2), by="t")


def _page(client: Client, body: dict[str, Any], **page: Any) -> Reply:
    return client.post(RESOURCE, {**body, "page": page})


def _ids(answer: Reply) -> list[str]:
    assert answer.status_code == 200, answer.json
    return [each["id"] for each in answer.json["results"]]


def test_everybody_permitted_is_listed_in_the_order_of_their_ids(searcher: Client) -> None:
    """Items 48, 51, 54, 58: whole elements, type before id, and no page where none is needed."""
    answer = searcher.post(RESOURCE, LIST)
    everybody = sorted(["boss", *MEMBERS])
    results = [{"type": "identity", "id": each} for each in everybody]
    assert answer.data.decode() == json.dumps({"results": results}, separators=(",", ":"))


def test_subjects_and_actions_are_listed_too(searcher: Client) -> None:
    """Items 50, 52: what is sent for the open part is ignored."""
    person = {"type": "identity", "id": "member-03"}
    body = {"subject": {"type": "user", "id": "ignored"}, "action": READ, "resource": person}
    found = searcher.post(SUBJECT, body).json["results"]
    assert found == [{"type": "user", "id": "boss"}, {"type": "user", "id": "member-03"}]
    odd: dict[str, Any] = {"subject": BOSS, "action": {"name": 3}, "resource": person}
    assert searcher.post(ACTION, odd).json == {"results": [{"name": "read"}, {"name": "update"}]}


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 9, 5000])
def test_pages_are_complete_and_stable(searcher: Client, limit: int) -> None:
    """Items 57, 60, 61: ``page`` first, a token while there is more, "" on the last page."""
    found: list[str] = []
    page: dict[str, Any] = {"limit": limit}
    for _ in range(10):
        answer = _page(searcher, LIST, **page)
        assert list(answer.json) == ["page", "results"]
        assert len(_ids(answer)) <= limit
        found += _ids(answer)
        page = {"token": answer.json["page"]["next_token"]}
        if not page["token"]:
            break
    assert found == sorted(["boss", *MEMBERS])


def test_a_follow_up_keeps_the_limit_or_repeats_it(searcher: Client) -> None:
    """Item 63: absence is no change, another value is."""
    token = _page(searcher, LIST, limit=3).json["page"]["next_token"]
    assert len(_ids(_page(searcher, LIST, token=token))) == 3
    assert len(_ids(_page(searcher, LIST, token=token, limit=3))) == 3
    answer = _page(searcher, LIST, token=token, limit=4)
    assert (answer.status_code, answer.json["field"]) == (400, "page.limit")


@pytest.mark.parametrize(
    "change",
    [
        {"subject": {"type": "user", "id": "member-01"}},
        {"action": {"name": "export"}},
        {"resource": {"type": "affiliation"}},
        {"resource": {"type": "identity", "properties": {"class": "C"}}},
        {"context": {"purpose": "account"}},
    ],
)
def test_a_token_is_bound_to_the_whole_question(searcher: Client, change: dict[str, Any]) -> None:
    """Item 63."""
    token = _page(searcher, LIST, limit=3).json["page"]["next_token"]
    answer = _page(searcher, {**LIST, **change}, token=token)
    assert (answer.status_code, answer.json["field"]) == (400, "page.token")


def test_a_token_is_bound_to_the_client_and_to_the_kind_of_search(searcher: Client) -> None:
    token = _page(searcher, LIST, limit=3).json["page"]["next_token"]
    other = Client(searcher.app, _token(searcher, "somebody-else"))
    assert _page(other, LIST, token=token).status_code == 400
    body = {**LIST, "resource": {"type": "identity", "id": "boss"}, "page": {"token": token}}
    assert searcher.post(SUBJECT, body).status_code == 400


def test_what_is_null_or_ignored_is_no_change_of_the_question(searcher: Client) -> None:
    token = _page(searcher, LIST, limit=3).json["page"]["next_token"]
    same = {**LIST, "resource": {"type": "identity", "id": "x"}, "context": {"purpose": None}}
    assert len(_ids(_page(searcher, {**same, "more": 1}, token=token))) == 3


def test_a_garbled_or_expired_token_is_400(
    searcher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Item 64."""
    token = _page(searcher, LIST, limit=3).json["page"]["next_token"]
    for wrong in ("x", ".", "a.b", token[:-1], token + "A", token.upper(), "ก", "\ud800"):
        assert _page(searcher, LIST, token=wrong).status_code == 400, wrong
    late = clock.now() + LIFETIME
    monkeypatch.setattr(clock, "now", lambda: late)
    assert _page(searcher, LIST, token=token).json["detail"].startswith("The page token has exp")


def test_a_token_does_not_outlive_the_key_that_signed_it(searcher: Client) -> None:
    token = _page(searcher, LIST, limit=3).json["page"]["next_token"]
    rotate_key(searcher.store, searcher.settings, by="op")
    fresh = Client(searcher.app, _token(searcher, "searcher"))
    assert _page(fresh, LIST, token=token).status_code == 400


@pytest.mark.parametrize(
    "page",
    [{"limit": -1}, {"limit": 1.5}, {"limit": "1"}, {"limit": True}, {"token": 1}, "x",
     {"properties": []}],
)  # fmt: skip
def test_a_wrong_page_is_400(searcher: Client, page: Any) -> None:
    """Items 62, 64."""
    assert searcher.post(RESOURCE, {**LIST, "page": page}).status_code == 400


def test_a_page_of_none_says_that_there_is_more(searcher: Client) -> None:
    answer = _page(searcher, LIST, limit=0)
    assert _ids(answer) == []
    assert answer.json["page"]["next_token"]


@pytest.mark.parametrize(
    "body",
    [
        {**LIST, "subject": {"type": "user", "id": "nobody"}},
        {**LIST, "subject": {"type": "spaceship", "id": "boss"}},
        {**LIST, "subject": {"type": "user", "id": "a\u0000b"}},
        {**LIST, "action": {"name": "fly"}},
        {**LIST, "resource": {"type": "shoes"}},
        {**LIST, "context": {"purpose": "curiosity"}},
    ],
)
def test_what_is_unknown_finds_nothing(searcher: Client, body: dict[str, Any]) -> None:
    """Item 55."""
    answer = searcher.post(RESOURCE, body)
    assert (answer.status_code, answer.json) == (200, {"results": []})


@pytest.mark.parametrize(("path", "part"), [
    (SUBJECT, "action"), (SUBJECT, "resource"), (SUBJECT, "subject"),
    (RESOURCE, "subject"), (RESOURCE, "action"), (RESOURCE, "resource"),
    (ACTION, "subject"), (ACTION, "resource"),
])  # fmt: skip
def test_what_is_not_open_is_required(searcher: Client, path: str, part: str) -> None:
    """Items 50 to 53."""
    whole = {"subject": BOSS, "action": READ, "resource": {"type": "identity", "id": "boss"}}
    del whole[part]
    answer = searcher.post(path, whole)
    assert (answer.status_code, answer.json["field"]) == (400, part)


def test_a_search_needs_its_own_scope(searcher: Client) -> None:
    """Page 4.3: a token for decisions lists nobody."""
    other = Client(searcher.app, _token(searcher, "decider", "pdp"))
    assert other.post(RESOURCE, LIST).status_code == 403
    assert searcher.post(RESOURCE, LIST, authorization=None).status_code == 401


def test_each_page_leaves_one_record_of_whom_it_listed(searcher: Client) -> None:
    """Page 5, N-49: the ids returned are listed, not seen."""
    before = len(answered(searcher.store))
    _page(searcher, {**LIST, "context": {"purpose": "service"}}, limit=3)
    (record,) = answered(searcher.store)[before:]
    assert record["event"] == "search"
    assert record["application"] == "searcher"
    assert record["token_id"] == searcher.token_id
    assert record["subject"] == BOSS
    assert record["resource"] == {"type": "identity", "id": ""}
    assert record["purpose"] == "service"
    assert record["detail"] == {
        "search": "resource", "listed": ["boss", "member-00", "member-01"], "more": True,
    }  # fmt: skip
    assert {"policy", "directory_revision", "request_id", "time"} <= record.keys()
    assert "decision" not in record


def test_without_a_record_nothing_is_listed(
    searcher: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Page 2.8: no record, no answer."""

    def fail(*_: object) -> None:
        raise AuditUnavailableError("The disk is full.")

    monkeypatch.setattr(log, "record", fail)
    answer = searcher.post(RESOURCE, LIST)
    assert (answer.status_code, answer.json["code"]) == (503, "audit_unavailable")
    assert "results" not in answer.json


def test_the_same_search_gives_the_same_bytes(searcher: Client) -> None:
    """Item 78: no id or time of its own."""
    assert len({searcher.post(RESOURCE, LIST).data for _ in range(3)}) == 1


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("endpoint", [SUBJECT, RESOURCE, ACTION])
def test_no_search_of_any_shape_is_a_500(
    client: Client, endpoint: str, mode: GenerationMode
) -> None:
    """Issue 2, "Bad input": schemathesis against our own document, always the same requests."""
    ask_of_any_shape(client, ("POST", endpoint), mode, _token(client, "searcher"))
