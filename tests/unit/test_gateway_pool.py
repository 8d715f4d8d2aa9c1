"""Connections to an upstream, with TLS and without: kept, waited for, and let go."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from authz.errors import UpstreamTimeoutError
from authz.middleware.gateway.pool import Pool
from authz.middleware.gateway.proxy import Outgoing, send
from tests.api.certificates import certificate
from tests.api.server import HOST
from tests.middleware.loopback import LONG

BODY = b"x" * 100
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n" + BODY
REQUEST = Outgoing("GET", "/", {})


class Server:
    """Answers what it hears with ``says`` in one piece; where that is nothing, it hears no more."""

    def __init__(self, wrap: Callable[[socket.socket], socket.socket]) -> None:
        self.says = ANSWER
        self.reached = 0
        self.over = threading.Event()
        self._wrap = wrap
        self._listening = socket.create_server((HOST, 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self.over.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                self.reached += 1
                threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with suppress(OSError), self._wrap(connection) as wrapped:
            while wrapped.recv(65536):
                if not self.says:
                    self.over.wait(LONG)
                    return
                wrapped.sendall(self.says)


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture(params=["http", "https"])
def server(
    request: pytest.FixtureRequest, certified: tuple[Path, Path]
) -> Iterator[tuple[Server, str, Path]]:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certified)

    def wrap(sock: socket.socket) -> socket.socket:
        return context.wrap_socket(sock, server_side=True) if request.param == "https" else sock

    made = Server(wrap)
    yield made, f"{request.param}://{HOST}:{made.port}", certified[0]
    made.close()


def pool(url: str, ca: Path, seconds: float = 30.0) -> Pool:
    return Pool(url, connect=30.0, read=seconds, kept=4, ca=ca)


def asked(of: Pool) -> bytes:
    return b"".join(send(of, REQUEST).pieces())


def test_a_connection_is_used_again(server: tuple[Server, str, Path]) -> None:
    there, url, ca = server
    connections = pool(url, ca)
    assert [asked(connections) for _ in range(3)] == [BODY] * 3
    assert there.reached == 1
    connections.close()


def test_what_comes_behind_an_answer_answers_nobody(server: tuple[Server, str, Path]) -> None:
    """However much of it was read with the answer, and wherever the rest of it is held."""
    there, url, ca = server
    connections = pool(url, ca)
    first = ANSWER.replace(b"100", b"90000").replace(BODY, b"x" * 90_000)
    there.says = first + ANSWER.replace(b"x", b"y")
    assert asked(connections) == b"x" * 90_000
    there.says = ANSWER
    assert [asked(connections) for _ in range(2)] == [BODY] * 2
    assert there.reached == 2
    connections.close()


def test_who_says_nothing_is_waited_for_no_longer_than_said(
    server: tuple[Server, str, Path],
) -> None:
    there, url, ca = server
    there.says = b""
    connections = pool(url, ca, seconds=0.2)
    began = time.monotonic()
    with pytest.raises(UpstreamTimeoutError):
        send(connections, REQUEST)
    assert time.monotonic() - began >= 0.2
    there.says = ANSWER[:-1]
    incoming = send(connections, REQUEST)
    with pytest.raises(UpstreamTimeoutError):
        b"".join(incoming.pieces())


def test_who_takes_nothing_is_waited_for_no_longer_than_said(
    server: tuple[Server, str, Path],
) -> None:
    """A body that the other side never reads."""
    there, url, ca = server
    there.says = b""
    connections = pool(url, ca, seconds=0.2)
    stuck = Outgoing("POST", "/", {}, iter([b"x" * 1_000_000] * 200), 200_000_000)
    with pytest.raises(UpstreamTimeoutError):
        send(connections, stuck)
