"""AuthZEN 1.0 over real HTTP: the certification cases, the Todo decisions, the binding.

The policies are packs of ``tests/packs``, the entities come in by ``authz import entities``,
and the server is the one that ``authz serve`` starts. Item numbers are those of
``reference/authzen.md``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from tests.api.certificates import certificate
from tests.api.server import ROOT, Place, Server

VECTORS = ROOT.parent / "shared" / "vectors" / "authzen"
PACKS = ROOT / "tests" / "packs"
EVALUATION = "/access/v1/evaluation"
EVALUATIONS = "/access/v1/evaluations"
ALICE = {
    "subject": {"type": "user", "id": "alice"},
    "action": {"name": "read"},
    "resource": {"type": "record", "id": "record-1"},
}


def _vectors(name: str) -> Any:
    path = VECTORS / name
    return json.loads(path.read_text()) if path.exists() else None


def _cases() -> list[Any]:
    found = _vectors("certification-cases.json")
    if found is None:
        missing = pytest.mark.skip(reason=f"NO VECTORS: {VECTORS} is not there")
        return [pytest.param({}, marks=missing, id="no-vectors")]
    return [pytest.param(case, id=case["id"]) for case in found["cases"]]


def _todo(kind: str) -> list[Any]:
    found = _vectors("todo-decisions.json")
    if found is None:
        missing = pytest.mark.skip(reason=f"NO VECTORS: {VECTORS} is not there")
        return [pytest.param({}, marks=missing, id="no-vectors")]
    return [pytest.param(case, id=str(number)) for number, case in enumerate(found[kind])]


@pytest.fixture(scope="module")
def is_decision() -> Draft202012Validator:
    schema = _vectors("evaluation-response.schema.json")
    if schema is None:
        pytest.skip(f"NO VECTORS: {VECTORS} is not there")
    return Draft202012Validator(schema)


def _serving(folder: Path, pack: str) -> Iterator[Server]:
    place = Place(folder, PACKS / pack, public_url="https://pdp.example.test")
    place.authz("db", "upgrade")
    place.authz("import", "entities", PACKS / pack / "entities.json")
    with place.serving() as server:
        server.token = place.token("pdp", "pdp:search")
        yield server


@pytest.fixture(scope="module")
def certification(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from _serving(tmp_path_factory.mktemp("certification"), "certification")


@pytest.fixture(scope="module")
def todo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    yield from _serving(tmp_path_factory.mktemp("todo"), "todo")


@pytest.mark.parametrize("case", _cases())
def test_certification_case(
    certification: Server, is_decision: Draft202012Validator, case: dict[str, Any]
) -> None:
    """Items 13, 15, 16, 35, 37, 38, 50 to 64: every case of the scenario."""
    request = case["request"]
    if request.get("page", {}).get("token", "").startswith("<next_token"):
        before = {**request, "page": {"limit": 1}}
        first = certification.post(f"/access/v1/{case['endpoint']}", before)
        request = {**request, "page": {"token": first.json["page"]["next_token"]}}
    answer = certification.post(f"/access/v1/{case['endpoint']}", request)
    assert answer.status == case["expect_status"], answer.body
    if answer.status != 200:
        assert answer.headers["content-type"] == "application/problem+json"
        return
    assert answer.headers["content-type"] == "application/json"
    if case["endpoint"].startswith("search/"):
        _check_results(case, answer.json)
        return
    if case["expected"] is not None:
        assert answer.json == case["expected"]
    for decision in answer.json.get("evaluations", [answer.json]):
        is_decision.validate(decision)
    if case["expected"] is None:
        assert len(answer.json["evaluations"]) == len(case["request"]["evaluations"])


def _check_results(case: dict[str, Any], found: dict[str, Any]) -> None:
    """Items 54, 55, 57, 58: whole elements are compared, and ``page`` comes first."""
    if case["expected"] is None:
        assert list(found) == ["page", "results"]
        assert isinstance(found["page"]["next_token"], str)
        assert len(found["results"]) == 1
    elif case["match"] == "exact empty":
        assert found == case["expected"]
    else:
        assert [each for each in case["expected"]["results"] if each not in found["results"]] == []


@pytest.mark.parametrize("case", _todo("evaluation"))
def test_todo_decision(todo: Server, case: dict[str, Any]) -> None:
    answer = todo.post(EVALUATION, case["request"])
    assert (answer.status, answer.json) == (200, {"decision": case["expected"]})


@pytest.mark.parametrize("case", _todo("evaluations"))
def test_todo_batch_is_compared_as_text(todo: Server, case: dict[str, Any]) -> None:
    """Item 77: the items are exactly ``{"decision": …}``."""
    answer = todo.post(EVALUATIONS, case["request"])
    compact = json.dumps({"evaluations": case["expected"]}, separators=(",", ":"))
    assert (answer.status, answer.body.decode()) == (200, compact)


def test_alice_reads_record_2(certification: Server) -> None:
    """Item 80."""
    body = {**ALICE, "resource": {"type": "record", "id": "record-2"}}
    assert certification.post(EVALUATION, body).json == {"decision": True}


def test_stored_status_is_used_where_none_is_sent(certification: Server) -> None:
    """Item 79: bob is a stored administrator, record-2 is stored as archived."""
    bob = {"type": "user", "id": "bob"}
    archived = {"type": "record", "id": "record-2"}
    body = {"subject": bob, "action": {"name": "write"}, "resource": archived}
    assert certification.post(EVALUATION, body).json == {"decision": True}


def test_a_sent_role_does_not_make_an_administrator(certification: Server) -> None:
    """A caller's word on a stored subject is not believed (page 2.1)."""
    claims = {"roles": ["owner"]}
    body = {
        "subject": {"type": "user", "id": "bob", "properties": claims},
        "action": {"name": "write"},
        "resource": {"type": "record", "id": "record-1"},
    }
    assert certification.post(EVALUATION, body).json == {"decision": False}


