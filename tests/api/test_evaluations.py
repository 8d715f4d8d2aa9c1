"""Access Evaluations through WSGI; item numbers are those of ``reference/authzen.md``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from authz.audit import trail
from tests.api.conftest import EVALUATION, EVALUATIONS, Client, open_client, question
from tests.journals import trail_of

PERMIT: dict[str, Any] = {}
DENY = {"subject": {"type": "user", "id": "somchai"}}
BROKEN = {"subject": {"type": "user"}}


def _decisions(client: Client, items: list[Any], semantic: str | None = None) -> list[bool]:
    options = {} if semantic is None else {"options": {"evaluations_semantic": semantic}}
    answer = client.post(EVALUATIONS, {**question(), **options, "evaluations": items})
    assert answer.status_code == 200, answer.text
    assert set(answer.json) == {"evaluations"}
    return [item["decision"] for item in answer.json["evaluations"]]


@pytest.mark.parametrize("more", [{}, {"evaluations": []}, {"evaluations": None}])
def test_without_items_it_is_a_single_question(client: Client, more: dict[str, Any]) -> None:
    """Item 35: the same body, and the same 400s."""
    single = client.post(EVALUATION, question())
    answer = client.post(EVALUATIONS, {**question(), **more})
    assert answer.data == single.data
    assert "X-Decision-Id" in answer.headers
    broken = client.post(EVALUATIONS, {**more, "subject": {"type": "user", "id": "mali"}})
    assert (broken.status_code, broken.json["field"]) == (400, "action")


def test_answers_come_in_the_order_of_the_items(client: Client) -> None:
    """Items 36, 40, 41."""
    assert _decisions(client, [PERMIT, DENY, PERMIT]) == [True, False, True]


def test_batch_equals_single(client: Client) -> None:
    """Item 36: each item is answered as if it were alone."""
    items = [question(), question("somchai"), question("anan"), question(context={"purpose": "x"})]
    batch = client.post(EVALUATIONS, {"evaluations": items}).json["evaluations"]
    assert batch == [client.post(EVALUATION, item).json for item in items]


def test_a_default_is_replaced_as_a_whole(client: Client) -> None:
    """Item 37: no merge of members."""
    body = question(context={"purpose": "marketing"})
    items = [{}, {"context": {}}, {"resource": {"id": "mali"}}, {"resource": {"type": "identity"}}]
    answer = client.post(EVALUATIONS, {**body, "evaluations": items})
    decisions = [item["decision"] for item in answer.json["evaluations"]]
    assert decisions == [False, True, False, False]


@pytest.mark.parametrize("item", [BROKEN, {"action": {"name": 1}}, 1, "x", None, [], True])
def test_a_broken_item_is_refused_in_its_place(client: Client, item: object) -> None:
    """Items 38, 47: alone or among others, and the top level is never looked at first."""
    answer = client.post(EVALUATIONS, {"evaluations": [item]})
    assert (answer.status_code, answer.json) == (200, {"evaluations": [{"decision": False}]})
    if item is not None:
        assert _decisions(client, [PERMIT, item, PERMIT]) == [True, False, True]


def test_an_item_of_the_wrong_type_of_value_is_refused(client: Client) -> None:
    """Page 5, "Values": malformed inside a batch is a refusal of that item."""
    assert _decisions(client, [PERMIT, {"context": {"purpose": 1}}]) == [True, False]
    assert _decisions(client, [{"context": {"mfa": "yes"}}]) == [False]


@pytest.mark.parametrize("top", [{"resource": {}, "context": {}}, {"resource": {"type": "x"}}])
def test_an_incomplete_top_level_hurts_nobody(client: Client, top: dict[str, Any]) -> None:
    """Item 39."""
    answer = client.post(EVALUATIONS, {**top, "evaluations": [question()]})
    assert answer.json["evaluations"][0]["decision"] is True


@pytest.mark.parametrize("name", ["subject", "action", "resource", "context", "options"])
def test_a_top_level_of_the_wrong_type_is_400(client: Client, name: str) -> None:
    """Item 39: by choice."""
    answer = client.post(EVALUATIONS, {name: "x", "evaluations": [question()]})
    assert (answer.status_code, answer.json["field"]) == (400, name)


@pytest.mark.parametrize("items", ["x", 1, {}, True])
def test_items_that_are_no_array_are_400(client: Client, items: object) -> None:
    """Item 47."""
    answer = client.post(EVALUATIONS, {**question(), "evaluations": items})
    assert (answer.status_code, answer.json["field"]) == (400, "evaluations")


@pytest.mark.parametrize("options", [None, {}, {"x": 1}, {"evaluations_semantic": None}])
def test_unknown_options_are_ignored(client: Client, options: object) -> None:
    """Items 17, 42, 43: everything is executed by default."""
    body = {**question(), "options": options, "evaluations": [DENY, PERMIT]}
    assert len(client.post(EVALUATIONS, body).json["evaluations"]) == 2


@pytest.mark.parametrize("semantic", ["x", "", 1, [], {}, "EXECUTE_ALL"])
def test_an_unknown_semantic_is_400(client: Client, semantic: object) -> None:
    """Item 43."""
    options = {"evaluations_semantic": semantic}
    answer = client.post(EVALUATIONS, {**question(), "options": options, "evaluations": [{}]})
    assert answer.status_code == 400
    assert answer.json["field"] == "options.evaluations_semantic"


@pytest.mark.parametrize(
    ("semantic", "items", "expected"),
    [
        ("execute_all", [DENY, PERMIT, BROKEN, PERMIT], [False, True, False, True]),
        ("deny_on_first_deny", [PERMIT, DENY, PERMIT], [True, False]),
        ("deny_on_first_deny", [PERMIT, BROKEN, PERMIT], [True, False]),
        ("deny_on_first_deny", [PERMIT, PERMIT], [True, True]),
        ("permit_on_first_permit", [DENY, BROKEN, PERMIT, DENY], [False, False, True]),
        ("permit_on_first_permit", [DENY, DENY], [False, False]),
        ("permit_on_first_permit", [PERMIT, DENY], [True]),
    ],
)
def test_a_semantic_stops_at_what_decides(
    client: Client, semantic: str, items: list[Any], expected: list[bool]
) -> None:
    """Items 43, 44, 45."""
    assert _decisions(client, items, semantic) == expected


def test_what_was_not_looked_at_has_no_record(client: Client) -> None:
    """Page 5, "No record": one record for each item, and for no other."""
    options = {"evaluations_semantic": "deny_on_first_deny"}
    body = {**question(), "options": options, "evaluations": [PERMIT, BROKEN, PERMIT]}
    client.post(EVALUATIONS, body, x_request_id="batch-1")
    with trail_of(client.store) as connection:
        found = trail.search(connection, request_id="batch-1").records
    assert [one.record["decision"] for one in reversed(found)] == [True, False]


def test_a_batch_has_a_limit(sqlite_url: str, tmp_path: Path) -> None:
    """Item 30; issue 2, "Bad input": 1,000 by default, a clear error above."""
    for client in open_client(sqlite_url, tmp_path, max_evaluations=3):
        body = {**question(), "evaluations": [{}] * 3}
        assert client.post(EVALUATIONS, body).status_code == 200
        answer = client.post(EVALUATIONS, {**body, "evaluations": [{}] * 4})
        assert answer.status_code == 413
        assert answer.json["code"] == "too_large"
        assert answer.json["field"] == "evaluations"
        assert "3" in answer.json["detail"]


def test_defaults_that_many_items_repeat_have_a_limit(client: Client) -> None:
    """Each item is recorded whole: a body of a megabyte must not become a gigabyte."""
    asked = {**question(), "context": {"note": "a" * 100_000}}
    many = client.post(EVALUATIONS, {**asked, "evaluations": [PERMIT] * 500})
    assert (many.status_code, many.json["code"]) == (413, "too_large")
    some = client.post(EVALUATIONS, {**asked, "evaluations": [PERMIT] * 5})
    assert some.status_code == 200


def test_a_thousand_items_are_answered(client: Client) -> None:
    answer = client.post(EVALUATIONS, {**question(), "evaluations": [{}] * 1000})
    assert len(answer.json["evaluations"]) == 1000
    assert client.post(EVALUATIONS, {"evaluations": [{}] * 1001}).status_code == 413
