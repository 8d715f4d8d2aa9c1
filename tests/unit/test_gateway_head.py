"""The head of an upstream's answer has one reading, or it is none."""

from __future__ import annotations

import socket
from http.client import HTTPException

import pytest

from authz.middleware.gateway.head import StrictResponse

OK = "HTTP/1.1 200 OK\r\n"
NONE = [
    *("", "\r\n", "200 OK\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 99 x\r\n\r\n"),
    *("HTTP/1.1 2000 x\r\n\r\n", "HTTP/1.1 200 OK\n\n", "HTTP/1.1  200 OK\r\n\r\n"),
    *(f"{OK}A: 1\r\n b\r\n\r\n", f"{OK}A : 1\r\n\r\n", f"{OK}: 1\r\n\r\n", f"{OK}A\r\n\r\n"),
    *(f"{OK}A: 1\0\r\n\r\n", f"{OK}A: 1\n\r\n", f"{OK}A: 1\rB: 2\r\n\r\n", f"{OK}A: 1\r\n"),
    *(f"{OK}Content-Length: 1\r\nContent-Length: 1\r\n\r\n", f"{OK}Content-Length: -1\r\n\r\n"),
    *(f"{OK}Content-Length: 1, 1\r\n\r\n", f"{OK}Content-Length: 1x\r\n\r\n"),
    *(f"{OK}Transfer-Encoding: gzip, chunked\r\n\r\n", f"{OK}Transfer-Encoding: x\r\n\r\n"),
    f"{OK}Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
    OK + "A: 1\r\n" * 101 + "\r\n",
    OK + f"A: {'1' * 70_000}\r\n\r\n",
    "HTTP/1.1 100 Continue\r\n\r\n" * 11,
]


def read(text: str, method: str = "GET") -> StrictResponse:
    """The response of these bytes, on a socket that then ends."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(5)
        theirs.sendall(text.encode("latin-1"))
        theirs.shutdown(socket.SHUT_WR)
        found = StrictResponse(ours, method)
        try:
            found.begin()
        except HTTPException:
            found.close()
            raise
        return found


@pytest.mark.parametrize("text", NONE, ids=lambda text: repr(text[:40]))
def test_a_head_with_two_readings_is_none(text: str) -> None:
    with pytest.raises(HTTPException):
        read(text)


@pytest.mark.parametrize(
    ("text", "length", "closes"),
    [
        (f"{OK}Content-Length: 2\r\n\r\nab", 2, False),
        (f"{OK}Content-Length: 2\r\nConnection: close\r\n\r\nab", 2, True),
        ("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", 2, True),
        (f"{OK}\r\nab", None, True),
        (f"{OK}transfer-encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n\r\n", None, False),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", 0, False),
        ("HTTP/1.1 304\r\nContent-Length: 9\r\n\r\n", 0, False),
    ],
)
def test_a_head_says_how_long_the_body_is(text: str, length: int | None, closes: bool) -> None:
    found = read(text)
    assert (found.length, bool(found.will_close)) == (length, closes)
    body = found.read()
    assert body == (b"" if length == 0 else b"ab")
    found.close()


def test_the_answer_to_head_has_no_body() -> None:
    found = read(f"{OK}Content-Length: 5\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n", "HEAD")
    assert found.length == 0
    assert found.getheaders()[1:] == [("Set-Cookie", "a"), ("Set-Cookie", "b")]
    found.close()
