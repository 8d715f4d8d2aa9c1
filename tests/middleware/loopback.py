"""A server on this machine that answers as a test wants, byte for byte."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Event, Lock, Thread
from typing import Any

from tests.waiting import PATIENCE

IDENTIFIER = "https://pdp.example.test"
PATHS = {
    "access_evaluation_endpoint": "/access/v1/evaluation",
    "access_evaluations_endpoint": "/access/v1/evaluations",
    "search_resource_endpoint": "/access/v1/search/resource",
}
METADATA = "/.well-known/authzen-configuration"
LONG = 2 * PATIENCE
"""Seconds for which a server hangs that never answers: whoever waits for it is seen to."""


@dataclass
class Heard:
    """One request, and the means to answer it."""

    server: Loopback
    connection: socket.socket
    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def answer(self, body: object, status: int = 200, **headers: str) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        told = {"Content-Type": "application/json", "Content-Length": str(len(data))}
        told |= {name.replace("_", "-"): value for name, value in headers.items()}
        lines = "".join(f"{name}: {value}\r\n" for name, value in told.items())
        self.raw(f"HTTP/1.1 {status} OK\r\n{lines}\r\n".encode() + data)

    def raw(self, data: bytes) -> None:
        self.connection.sendall(data)

    def hang(self) -> None:
        self.server.over.wait(LONG)

    def close(self) -> None:
        self.connection.shutdown(socket.SHUT_RDWR)

    def well(self) -> None:
        """As a point that permits everything would answer."""
        if self.path == METADATA:
            urls = {name: IDENTIFIER + path for name, path in PATHS.items()}
            self.answer({"policy_decision_point": IDENTIFIER, **urls})
        elif "evaluations" in self.json:
            self.answer({"evaluations": [{"decision": True} for _ in self.json["evaluations"]]})
        else:
            self.answer({"decision": True})


Behaviour = Callable[[Heard], None]


@dataclass
class Loopback:
    """``heard`` are the requests so far, ``connections`` how many came."""

    listener: socket.socket
    behave: Behaviour = Heard.well
    heard: list[Heard] = field(default_factory=list)
    connections: int = 0
    over: Event = field(default_factory=Event)
    guard: Lock = field(default_factory=Lock)
    open: list[socket.socket] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    @property
    def paths(self) -> list[str]:
        return [each.path for each in self.heard]

    def accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections += 1
                self.open.append(connection)
                Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection: socket.socket) -> None:
        with suppress(OSError), connection, connection.makefile("rb") as file:
            while (heard := self.read(file, connection)) is not None:
                with self.guard:
                    self.heard.append(heard)
                self.behave(heard)

    def read(self, file: Any, connection: socket.socket) -> Heard | None:
        line = file.readline().decode("latin-1")
        if not line.endswith(" HTTP/1.1\r\n"):
            return None  # the end, or no HTTP
        method, path, _ = line.split(" ", 2)
        headers = {}
        while line := file.readline().decode().strip():
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        body = file.read(int(headers.get("content-length", "0")))
        return Heard(self, connection, method, path, headers, body)

    def stop(self) -> None:
        self.over.set()
        with suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for each in self.open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)


def away() -> socket.socket:
    """A port at which connections are refused until it is given to :func:`loopback`."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    return listener


@contextmanager
def loopback(
    behave: Behaviour = Heard.well, listener: socket.socket | None = None
) -> Iterator[Loopback]:
    listener = listener or away()
    listener.listen(64)
    server = Loopback(listener, behave)
    Thread(target=server.accept, daemon=True).start()
    try:
        yield server
    finally:
        server.stop()
