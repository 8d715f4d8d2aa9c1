"""An upstream that says what a test tells it to, byte for byte, and a gateway before it."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from flask import Flask
from werkzeug.test import Client, TestResponse

from authz.middleware.gateway.app import create
from authz.middleware.point import Point
from tests.api.server import HOST
from tests.gateway import site
from tests.middleware import signing
from tests.middleware.bypass import Address
from tests.middleware.loopback import LONG
from tests.middleware.points import CountingPoint
from tests.middleware.site import KID, MUM
from tests.waiting import PATIENCE

RESULTS = f"/students/{KID}/results"
BODY = b'{"student":"kid","results":[{"score":"7","comment":"SECRET"}]}'
HEAD = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


class Upstream:
    """Answers each connection with ``says``, and keeps what it was sent.

    ``reached`` are all connections that were made, whatever was sent on them.
    """

    def __init__(self) -> None:
        self.heard: list[bytes] = []
        self.reached = 0
        self.says: bytes | Callable[[socket.socket], None] = answer(BODY)
        self.over = threading.Event()
        self._listening = socket.create_server((HOST, 0))
        self.address: Address = self._listening.getsockname()
        threading.Thread(target=self._serve, daemon=True).start()

    def hang(self, _connection: socket.socket) -> None:
        """Say nothing, for longer than anybody waits."""
        self.over.wait(LONG)

    def close(self) -> None:
        self.over.set()
        with suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)  # whoever waits in accept() is told
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.reached += 1
            threading.Thread(target=self._one, args=(connection,), daemon=True).start()

    def _one(self, connection: socket.socket) -> None:
        with connection:
            connection.settimeout(LONG)
            try:
                while heard := _request(connection):
                    self.heard.append(heard)
                    if callable(self.says):
                        self.says(connection)
                        return
                    connection.sendall(self.says)
                    if b"Connection: close" in self.says:
                        return
            except OSError:
                return


def _request(connection: socket.socket) -> bytes:
    heard = b""
    while b"\r\n\r\n" not in heard:
        more = connection.recv(65536)
        if not more:
            return b""
        heard += more
    head, _, body = heard.partition(b"\r\n\r\n")
    length = next(
        (
            int(line.split(b":")[1])
            for line in head.split(b"\r\n")
            if line.lower().startswith(b"content-length")
        ),
        0,
    )
    while len(body) < length:
        if not (more := connection.recv(65536)):
            return b""
        body += more
    return head + b"\r\n\r\n" + body


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    """An ordinary answer of JSON, with these headers beside its own."""
    size = len(body) if length is None else length
    lines = [
        f"HTTP/1.1 {status}",
        "Content-Type: application/json",
        f"Content-Length: {size}",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def standing(
    folder: Path,
    more: str = "",
    point: Point | None = None,
    routes: str = "",
    seconds: float = PATIENCE,
) -> Iterator[tuple[Upstream, Client]]:
    """The upstream, and a client of the gateway before it, which waits so long for an answer."""
    upstream = Upstream()
    waits = f"connect_seconds = {site.LONGEST}\nread_seconds = {seconds}\nmax_json = 4096\n"
    text = site.tables(upstream.address, waits + more) + (routes or site.ROUTES + site.BY_BODY)
    app: Flask = create(site.write(folder, text), point or CountingPoint())
    try:
        yield upstream, Client(app, TestResponse)
    finally:
        app.extensions["authz_gateway"].close()
        upstream.close()


def ask(client: Client, path: str = RESULTS, method: str = "GET", **headers: str) -> TestResponse:
    """A request of the parent."""
    own = {"Authorization": f"Bearer {signing.mint(MUM)}"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.open(path, method=method, headers={**own, **named}, buffered=True)


def code(found: TestResponse) -> str:
    """The code of a problem document."""
    return str((found.json or {}).get("code"))
