"""Where a message may go, and for how long: real servers on this machine."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from authz.service.sending import UndeliveredError, Way, allowed, post
from tests.api.server import free_port
from tests.waiting import PATIENCE

DROP = 0.05
"""Seconds from one byte to the next."""
Answering = Callable[[socket.socket], None]


@pytest.fixture
def answered() -> Iterator[Callable[[Answering], int]]:
    """A server of one connection, and its port."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()

        def serve(answer: Answering) -> int:
            def accept() -> None:
                connection, _ = listening.accept()
                with suppress(OSError), connection:  # whom it answers may be gone
                    answer(connection)

            Thread(target=accept, daemon=True).start()
            return int(listening.getsockname()[1])

        yield serve


def _send(port: int, seconds: float = PATIENCE, **more: Any) -> bytes:
    return post(Way(f"http://127.0.0.1:{port}/in?a=b", seconds, **more), b"body", {"x-y": "z"})


def _saying(head: bytes, seen: list[bytes] | None = None) -> Answering:
    def answer(connection: socket.socket) -> None:
        sent = connection.recv(65536)
        while not sent.endswith(b"body") and (more := connection.recv(65536)):
            sent += more
        if seen is not None:
            seen.append(sent)
        connection.sendall(head)

    return answer


def test_what_is_sent(answered: Callable[[Answering], int]) -> None:
    seen: list[bytes] = []
    port = answered(_saying(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", seen))
    assert _send(port) == b"ok"
    assert seen[0].startswith(b"POST /in?a=b HTTP/1.1\r\n")
    assert b"x-y: z\r\n" in seen[0]


@pytest.mark.parametrize(
    ("head", "status", "wait"),
    [
        (b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", 500, 0),
        (b"HTTP/1.1 302 There\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", 302, 0),
        (b"HTTP/1.1 429 No\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n", 429, 7),
        (b"HTTP/1.1 503 No\r\nRetry-After: soon\r\nContent-Length: 0\r\n\r\n", 503, 0),
        (b"no HTTP at all\r\n\r\n", 0, 0),
        (b"", 0, 0),
    ],
)
def test_what_is_not_taken(
    answered: Callable[[Answering], int], head: bytes, status: int, wait: float
) -> None:
    with pytest.raises(UndeliveredError) as told:
        _send(answered(_saying(head)))
    assert (told.value.status, told.value.wait) == (status, wait)


def _silent(connection: socket.socket) -> None:
    """Until whoever asked goes away."""
    connection.settimeout(PATIENCE)
    while connection.recv(65536):
        pass


def _dripping(connection: socket.socket) -> None:
    connection.recv(65536)
    for _ in range(int(PATIENCE / DROP)):
        connection.sendall(b"H")
        time.sleep(DROP)


@pytest.mark.parametrize("answer", [_silent, _dripping])
def test_who_is_slow_is_left(answered: Callable[[Answering], int], answer: Answering) -> None:
    """By who asks, long before the other gives up."""
    with pytest.raises(UndeliveredError, match="does not answer") as told:
        _send(answered(answer), 0.5)
    assert "takes too long" in told.value.message or "Timeout" in told.value.message


def test_nobody_there() -> None:
    with pytest.raises(UndeliveredError, match="not reached"):
        _send(free_port())


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for this machine, with its key, that nobody trusts."""
    path = tmp_path / "both.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    about = ["-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    files = ["-keyout", str(tmp_path / "key.pem"), "-out", str(tmp_path / "cert.pem")]
    subprocess.run([*command, *about, *names, *files], check=True, capture_output=True)
    path.write_bytes((tmp_path / "key.pem").read_bytes() + (tmp_path / "cert.pem").read_bytes())
    return path


@pytest.mark.parametrize("trusted", [True, False])
def test_a_certificate_must_be_trusted(
    answered: Callable[[Answering], int], certificate: Path, *, trusted: bool
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    def answer(connection: socket.socket) -> None:
        try:
            with context.wrap_socket(connection, server_side=True) as secure:
                _saying(b"HTTP/1.1 204 Yes\r\n\r\n")(secure)
        except OSError:
            return

    ca = certificate.with_name("cert.pem") if trusted else None
    way = Way(f"https://127.0.0.1:{answered(answer)}/", PATIENCE, ca=ca)
    if trusted:
        assert post(way, b"body", {}) == b""
    else:
        with pytest.raises(UndeliveredError, match="certificate is not trusted"):
            post(way, b"body", {})


@pytest.mark.parametrize(
    ("address", "open_to"),
    [
        ("127.0.0.1", "plain public private"),
        ("::1", "plain public private"),
        ("::ffff:127.0.0.1", "plain public private"),
        ("93.184.216.34", "public private"),
        ("2606:2800:220:1::1", "public private"),
        ("10.0.0.1", "private"),
        ("192.168.1.1", "private"),
        ("::ffff:10.0.0.1", "private"),
        ("fd00::1", "private"),
        ("169.254.169.254", ""),
        ("fe80::1%eth0", ""),
        ("0.0.0.0", ""),  # noqa: S104 (where nothing is sent)
        ("224.0.0.1", ""),
        ("ff02::1", ""),
    ],
)
def test_addresses(address: str, open_to: str) -> None:
    found = {
        "plain": allowed(address, private=True, secure=False),
        "public": allowed(address, private=False, secure=True),
        "private": allowed(address, private=True, secure=True),
    }
    assert [name for name, is_open in found.items() if is_open] == open_to.split()


def test_a_name_that_leads_inside_is_not_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address is judged, whatever the name is; and it is the one connected to."""
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("169.254.169.254", 443))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(UndeliveredError, match="address that is not allowed"):
        post(Way("https://siem.example.test/", 1, private=True), b"", {})
