"""Evaluations a second over HTTP, against a view that does nothing, on the same server.

The demo school is imported into a fresh SQLite database, forced to disk as in production.
Granian serves the decision point and, one after the other in each round, a Flask view that
reads the body and answers a fixed decision. The ratio says what a decision costs beside
Flask and the server: the token, the facts, the policy, and the record on disk.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from flask import Flask, request

from authz import clock
from authz.cli.demo.school import Demo, write

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
PATH = "/access/v1/evaluation"
BATCH = "/access/v1/evaluations"
THREADS = 8
ITEMS = 100


def say(line: str) -> None:
    """Show a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


@cache
def nothing() -> Flask:
    """The view that does nothing: it reads the body, and says yes."""
    app = Flask(__name__)

    @app.post(PATH)
    def evaluation() -> dict[str, bool]:
        request.get_data()
        return {"decision": True}

    return app


class School:
    """The demo school in a folder of its own, and a token to ask about it."""

    def __init__(self, folder: Path) -> None:
        self.environment = {
            **os.environ,
            "AUTHZ_DATABASE_URL": f"sqlite:///{folder / 'authz.db'}",
            "AUTHZ_KEY_FOLDER": str(folder / "keys"),
            "AUTHZ_POLICY": str(ROOT / "policies" / "school"),
        }
        today = clock.now().date()
        self.demo: Demo = write(folder / "demo", today)
        self.authz("db", "upgrade")
        self.authz("import", "oneroster", str(self.demo.roster))
        self.authz("import", "facts", str(self.demo.facts))
        made = self.authz("token", "create", "--client", "benchmark", "--ttl", "1h")
        self.token = made.strip()

    def authz(self, *arguments: str) -> str:
        """What the command prints."""
        return subprocess.run(
            [sys.executable, "-m", "authz.cli", *arguments],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout

    def questions(self) -> list[bytes]:
        """Every scene of the demo, permits and refusals, as whole HTTP requests."""
        return [self.message(PATH, scene.request) for scene in self.demo.scenes]

    def batch(self) -> list[bytes]:
        """One hundred of them in one request."""
        requests = [scene.request for scene in self.demo.scenes]
        items = [requests[number % len(requests)] for number in range(ITEMS)]
        return [self.message(BATCH, {"evaluations": items})]

    def message(self, path: str, body: Any) -> bytes:
        """The bytes of one request."""
        data = json.dumps(body, ensure_ascii=False).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Length: {len(data)}\r\n\r\n"
        )
        return head.encode() + data


@contextmanager
def running(target: str, environment: dict[str, str], workers: int) -> Iterator[int]:
    """The port of that application on Granian; gone afterwards."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    granian = Path(sys.executable).with_name("granian")
    command = [str(granian), "--interface", "wsgi", "--factory", "--host", HOST]
    command += ["--port", str(port), "--workers", str(workers), "--log-level", "error"]
    command += ["--blocking-threads", str(THREADS), target]
    process = subprocess.Popen(command, cwd=ROOT, env={**environment, "PYTHONPATH": str(ROOT)})
    try:
        _wait(port)
        yield port
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            return socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not start")


def rate(port: int, asks: list[bytes], connections: int, seconds: float) -> tuple[float, float]:
    """Requests a second, and the 99th percentile of their time in milliseconds."""
    with selectors.DefaultSelector() as ready, ExitStack() as stack:
        sent: dict[int, float] = {}
        turn = 0
        for _ in range(connections):
            sock = stack.enter_context(socket.create_connection((HOST, port), timeout=30))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(sock, selectors.EVENT_READ)
            sent[sock.fileno()] = time.perf_counter()
            sock.sendall(asks[0])
        times: list[float] = []
        begin = time.perf_counter()
        while time.perf_counter() < begin + seconds:
            for key, _mask in ready.select(timeout=30):
                sock = key.fileobj  # type: ignore[assignment]
                _receive(sock)
                now = time.perf_counter()
                times.append(now - sent[key.fd])
                sent[key.fd] = now
                turn += 1
                sock.sendall(asks[turn % len(asks)])
        spent = time.perf_counter() - begin
    late = statistics.quantiles(times, n=100)[98] if len(times) > 1 else times[0]
    return len(times) / spent, late * 1000


def _receive(sock: socket.socket) -> None:
    """Read one whole answer; anything but 200 ends the run."""
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += _some(sock)
    head, _, body = heard.partition(b"\r\n\r\n")
    if b" 200 " not in head.split(b"\r\n")[0]:
        raise RuntimeError(heard.decode("utf-8", "replace"))
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += _some(sock)


def _some(sock: socket.socket) -> bytes:
    found = sock.recv(65536)
    if not found:
        raise ConnectionError("the server closed the connection")
    return found


def measure(rounds: int, seconds: float, workers: int) -> None:
    """Print the rates side by side, in rounds that take turns."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        school = School(Path(folder))
        asked, batch = school.questions(), school.batch()
        plain = stack.enter_context(
            running("benchmarks.evaluation:nothing", school.environment, workers)
        )
        point = stack.enter_context(running("authz.api:create_app", school.environment, workers))
        say(f"{workers} worker(s) of {THREADS} threads, {len(asked)} different questions")
        for connections in (1, 8):
            found: list[tuple[float, float, float]] = []
            for _ in range(rounds):
                for port in (plain, point):
                    rate(port, asked, connections, 0.5)
                base, _late = rate(plain, asked, connections, seconds)
                ours, late = rate(point, asked, connections, seconds)
                found.append((base, ours, late))
            base, ours, late = (statistics.median(each) for each in zip(*found, strict=True))
            ratio = statistics.median(o / b for b, o, _ in found)
            say(
                f"  {connections} connection(s): nothing {base:7.0f}/s, evaluation {ours:6.0f}/s, "
                f"ratio {ratio:.2f}, p99 {late:.1f} ms"
            )
        items, late = rate(point, batch, 1, seconds)
        say(f"  batches of {ITEMS}: {items * ITEMS:.0f} decisions/s, p99 {late:.1f} ms")


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--workers", type=int, default=2)
    given = parser.parse_args()
    measure(given.rounds, given.seconds, given.workers)


if __name__ == "__main__":
    main()
