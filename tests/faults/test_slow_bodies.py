"""Whoever sends slowly takes a part of the threads, and no decision waits for them (N-51)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus

import pytest

from tests.api.conftest import EVALUATION
from tests.api.server import HOST, Place, Server
from tests.conftest import ROOT
from tests.waiting import until

SCHOOL = ROOT / "policies" / "school"
SIGN_IN = "/admin/sign-in"
FORM = "application/x-www-form-urlencoded"
MANY = 200
"""More connections than the server has threads (64)."""
QUESTION = {
    "subject": {"type": "user", "id": "nobody"},
    "action": {"name": "read"},
    "resource": {"type": "assessment_result", "id": "somebody"},
}
HEADS = {
    "a length": b"Content-Length: 100\r\n\r\na",
    "chunks": b"Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n",
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    place = Place(tmp_path_factory.mktemp("slow"), SCHOOL)
    place.authz("db", "upgrade")
    with place.serving() as found:
        found.token = place.token()
        yield found


@contextmanager
def slow(server: Server, head: bytes) -> Iterator[None]:
    """So many connections with the beginning of a form that does not come."""
    start = f"POST {SIGN_IN} HTTP/1.1\r\nHost: {HOST}:{server.port}\r\nContent-Type: {FORM}\r\n"
    with ExitStack() as all_of_them:
        for _ in range(MANY):
            sent = all_of_them.enter_context(socket.create_connection((HOST, server.port)))
            sent.sendall(start.encode() + head)
        yield


def sign_in(server: Server) -> int:
    """The status of a whole form, as it comes from a browser that has no token for it."""
    return server.ask("POST", SIGN_IN, b"name=a&password=b", content_type=FORM).status


@pytest.mark.parametrize("head", HEADS.values(), ids=HEADS)
def test_who_never_ends_a_form_keeps_nobody_from_a_decision(server: Server, head: bytes) -> None:
    assert sign_in(server) == HTTPStatus.BAD_REQUEST  # its form has no token of a page
    with slow(server, head):
        until(lambda: sign_in(server) == HTTPStatus.SERVICE_UNAVAILABLE)
        answer = server.post(EVALUATION, QUESTION)
        assert (answer.status, answer.json["decision"]) == (HTTPStatus.OK, False)
        assert server.ask("GET", "/readyz").status == HTTPStatus.OK
        page = server.ask("GET", SIGN_IN, accept_language="th")
        assert page.status == HTTPStatus.OK
        refused = server.ask("POST", SIGN_IN, b"name=a", content_type=FORM, accept_language="th")
        assert refused.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert "ลองอีกครั้ง" in refused.body.decode()
    until(lambda: sign_in(server) == HTTPStatus.BAD_REQUEST)


def test_a_get_with_a_body_is_answered_without_it(server: Server) -> None:
    with socket.create_connection((HOST, server.port), timeout=30) as sent:
        head = f"GET {SIGN_IN} HTTP/1.1\r\nHost: {HOST}:{server.port}\r\nContent-Type: {FORM}\r\n"
        sent.sendall(head.encode() + HEADS["a length"])
        assert sent.recv(100).startswith(b"HTTP/1.1 200 ")