@pytest.mark.parametrize("part", ["subject", "resource", "action"])
def test_what_is_unknown_is_refused_with_200(certification: Server, part: str) -> None:
    """Items 12, 34."""
    unknown = {"name": "fly"} if part == "action" else {"type": "spaceship", "id": "x"}
    answer = certification.post(EVALUATION, {**ALICE, part: unknown})
    assert (answer.status, answer.json) == (200, {"decision": False})


def test_the_same_request_gives_the_same_bytes(certification: Server) -> None:
    """Items 33, 78: three times, single and batch."""
    for path, body in ((EVALUATION, ALICE), (EVALUATIONS, {**ALICE, "evaluations": [{}, {}]})):
        assert len({certification.post(path, body).body for _ in range(3)}) == 1


@pytest.mark.parametrize("sent", ["req-1", "bfe9eb29-ab87-4ca3-be83-a1d5d8305716", "a b;c/~"])
@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS, "/nowhere", "/healthz"])
def test_the_request_id_comes_back(certification: Server, path: str, sent: str) -> None:
    """Item 29: on every API and on errors."""
    assert certification.post(path, ALICE, x_request_id=sent).headers["x-request-id"] == sent
    refused = certification.post(path, ALICE, x_request_id=sent, authorization=None)
    assert refused.headers["x-request-id"] == sent


def test_a_request_id_is_made_where_none_is_sent(certification: Server) -> None:
    """Item 29."""
    first, second = (certification.post(EVALUATION, ALICE) for _ in range(2))
    assert first.headers["x-request-id"] != second.headers["x-request-id"]


@pytest.mark.parametrize(
    "sent", ["application/json", "application/json; charset=utf-8", "Application/JSON;x=y"]
)
def test_json_is_taken_with_parameters(certification: Server, sent: str) -> None:
    """Items 23, 24, 25."""
    answer = certification.post(EVALUATION, ALICE, content_type=sent)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")


@pytest.mark.parametrize("sent", [None, "text/plain", "application/xml", "application/jsonx"])
def test_another_content_type_is_400(certification: Server, sent: str | None) -> None:
    """Item 23."""
    assert certification.post(EVALUATION, ALICE, content_type=sent).status == 400


@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS])
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_405(certification: Server, path: str, method: str) -> None:
    """Item 22."""
    answer = certification.ask(method, path)
    assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"x"', b"null", b"1", b"{}}"])
@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS])
def test_a_body_that_is_no_object_is_400(certification: Server, path: str, body: bytes) -> None:
    """Items 14, 21."""
    answer = certification.ask("POST", path, body, content_type="application/json")
    assert answer.status == 400
    assert answer.json["code"] == "malformed"


@pytest.mark.parametrize("sent", [None, "Bearer", "Bearer wrong", "Basic YWxpY2U6YWxpY2U=", "x"])
def test_no_or_wrong_credentials_are_401(certification: Server, sent: str | None) -> None:
    """Items 27, 28."""
    answer = certification.post(EVALUATION, ALICE, authorization=sent)
    assert answer.status == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="authz"')


def test_metadata_names_what_there_is_by_https(certification: Server) -> None:
    """Items 67 to 72, 74: no null, no empty value, no endpoint that is not there."""
    answer = certification.ask("GET", "/.well-known/authzen-configuration")
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert "max-age" in answer.headers["cache-control"]
    assert answer.json == {
        "policy_decision_point": "https://pdp.example.test",
        "access_evaluation_endpoint": "https://pdp.example.test" + EVALUATION,
        "access_evaluations_endpoint": "https://pdp.example.test" + EVALUATIONS,
        "search_subject_endpoint": "https://pdp.example.test/access/v1/search/subject",
        "search_resource_endpoint": "https://pdp.example.test/access/v1/search/resource",
        "search_action_endpoint": "https://pdp.example.test/access/v1/search/action",
        "obligations_carried_out": ["notify", "review"],
    }


def test_the_binding_is_json_over_https(tmp_path: Path) -> None:
    """Items 1, 2, 5, 26, 81: the default paths, over TLS."""
    place = Place(tmp_path, PACKS / "certification")
    place.authz("db", "upgrade")
    place.authz("import", "entities", PACKS / "certification" / "entities.json")
    with place.serving(tls=certificate(tmp_path)) as server:
        server.token = place.token()
        assert server.trusted is not None
        answer = server.post("/access/v1/evaluation", ALICE)
        assert (answer.status, answer.json) == (200, {"decision": True})
        assert server.post("/access/v1/evaluations", ALICE).json == {"decision": True}


def test_a_chunked_body_is_read_and_limited(certification: Server) -> None:
    """Item 30: no length is said, and none is believed."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {certification.token}"}
    connection = certification.connect()
    whole = json.dumps(ALICE).encode()
    connection.request("POST", EVALUATION, iter([whole[:20], whole[20:]]), headers)
    assert connection.getresponse().status == 200
    connection.close()
    connection = certification.connect()
    blocks = (b" " * 65536 for _ in range(17))
    with suppress(BrokenPipeError, ConnectionResetError):  # refused before all of it was sent
        connection.request("POST", EVALUATION, blocks, headers)
    assert connection.getresponse().status == 413
    connection.close()
