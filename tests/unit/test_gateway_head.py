"""The head of an upstream's answer has one reading, or it is none."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPException

import pytest

from authz.middleware.gateway.head import StrictResponse
from authz.middleware.gateway.reader import Reader

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


@contextmanager
def read(text: str, method: str = "GET") -> Iterator[StrictResponse]:
    """The response of these bytes, on a socket that then ends."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.settimeout(5)
        theirs.sendall(text.encode("latin-1"))
        theirs.shutdown(socket.SHUT_WR)
        with StrictResponse(Reader(ours), method) as found:
            found.begin()
            yield found


@pytest.mark.parametrize("text", NONE, ids=lambda text: repr(text[:40]))
def test_a_head_with_two_readings_is_none(text: str) -> None:
    with pytest.raises(HTTPException), read(text):
        pass


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
    with read(text) as found:
        assert (found.length, bool(found.will_close)) == (length, closes)
        body = found.read()
    assert body == (b"" if length == 0 else b"ab")


def test_a_body_may_hold_any_line() -> None:
    with read(f"{OK}Content-Length: 4\r\n\r\n\n\r\n\n") as found:
        assert found.read() == b"\n\r\n\n"


def test_the_answer_to_head_has_no_body() -> None:
    said = f"{OK}Content-Length: 5\r\nSet-Cookie: a\r\nSet-Cookie: b\r\n\r\n"
    with read(said, "HEAD") as found:
        assert found.length == 0
        assert found.getheaders()[1:] == [("Set-Cookie", "a"), ("Set-Cookie", "b")]


def test_a_head_comes_in_pieces_and_what_comes_after_it_is_not_lost() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        reader = Reader(ours)
        sending = threading.Thread(
            target=_dripped, args=(theirs, f"{OK}Content-Length: 2\r\n\r\n\nbc")
        )
        sending.start()
        with StrictResponse(reader, "GET") as found:
            found.begin()
            assert found.read() == b"\nb"
        sending.join()
        assert reader.read1(9) == b"c"


def _dripped(sock: socket.socket, text: str) -> None:
    for each in text.encode():
        sock.sendall(bytes([each]))


@pytest.mark.parametrize("text", [f"{OK}A: 1\n", "HTTP/1.1 200 OK\n", "\n"])
def test_a_line_that_ends_otherwise_is_told_at_once(text: str) -> None:
    """Nobody waits for the rest of what is no head already."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.settimeout(5)
        theirs.sendall(text.encode())
        with StrictResponse(Reader(ours), "GET") as found, pytest.raises(HTTPException):
            found.begin()


@pytest.mark.parametrize("end", ["\0", "1"])
def test_a_long_run_of_white_space_takes_no_time(end: str) -> None:
    """It once took the third power of its length, and held everybody up meanwhile."""
    began = time.process_time()
    with suppress(HTTPException), read(f"{OK}A:{' ' * 30_000}{end}\r\n\r\n"):
        pass
    assert time.process_time() - began < 1
