"""The short way of the decision endpoints: Flask is not in it, and nobody can tell."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, cast

import pytest
from werkzeug.test import Client as Asker
from werkzeug.test import TestResponse

from authz import clock
from authz.api import plain
from authz.api.front import Front
from authz.errors import UnauthenticatedError
from authz.service import belief, tokens
from authz.service.database import open_store
from tests.api.conftest import EVALUATION, EVALUATIONS, Client, question

LONG = {"evaluations": [question()] * 1001}
ASKED: dict[str, tuple[object, dict[str, str | None]]] = {
    "a permit": (question(), {}),
    "a refusal": (question("somchai"), {}),
    "a refusal in Thai": (question("somchai"), {"Accept-Language": "th"}),
    "a batch": ({"evaluations": [question(), question("somchai"), {}]}, {}),
    "no question": ({}, {}),
    "no question in Thai": ({}, {"Accept-Language": "th-TH"}),
    "no JSON": (b"{", {}),
    "no object": (b"[]", {}),
    "too deep": (b'{"a":' * 40 + b"1" + b"}" * 40, {}),
    "too many": (LONG, {}),
    "too large": (b" " * (1 << 21), {}),
    "another type": (question(), {"Content-Type": "text/plain"}),
    "a type with a parameter": (question(), {"Content-Type": "Application/JSON; charset=utf-8"}),
    "no type": (question(), {"Content-Type": None}),
    "no token": (question(), {"Authorization": None}),
    "another scheme": (question(), {"Authorization": "Basic YTpi"}),
    "a request id": (question(), {"X-Request-ID": "same"}),
    "a strange request id": (question(), {"X-Request-ID": "é"}),
    "a short body": (question(), {"Content-Length": "100000"}),
}


def _front(client: Client) -> Front:
    return cast("Front", client.app.wsgi_app)


def _ask(application: Any, client: Client, path: str, name: str) -> TestResponse:
    body, more = ASKED[name]
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    own = {"Authorization": f"Bearer {client.token}", "Content-Type": plain.JSON, **more}
    headers = {name: value for name, value in own.items() if value is not None}
    return Asker(application).open(path, method="POST", data=data, headers=headers)


def _seen(answer: TestResponse) -> object:
    """All that a caller sees, but for what is new each time."""
    new = {"X-Decision-Id"} if answer.headers["X-Request-ID"] == "same" else None
    skipped = new or {"X-Decision-Id", "X-Request-ID"}
    kept = sorted((name, value) for name, value in answer.headers if name not in skipped)
    return answer.status, answer.data, kept, sorted(answer.headers.keys())


@pytest.mark.parametrize("name", list(ASKED))
@pytest.mark.parametrize("path", [EVALUATION, EVALUATIONS])
def test_both_ways_answer_alike(client: Client, path: str, name: str) -> None:
    """Flask's own view of the route, were it ever asked, says the same."""
    short = _ask(client.app.wsgi_app, client, path, name)
    long = _ask(_front(client)._behind, client, path, name)
    assert _seen(short) == _seen(long)


def test_flask_is_asked_for_everything_else(client: Client) -> None:
    asked: list[tuple[str, str]] = []
    behind = _front(client)._behind

    def noted(environ: dict[str, Any], start: Any) -> Iterable[bytes]:
        asked.append((environ["REQUEST_METHOD"], environ["PATH_INFO"]))
        return behind(environ, start)

    _front(client)._behind = noted
    assert client.post(EVALUATION, question()).status_code == 200
    assert client.post(EVALUATIONS, question()).status_code == 200
    assert asked == []
    assert client.ask("GET", EVALUATION).status_code == 405
    assert client.ask("GET", "/healthz").status_code == 200
    assert client.post(EVALUATION + "/", question()).status_code == 404
    assert asked == [("GET", EVALUATION), ("GET", "/healthz"), ("POST", EVALUATION + "/")]


def test_ids_of_our_own_sort_by_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = iter(range(1_764_000_000_000_000, 1_764_000_000_002_000, 2))
    monkeypatch.setattr(clock, "microseconds", lambda: next(shown))
    ids = [plain.own_id() for _ in range(1000)]
    assert len({each[16:] for each in ids}) == len(ids)  # nor are two alike at one moment
    assert [each[:16] for each in ids] == sorted(each[:16] for each in ids)
    assert {len(each) for each in ids} == {32}


def _verifications(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tokens whose signature is verified from now on."""
    seen: list[str] = []
    verify = belief._verified

    def noted(settings: Any, token: str) -> Any:
        seen.append(token)
        return verify(settings, token)

    monkeypatch.setattr(belief, "_remembered", {})
    monkeypatch.setattr(belief, "_verified", noted)
    assert client.post(EVALUATION, question()).status_code == 200
    return seen


def test_a_token_is_verified_once_for_each_state_of_the_keys(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(belief, "EVERY", 0)  # the files are looked at with every request
    seen = _verifications(client, monkeypatch)
    assert client.post(EVALUATION, question()).status_code == 200
    assert len(seen) == 1
    tokens.rotate_key(client.store, client.settings, by="op")
    assert client.post(EVALUATION, question()).status_code == 200
    assert len(seen) == 2
    for file in sorted(client.settings.key_folder.iterdir())[:-1]:
        file.unlink()
    assert client.post(EVALUATION, question()).status_code == 401


def test_a_key_that_is_taken_away_is_believed_for_a_moment_at_most(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it is set: how long a process may go without a look at the files."""
    assert belief.EVERY <= 0.05
    seen = _verifications(client, monkeypatch)
    tokens.rotate_key(client.store, client.settings, by="op")
    for file in sorted(client.settings.key_folder.iterdir())[:-1]:
        file.unlink()
    time.sleep(belief.EVERY)
    assert client.post(EVALUATION, question()).status_code == 401
    assert len(seen) == 2


def test_a_remembered_token_expires_and_is_forgotten(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    _verifications(client, monkeypatch)
    later = clock.now() + timedelta(hours=2)
    with pytest.raises(UnauthenticatedError, match="expired"):
        tokens.authenticate(client.store, client.settings, f"Bearer {client.token}", later)
    assert belief._remembered == {}


def test_no_more_tokens_are_remembered_than_so_many(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(belief, "MOST", 2)
    seen = _verifications(client, monkeypatch)
    given = [
        tokens.create_token(
            client.store, client.settings, f"app-{n}", ["pdp"], timedelta(hours=1), by="op"
        )
        for n in range(4)
    ]
    for token in given:
        answer = client.post(EVALUATION, question(), authorization=f"Bearer {token}")
        assert answer.status_code == 200
    assert len(belief._remembered) == 2
    assert len(seen) == 5


def test_what_another_process_took_back_is_refused_on_the_next_request(any_client: Client) -> None:
    """Issue 2, part 6: though this process remembers it."""
    assert any_client.post(EVALUATION, question()).status_code == 200
    other = open_store(any_client.settings.database_url)
    tokens.revoke(other, client="tests", by="op")
    other.dispose()
    assert any_client.post(EVALUATION, question()).status_code == 401


@pytest.mark.parametrize(("wishes", "language"), [(10, "th"), (20_000, "en")])
def test_a_long_list_of_languages_is_not_read(wishes: int, language: str) -> None:
    """It would cost whoever answers a second, before anybody asks whose request it is (N-51)."""
    accepted = ",".join(["th", *(f"x-{number};q=0.{number}" for number in range(wishes))])
    assert plain.begin({"HTTP_ACCEPT_LANGUAGE": accepted}).language == language
