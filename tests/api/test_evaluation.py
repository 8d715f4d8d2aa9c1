"""Access Evaluation through WSGI; item numbers are those of ``reference/authzen.md``."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from authz.audit import trail
from tests.api.conftest import EVALUATION, EVALUATIONS, Client, question
from tests.journals import trail_of

REQUIRED = ["subject", "subject.type", "subject.id", "action", "action.name", "resource.type"]


def _without(body: dict[str, Any], path: str) -> dict[str, Any]:
    first, _, rest = path.partition(".")
    kept = {name: value for name, value in body.items() if name != first or rest}
    return {**kept, first: _without(body[first], rest)} if rest else kept


def _with(body: dict[str, Any], path: str, value: object) -> dict[str, Any]:
    first, _, rest = path.partition(".")
    return {**body, first: _with(body[first], rest, value) if rest else value}


def test_own_data_are_permitted_with_their_obligations(any_client: Client) -> None:
    """Items 3, 11, 25, 32; page 2.7."""
    answer = any_client.post(EVALUATION, question())
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.json == {
        "decision": True,
        "context": {
            "purpose": "service",
            "rules": ["self-read"],
            "obligations": [{"id": "fields", "value": ["given_name", "family_name"]}],
        },
    }


def test_every_decision_has_its_record(any_client: Client) -> None:
    """Page 2.8: found by the request id, standing where ``X-Decision-Id`` says."""
    answer = any_client.post(EVALUATION, question(), x_request_id="find-me")
    with trail_of(any_client.store) as connection:
        (found,) = trail.search(connection, request_id="find-me").records
    assert answer.headers["X-Decision-Id"] == f"{found.chain}-{found.sequence}"
    assert found.record["application"] == "tests"
    assert found.record["decision"] is True
    assert found.record["token_id"] == any_client.token_id


def test_a_refusal_is_200(client: Client) -> None:
    """Items 12, 34."""
    answer = client.post(EVALUATION, question("somchai"))
    assert (answer.status_code, answer.json["decision"]) == (200, False)


@pytest.mark.parametrize("path", REQUIRED)
@pytest.mark.parametrize("endpoint", [EVALUATION, EVALUATIONS])
def test_a_required_member_missing_is_400(client: Client, endpoint: str, path: str) -> None:
    """Items 6, 7, 8, 15, 35: the problem names the field."""
    answer = client.post(endpoint, _without(question(), path))
    assert (answer.status_code, answer.json["field"]) == (400, path)


@pytest.mark.parametrize("value", [1, True, ["x"], 1.5])
@pytest.mark.parametrize("path", [*REQUIRED, "resource.properties", "context"])
def test_a_member_of_the_wrong_type_is_400(client: Client, path: str, value: object) -> None:
    """Items 6 to 9, 16."""
    body = _with(question(), path, value)
    answer = client.post(EVALUATION, body)
    assert (answer.status_code, answer.json["field"]) == (400, path)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("context.purpose", 1),
        ("context.mfa", "true"),
        ("context.ticket", []),
        ("resource.properties.class", 7),
        ("resource.properties.fields", []),
        ("resource.properties.fields", "score"),
    ],
)
def test_a_known_member_of_the_wrong_type_is_400(client: Client, path: str, value: object) -> None:
    """Page 5, "Values"."""
    body = question(context={}, resource={"type": "identity", "id": "mali", "properties": {}})
    answer = client.post(EVALUATION, _with(body, path, value))
    assert (answer.status_code, answer.json["field"]) == (400, path)


@pytest.mark.parametrize("path", ["context", "subject.properties", "action.properties"])
def test_null_is_absent(client: Client, path: str) -> None:
    """Item 20; page 5, "Values"."""
    assert client.post(EVALUATION, _with(question(), path, None)).json["decision"] is True


def test_any_json_value_may_be_a_property(client: Client) -> None:
    """Items 10, 20."""
    values = {"null": None, "list": [1, None], "deep": {"a": {"b": 1.5}}, "yes": True}
    body = question(context=values)
    body["subject"]["properties"] = values
    assert client.post(EVALUATION, body).json["decision"] is True


def test_unknown_members_are_ignored_everywhere(client: Client) -> None:
    """Item 17."""
    plain = client.post(EVALUATION, question()).data
    body = question(foo="bar", futureField={"nested": True}, options={"x": 1}, page={"y": 2})
    for part in ("subject", "action", "resource"):
        body[part]["foo"] = {"bar": 1}
    assert client.post(EVALUATION, body).data == plain


def test_the_order_of_members_does_not_matter(client: Client) -> None:
    """Item 18."""
    body = question()
    turned = dict(reversed([(name, dict(reversed(v.items()))) for name, v in body.items()]))
    assert client.post(EVALUATION, turned).data == client.post(EVALUATION, body).data


def test_an_id_belongs_to_its_type(client: Client) -> None:
    """Item 6: a service called like a person is not that person."""
    body = question()
    body["subject"]["type"] = "service"
    assert client.post(EVALUATION, body).json["decision"] is False


@pytest.mark.parametrize("name", ["Mali", "mali ", "m%", "*", "mali\u0000"])
def test_ids_are_compared_byte_for_byte(client: Client, name: str) -> None:
    """Page 3.5: no wildcard, no folding; a strange id refuses and is recorded."""
    answer = client.post(EVALUATION, question(name, name))
    assert (answer.status_code, answer.json["decision"]) == (200, False)


def test_the_body_holds_no_ids_or_times(client: Client) -> None:
    """Items 33, 78."""
    answers = [client.post(EVALUATION, question()) for _ in range(3)]
    assert len({answer.data for answer in answers}) == 1
    assert len({answer.headers["X-Decision-Id"] for answer in answers}) == 3


@pytest.mark.parametrize(
    ("accepted", "spoken"),
    [
        ("th", "th"),
        ("th-TH,th;q=0.9,en;q=0.8", "th"),
        ("en;q=0.5,th;q=0.9", "th"),
        ("en-GB", "en"),
        ("fr", "en"),
        ("*", "en"),
        ("th;q=0,en", "en"),
        (",;q=x,,", "en"),
        (None, "en"),
    ],
)
def test_sentences_are_in_the_callers_language(
    client: Client, accepted: str | None, spoken: str
) -> None:
    """Issue 2, part 3."""
    for asked in (question("somchai"), {}):
        answer = client.post(EVALUATION, asked, accept_language=accepted)
        assert answer.headers["Content-Language"] == spoken
        assert "Accept-Language" in answer.headers["Vary"]
        thai = any("\u0e00" <= letter <= "\u0e7f" for letter in answer.text)
        assert thai is (spoken == "th")


def test_answers_are_neither_cached_nor_sniffed(client: Client) -> None:
    """Page 3.5: a right that has ended is gone on the next decision."""
    headers = client.post(EVALUATION, question()).headers
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_who_is_restricted_is_answered_as_a_stranger(any_client: Client) -> None:
    """Page 5, "Reasons outward"; page 4.3: the same bytes, the same headers but ids."""
    asked = [
        question("anan"),  # under a custody restriction towards mali, though her parent
        question("somchai"),  # a stranger to her
        question("nobody"),  # whom the directory does not know
        question("somchai", "nobody"),  # about somebody whom it does not know
    ]
    for endpoint in (EVALUATION, EVALUATIONS):
        for spoken in ("th", "en"):
            answers = [any_client.post(endpoint, each, accept_language=spoken) for each in asked]
            seen = {
                (
                    each.status_code,
                    each.data,
                    tuple((k, v) for k, v in each.headers if not k.endswith(("-ID", "-Id"))),
                )
                for each in answers
            }
            assert len(seen) == 1
    body = {"evaluations": asked}
    items = any_client.post(EVALUATIONS, body).json["evaluations"]
    assert all(item == items[0] for item in items)


def test_the_record_knows_the_true_reason(client: Client) -> None:
    """Issue 2, part 3."""
    client.post(EVALUATION, question("anan"), x_request_id="restricted")
    with trail_of(client.store) as connection:
        (found,) = trail.search(connection, request_id="restricted").records
    assert found.record["reason"] == "custody"


@pytest.mark.parametrize("sent", ["x" * 200, "x" * 8192, "a\tb", " ".join("abc"), "{}[]<>'\"\\"])
def test_a_request_id_is_echoed_and_recorded(client: Client, sent: str) -> None:
    """Item 29."""
    answer = client.post(EVALUATION, question(), x_request_id=sent)
    assert answer.headers["X-Request-ID"] == sent
    with trail_of(client.store) as connection:
        assert len(trail.search(connection, request_id=sent).records) == 1


@pytest.mark.parametrize("sent", ["x" * 8193, "a\x01b", "\x7f", "é", ""])
def test_a_strange_request_id_is_replaced(client: Client, sent: str) -> None:
    """Item 29, as far as a header can carry it: see ``authz/api/exchange.py``."""
    environ = {"HTTP_X_REQUEST_ID": sent}
    answer = client.app.test_client().get("/healthz", environ_overrides=environ)
    assert answer.headers["X-Request-ID"] != sent
    assert len(answer.headers["X-Request-ID"]) == 32


def test_a_mistake_of_ours_tells_nothing(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Item 27: 500 with a request id, and neither body nor token in answer or log."""

    def fails(*_: object, **__: object) -> None:
        raise ValueError(client.token)

    monkeypatch.setattr(type(client.service.point), "evaluate", fails)
    answer = client.post(EVALUATION, question(), x_request_id="req-500")
    assert answer.status_code == 500
    assert answer.json["code"] == "internal"
    assert answer.headers["X-Request-ID"] == "req-500"
    for written in (answer.text, caplog.text):
        assert client.token not in written
    assert "Traceback" not in answer.text
    assert "ValueError" in caplog.text
    assert "req-500" in caplog.text


def test_a_malformed_request_leaves_no_record(client: Client) -> None:
    """Page 2.6: it is no decision."""
    with trail_of(client.store) as connection:
        before = connection.execute(text("SELECT count(*) FROM audit_record")).scalar_one()
    client.post(EVALUATION, {})
    with trail_of(client.store) as connection:
        after = connection.execute(text("SELECT count(*) FROM audit_record")).scalar_one()
    assert after == before
