"""The client of all HTTP measurements: so many connections, each asked again once it is answered.

It takes its share of the same cores as the servers, so only the ratios of one run mean something.
"""

from __future__ import annotations

import json
import selectors
import socket
import statistics
import time
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any, NamedTuple

HOST = "127.0.0.1"
EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"


class Rate(NamedTuple):
    """Requests a second, and percentiles of their time in milliseconds."""

    rate: float
    median: float
    late: float


def message(path: str, body: Any, headers: Mapping[str, str] | None = None) -> bytes:
    """The bytes of one request."""
    data = json.dumps(body, ensure_ascii=False).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {HOST}",
        "Content-Type: application/json",
        *(f"{name}: {value}" for name, value in (headers or {}).items()),
        f"Content-Length: {len(data)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def ask(port: int, asked: bytes) -> Any:
    """One answer as JSON; anything but 200 raises."""
    with socket.create_connection((HOST, port), timeout=30) as sock:
        sock.sendall(asked)
        return json.loads(_receive(sock))


def rate(port: int, asks: list[bytes], connections: int, seconds: float) -> Rate:
    """Ask on so many connections at once, each as soon as it has its answer."""
    with selectors.DefaultSelector() as ready, ExitStack() as stack:
        sent: dict[int, float] = {}
        for turn in range(connections):
            sock = stack.enter_context(socket.create_connection((HOST, port), timeout=30))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(sock, selectors.EVENT_READ, sock)
            sent[sock.fileno()] = time.perf_counter()
            sock.sendall(asks[turn % len(asks)])
        times = _answered(ready, sent, asks, time.perf_counter() + seconds)
    cuts = statistics.quantiles(times, n=100) if len(times) > 1 else times * 99
    return Rate(len(times) / seconds, cuts[49] * 1000, cuts[98] * 1000)


def _answered(
    ready: selectors.DefaultSelector, sent: dict[int, float], asks: list[bytes], until: float
) -> list[float]:
    """The seconds of each answer that came in time."""
    times: list[float] = []
    while time.perf_counter() < until:
        for key, _mask in ready.select(timeout=30):
            sock: socket.socket = key.data
            _receive(sock)
            now = time.perf_counter()
            times.append(now - sent[key.fd])
            sent[key.fd] = now
            sock.sendall(asks[len(times) % len(asks)])
    return times


def _receive(sock: socket.socket) -> bytes:
    """Read one whole answer; anything but 200 ends the run."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += _some(sock)
    head, _, body = heard.partition(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    if b" 200 " not in lines[0]:
        raise RuntimeError(heard.decode("utf-8", "replace")[:400])
    length = next(int(line.split(b":")[1]) for line in lines if line.startswith(b"content-length"))
    while len(body) < length:
        body += _some(sock)
    return body


def _some(sock: socket.socket) -> bytes:
    found = sock.recv(65536)
    if not found:
        raise ConnectionError("the server closed the connection")
    return found
