"""Whoever sends slowly takes a part of the threads, and nobody else waits for them (N-51)."""

from __future__ import annotations

import select
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http import HTTPStatus

import pytest

from tests.api.conftest import EVALUATION, EVALUATIONS
from tests.api.server import HOST, Place, Server
from tests.conftest import ROOT
from tests.waiting import until

SCHOOL = ROOT / "policies" / "school"
SIGN_IN = "/admin/sign-in"
SEARCH = "/access/v1/search/subject"
FORM = "application/x-www-form-urlencoded"
MANY = 300
"""More connections than the server has threads (256)."""
EACH = 32
"""Bodies of one application that are waited for: an eighth of the threads."""
QUESTION = {
    "subject": {"type": "user", "id": "nobody"},
    "action": {"name": "read"},
    "resource": {"type": "assessment_result", "id": "somebody"},
}
HEADS = {
    "a length": b"Content-Length: 100\r\n\r\n{",
    "chunks": b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n",
}
each_way = pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    found = Place(tmp_path_factory.mktemp("slow"), SCHOOL)
    found.authz("db", "upgrade")
    return found


@pytest.fixture(scope="module")
def server(place: Place) -> Iterator[Server]:
    with place.serving() as found:
        found.token = place.token("pdp", "pdp:search")
        yield found


@pytest.fixture(scope="module")
def slow_token(place: Place) -> str:
    """Of another application than who asks the server."""
    scopes = ("--scope", "pdp", "--scope", "pdp:search")
    return place.authz("token", "create", "--client", "slow", "--ttl", "1h", *scopes).strip()


def begin(server: Server, path: str, head: bytes, token: str) -> socket.socket:
    """A connection with the beginning of a body that does not come."""
    lines = [f"POST {path} HTTP/1.1", f"Host: {HOST}:{server.port}"]
    lines += ["Content-Type: " + (FORM if path == SIGN_IN else "application/json")]
    lines += [f"Authorization: Bearer {token}"] if token else []
    sent = socket.create_connection((HOST, server.port), timeout=30)
    sent.sendall("\r\n".join([*lines, ""]).encode() + head)
    return sent


@contextmanager
def slow(
    server: Server, path: str, head: bytes, token: str = "", many: int = MANY
) -> Iterator[list[socket.socket]]:
    """So many of them."""
    with ExitStack() as all_of_them:
        yield [all_of_them.enter_context(begin(server, path, head, token)) for _ in range(many)]


def told(sent: Sequence[socket.socket]) -> list[bytes]:
    """What was answered to those who were answered."""
    asked = select.poll()  # select takes no more than a thousand files of a process
    by_number = {each.fileno(): each for each in sent}
    for number in by_number:
        asked.register(number, select.POLLIN)
    there = [by_number[number] for number, _ in asked.poll(0)]
    return [each.recv(10_000, socket.MSG_PEEK) for each in there]


def sign_in(server: Server) -> int:
    """The status of a whole form, as it comes from a browser that has no token for it."""
    return server.ask("POST", SIGN_IN, b"name=a&password=b", content_type=FORM).status


def go_on(server: Server) -> None:
    """Decisions, one and several, a search, pages and the state are answered as ever."""
    one = server.post(EVALUATION, QUESTION)
    assert (one.status, one.json["decision"]) == (HTTPStatus.OK, False)
    several = server.post(EVALUATIONS, {"evaluations": [QUESTION] * 3})
    assert [each["decision"] for each in several.json["evaluations"]] == [False] * 3
    searched = server.post(SEARCH, {**QUESTION, "subject": {"type": "user"}})
    assert (searched.status, searched.json["results"]) == (HTTPStatus.OK, [])
    assert server.ask("GET", SIGN_IN, accept_language="th").status == HTTPStatus.OK
    assert server.ask("GET", "/readyz").status == HTTPStatus.OK


@each_way
def test_who_never_ends_a_form_keeps_nobody_from_a_decision(server: Server, head: bytes) -> None:
    assert sign_in(server) == HTTPStatus.BAD_REQUEST  # its form has no token of a page
    with slow(server, SIGN_IN, head):
        until(lambda: sign_in(server) == HTTPStatus.SERVICE_UNAVAILABLE)
        go_on(server)
        refused = server.ask("POST", SIGN_IN, b"name=a", content_type=FORM, accept_language="th")
        assert refused.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert "ลองอีกครั้ง" in refused.body.decode()
    until(lambda: sign_in(server) == HTTPStatus.BAD_REQUEST)


@pytest.mark.parametrize(
    ("path", "head"), [(EVALUATION, HEADS["a length"]), (SEARCH, HEADS["chunks"])], ids=HEADS
)
def test_an_application_whose_bodies_do_not_end_keeps_no_other_from_an_answer(
    server: Server, slow_token: str, path: str, head: bytes
) -> None:
    """An eighth of the threads wait for it; further bodies of it are refused."""
    with slow(server, path, head, slow_token) as sent:
        until(lambda: len(told(sent)) == MANY - EACH)
        go_on(server)
        assert sign_in(server) == HTTPStatus.BAD_REQUEST
        answers = told(sent)
        assert len(answers) == MANY - EACH
        assert all(each.startswith(b"HTTP/1.1 429 ") for each in answers)
        assert all(b"\r\nretry-after: 5\r\n" in each for each in answers)
    later = replace(server, token=slow_token)
    until(lambda: later.post(EVALUATION, QUESTION).status == HTTPStatus.OK)


def test_who_is_not_waited_for_is_told_so(server: Server, slow_token: str) -> None:
    same = replace(server, token=slow_token)
    with ExitStack() as held:

        def full() -> bool:
            """One more is waited for, or there is no place for any more."""
            held.enter_context(begin(server, EVALUATION, HEADS["a length"], slow_token))
            return same.post(EVALUATION, QUESTION).status == HTTPStatus.TOO_MANY_REQUESTS

        until(full)
        problem = same.post(EVALUATION, QUESTION, accept_language="th").json
    assert problem["code"] == "too_many"
    assert problem["detail"].startswith("มีคำขอที่ยังส่งข้อมูลมาไม่ครบมากเกินไป")


@each_way
def test_nobody_is_waited_for_whose_token_is_not_valid(server: Server, head: bytes) -> None:
    for token in ("", "no.such.token"):
        with begin(server, EVALUATION, head, token) as sent:
            assert sent.recv(100).startswith(b"HTTP/1.1 401 ")


def test_a_get_with_a_body_is_answered_without_it(server: Server) -> None:
    with socket.create_connection((HOST, server.port), timeout=30) as sent:
        head = f"GET {SIGN_IN} HTTP/1.1\r\nHost: {HOST}:{server.port}\r\nContent-Type: {FORM}\r\n"
        sent.sendall(head.encode() + HEADS["a length"])
        assert sent.recv(100).startswith(b"HTTP/1.1 200 ")
