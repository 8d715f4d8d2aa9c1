"""An upstream that is away, slow, breaks off or lies: refused in time, and nothing leaks."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.test import Client, TestResponse

from authz.middleware.answer import TIMEOUT, Answer
from authz.middleware.gateway.app import create
from authz.middleware.options import Limits
from authz.middleware.question import Question
from tests.gateway import site
from tests.gateway.scripted import BODY, HEAD, RESULTS, Upstream, answer, ask, code, standing
from tests.middleware.asking import SOON
from tests.middleware.bypass import Address
from tests.middleware.loopback import IDENTIFIER, away, loopback
from tests.middleware.points import CountingPoint
from tests.middleware.site import KID
from tests.waiting import until

REPORT = f"/students/{KID}/report"
SECRET = b"SECRET"
CHUNKS = f"{HEAD}Transfer-Encoding: chunked\r\n"
Standing = tuple[Upstream, Client]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Standing]:
    with standing(tmp_path) as found:
        yield found


@pytest.fixture
def hasty(tmp_path: Path) -> Iterator[Standing]:
    """One that waits for no upstream."""
    with standing(tmp_path, seconds=0.5) as found:
        yield found


def test_only_what_is_allowed_leaves(gateway: Standing) -> None:
    upstream, client = gateway
    upstream.says = answer(
        BODY, 'ETag: "a"', "X-Student-Comment: SECRET", "Set-Cookie: a=SECRET",
        "X-Authz-Fields: *", "Last-Modified: Tue, 01 Jan 2030 00:00:00 GMT",
        "Accept-Ranges: bytes", "X-Sendfile: /SECRET",
    )  # fmt: skip
    found = ask(client)
    assert (found.status_code, found.json) == (200, {"student": "kid", "results": [{"score": "7"}]})
    assert SECRET not in bytes(str(found.headers), "latin-1")
    assert found.headers["Cache-Control"] == "no-store"
    assert "ETag" not in found.headers
    assert found.headers["Content-Length"] == str(len(found.data))


def test_the_upstream_is_sent_what_was_matched_and_nothing_else(gateway: Standing) -> None:
    upstream, client = gateway
    ask(
        client, RESULTS + "?page=2&x=%20y", Range="bytes=0-1", If_None_Match='"a"',
        Accept_Encoding="gzip", X_Authz_Subject="head", X_Forwarded_User="head", Cookie="a=b",
        Forwarded="for=1", TE="trailers", X_Other="kept", X_Forwarded_For="1.2.3.4",
        X_Request_ID="mine",
    )  # fmt: skip
    line, *headers = upstream.heard[-1].decode().split("\r\n\r\n")[0].split("\r\n")
    sent = dict(header.split(": ", 1) for header in headers)
    assert line == f"GET {RESULTS}?page=2&x=%20y HTTP/1.1"
    assert sent["accept-encoding"] == "identity"
    assert sent["x-other"] == "kept"
    assert sent["X-Authz-Subject"] == "mum"
    assert sent["X-Authz-Fields"] == "assessment,score"
    away = {
        "range",
        "if-none-match",
        "cookie",
        "te",
        "authorization",
        "x-forwarded-user",
        "forwarded",
    }
    assert not away & set(sent)
    assert "head" not in sent.values()
    assert sent["X-Forwarded-For"] != "1.2.3.4"
    assert len({name.lower() for name in sent}) == len(sent)


UNREADABLE = {
    "gzip": answer(BODY, "Content-Encoding: gzip"),
    "html": answer(b"<p>SECRET").replace(b"application/json", b"text/html"),
    "a list of text": answer(b'["SECRET"]'),
    "a text": answer(b'"SECRET"'),
    "csv": answer(b"SECRET").replace(b"application/json", b"text/csv"),
    "no type": answer(BODY).replace(b"Content-Type: application/json\r\n", b""),
    "too large": answer(b'{"score":"' + b"SECRET" * 1000 + b'"}'),
}
BROKEN = {
    "no JSON": answer(b'{"score": SECRET'),
    "a name twice": answer(b'{"results":[],"results":[{"score":"SECRET"}]}'),
    "a part": answer(b'{"score":"SECRET"}', "Content-Range: bytes 0-1/9", status="206 Part"),
    "not modified": answer(b"", status="304 Not Modified"),
    "another protocol": answer(b"SECRET", status="101 Switching Protocols"),
    "breaks off": answer(BODY, "Connection: close", length=500),
    "breaks off in a chunk": f"{CHUNKS}Connection: close\r\n\r\n40\r\n".encode() + BODY[:20],
    "two lengths": f"{HEAD}Content-Length: 5\r\nContent-Length: 9\r\n\r\n".encode() + BODY,
    "a length and chunks": f"{CHUNKS}Content-Length: 5\r\n\r\n5\r\nSECRE\r\n0\r\n\r\n".encode(),
    "no HTTP": b"SECRET SECRET\r\n\r\n",
    "nothing": b"",
}  # fmt: skip


@pytest.mark.parametrize("name", UNREADABLE)
def test_what_cannot_be_filtered_is_refused(name: str, gateway: Standing) -> None:
    upstream, client = gateway
    upstream.says = UNREADABLE[name]
    found = ask(client)
    assert (found.status_code, code(found)) == (403, "obligation_not_carried_out")
    assert SECRET not in found.data
    upstream.says = answer(BODY)
    assert ask(client).status_code == 200


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_answer_is_a_bad_gateway(name: str, gateway: Standing) -> None:
    upstream, client = gateway
    upstream.says = BROKEN[name]
    if not BROKEN[name]:
        upstream.says = lambda connection: connection.shutdown(socket.SHUT_RDWR)
    found = ask(client)
    assert (found.status_code, code(found)) == (502, "upstream_failed")
    assert SECRET not in found.data
    upstream.says = answer(BODY)
    assert ask(client).status_code == 200


@pytest.mark.parametrize(
    "name", ["two lengths", "a length and chunks", "breaks off", "breaks off in a chunk"]
)
def test_a_broken_answer_does_not_leave_as_a_whole_one(name: str, gateway: Standing) -> None:
    """Where nothing is filtered, too: the length says more than comes, or nobody is answered."""
    upstream, client = gateway
    upstream.says = BROKEN[name]
    found = ask(client, REPORT)
    assert found.status_code == 502


@pytest.mark.parametrize(
    "status", ["404 Not Found", "500 Internal Server Error", "401 Unauthorized"]
)
def test_an_error_page_of_the_upstream_leaves_without_its_body(
    status: str, gateway: Standing
) -> None:
    upstream, client = gateway
    upstream.says = answer(b'{"score":"SECRET"}', status=status)
    found = ask(client)
    assert (found.status, found.data) == (
        f"{status[:3]} {status[4:]}".upper() and found.status,
        b"",
    )
    assert found.status_code == int(status[:3])


def test_a_redirect_leaves_without_its_body(gateway: Standing) -> None:
    upstream, client = gateway
    upstream.says = answer(b"SECRET", "Location: /elsewhere", status="302 Found")
    found = ask(client)
    assert (found.status_code, found.headers["Location"], found.data) == (302, "/elsewhere", b"")


def test_head_tells_nothing_of_what_is_withheld(gateway: Standing) -> None:
    upstream, client = gateway
    upstream.says = answer(b"", 'ETag: "a"', length=len(BODY))
    found = ask(client, method="HEAD")
    assert (found.status_code, found.data) == (200, b"")
    assert str(len(BODY)) not in found.headers.values()
    assert upstream.heard[-1].startswith(b"HEAD ")


def test_an_upstream_that_is_slow_or_away_is_told_in_time(hasty: Standing) -> None:
    upstream, client = hasty

    def begins(connection: socket.socket) -> None:
        connection.sendall(HEAD.encode())
        upstream.hang(connection)

    began = time.monotonic()
    upstream.says = upstream.hang
    assert ask(client).status_code == 504
    upstream.says = begins
    assert ask(client).status_code == 504
    assert time.monotonic() - began < SOON
    upstream.says = answer(BODY)
    assert _but(504, client).status_code == 200


def _but(status: int, client: Client) -> TestResponse:
    """The first answer of another status: this one is right while the machine stands still."""
    return until(lambda: [each for each in [ask(client)] if each.status_code != status])[0]


def test_an_upstream_that_is_away_is_a_bad_gateway_until_it_is_back(tmp_path: Path) -> None:
    with standing(tmp_path) as (upstream, client):
        upstream.close()
        assert ask(client).status_code == 502


def test_an_upstream_that_drips_is_told_in_time(hasty: Standing) -> None:
    """Each piece comes in time, and the whole does not."""
    upstream, client = hasty

    def drips(connection: socket.socket) -> None:
        connection.sendall(f"{HEAD}Content-Length: 5000\r\n\r\n".encode())
        while not upstream.over.wait(0.05):
            connection.sendall(b" ")

    upstream.says = drips
    began = time.monotonic()
    assert ask(client).status_code == 504
    assert time.monotonic() - began < SOON


def test_a_connection_that_was_closed_meanwhile_is_made_anew(gateway: Standing) -> None:
    upstream, client = gateway
    upstream.says = answer(BODY, "Connection: close")
    assert [ask(client).status_code for _ in range(3)] == [200] * 3
    upstream.says = answer(BODY)
    assert ask(client).status_code == 200


def test_what_nobody_asked_for_answers_nobody(gateway: Standing) -> None:
    """A second answer behind the first one is of no request, and goes with its connection."""
    upstream, client = gateway
    upstream.says = answer(BODY) + answer(b'{"student":"SECRET"}')
    assert ask(client, REPORT).data == BODY
    upstream.says = answer(b"{}")
    assert [ask(client, REPORT).data for _ in range(3)] == [b"{}"] * 3
    assert upstream.reached == 2


class Failing(CountingPoint):
    """A point that gives no answer, or one with an obligation that nobody knows."""

    reason = TIMEOUT

    def _one(self, question: Question) -> Answer:
        return Answer.refused(self.reason) if self.reason else super()._one(question)


@pytest.mark.parametrize(
    ("reason", "status"),
    [("point_timeout", 503), ("point_rubbish", 503), ("unknown_obligation", 403), ("refused", 403)],
)
def test_without_an_answer_of_the_point_nothing_is_sent(
    reason: str, status: int, tmp_path: Path
) -> None:
    point = Failing()
    point.reason = reason
    with standing(tmp_path, point=point) as (upstream, client):
        assert ask(client).status_code == status
        assert upstream.heard == []
        point.reason = ""
        assert ask(client).status_code == 200


def test_an_obligation_that_nobody_carries_out_is_refused_before_anything_is_sent(
    tmp_path: Path,
) -> None:
    class Obliging(CountingPoint):
        def _one(self, question: Question) -> Answer:  # noqa: ARG002 (whatever is asked)
            return Answer(permit=True, notify=("dpo",), purpose="service")

    with standing(tmp_path, point=Obliging()) as (upstream, client):
        assert code(ask(client)) == "obligation_not_carried_out"
        assert upstream.heard == []


def _asking(folder: Path, point: Address, upstream: Address) -> Flask:
    """A gateway that asks its point over HTTP."""
    (folder / "point-token").write_text("token")
    remote = f"""
[point]
mode = "remote"
url = "{IDENTIFIER}"
reached_at = "http://{point[0]}:{point[1]}"
token = "point-token"
seconds = 0.5
"""
    text = site.tables(upstream).replace('[point]\nmode = "embedded"\n', remote)
    return create(site.write(folder, text + site.ROUTES))


RUBBISH = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nrubbish"


@pytest.mark.parametrize("says", [None, Upstream.hang, RUBBISH], ids=["down", "slow", "rubbish"])
def test_a_point_that_is_down_slow_or_answers_rubbish(
    says: bytes | Callable[[Upstream, socket.socket], None] | None, tmp_path: Path
) -> None:
    """Over HTTP: refused within its time, and nothing is sent to the application."""
    point, upstream = Upstream(), Upstream()
    if says is None:
        point.close()
    else:
        point.says = says if isinstance(says, bytes) else partial(says, point)
    app = _asking(tmp_path, point.address, upstream.address)
    try:
        began = time.monotonic()
        found = ask(Client(app, TestResponse))
        assert (found.status_code, code(found)) == (503, "point_unavailable")
        assert time.monotonic() - began < SOON
        assert upstream.heard == []
    finally:
        app.extensions["authz_gateway"].close()
        point.close()
        upstream.close()


def test_a_point_that_comes_back_is_asked_again(tmp_path: Path) -> None:
    """Down for longer than the breaker stays closed; nobody restarts the gateway."""
    upstream, listener = Upstream(), away()
    app = _asking(tmp_path, listener.getsockname(), upstream.address)
    client = Client(app, TestResponse)
    try:
        for _ in range(Limits().failures + 2):
            began = time.monotonic()
            assert code(ask(client)) == "point_unavailable"
            assert time.monotonic() - began < SOON
        assert upstream.heard == []
        with loopback(listener=listener):
            assert _but(503, client).status_code == 200
        assert len(upstream.heard) == 1
        assert ask(client).status_code == 503
    finally:
        app.extensions["authz_gateway"].close()
        upstream.close()
