"""Evaluations a second over HTTP, beside a view and a callable that do nothing.

The demo school is imported into a fresh SQLite database, forced to disk as in production.
Granian serves the decision point and, one after the other in each round, a Flask view that
reads the body and answers a fixed decision, and a bare WSGI callable that does the same. The
ratios say what a decision costs beside Flask and beside the server: the token, the facts, the
policy, and the record on disk. The client takes its share of the same cores.

With ``--parts`` it prints where each microsecond of an evaluation goes, in one thread.
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
from typing import Any, NamedTuple

from flask import Flask, request

from authz import clock
from authz.cli.demo.school import Demo, write
from benchmarks.parts import forced_writes, parts

ROOT = Path(__file__).resolve().parents[1]
HOST = "127.0.0.1"
PATH = "/access/v1/evaluation"
BATCH = "/access/v1/evaluations"
THREADS = 8
ITEMS = 100
WARM_SECONDS = 6.0
"""Until SQLite's log has its full size, as in a service that has run for a minute: a forced
write to a file that grows costs twice as much."""


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


@cache
def bare() -> Any:
    """The callable that does nothing, without a framework."""

    def evaluation(environ: Any, start: Any) -> list[bytes]:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        answer = b'{"decision":true}'
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))]
        start("200 OK", headers)
        return [answer]

    return evaluation


class School:
    """The demo school in a folder of its own, and a token to ask about it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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


@contextmanager
def keeping(environment: dict[str, str]) -> Iterator[None]:
    """The keeper beside, as `authz serve` has it: it moves the records to the database."""
    command = [sys.executable, "-m", "authz.cli", "audit", "keep", "--until-eof"]
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.PIPE):
        yield


def _wait(port: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            return socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("the server did not start")


class Rate(NamedTuple):
    """Requests a second, and percentiles of their time in milliseconds."""

    rate: float
    median: float
    late: float


def rate(port: int, asks: list[bytes], connections: int, seconds: float) -> Rate:
    """Ask on so many connections at once, each as soon as it has its answer."""
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
    cuts = statistics.quantiles(times, n=100) if len(times) > 1 else times * 99
    return Rate(len(times) / spent, cuts[49] * 1000, cuts[98] * 1000)


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


TARGETS = {
    "Flask, nothing": "benchmarks.evaluation:nothing",
    "WSGI, nothing": "benchmarks.evaluation:bare",
    "evaluation": "authz.api:create_app",
}


def measure(school: School, rounds: int, seconds: float, workers: int) -> None:
    """Print the rates side by side, in rounds that take turns."""
    asked, batch = school.questions(), school.batch()
    with ExitStack() as stack:
        stack.enter_context(keeping(school.environment))
        ports = {
            name: stack.enter_context(running(target, school.environment, workers))
            for name, target in TARGETS.items()
        }
        say(f"{workers} worker(s) of {THREADS} threads, {len(asked)} different questions")
        rate(ports["evaluation"], batch, 2, WARM_SECONDS)
        for connections in (1, 8):
            found: dict[str, list[Rate]] = {name: [] for name in ports}
            for _ in range(rounds):
                for name, port in ports.items():
                    rate(port, asked, connections, 0.5)
                    found[name].append(rate(port, asked, connections, seconds))
            say(f"{connections} connection(s)")
            disk = forced_writes(school.folder, connections)
            say(f"  disk            {disk:7.0f}/s forced writes by {connections} at once")
            for name, rates in found.items():
                _show(name, rates, found["evaluation"])
        found_batch = [rate(ports["evaluation"], batch, 1, seconds) for _ in range(rounds)]
        a_second, median, late = map(statistics.median, zip(*found_batch, strict=True))
        say(
            f"batches of {ITEMS}: {a_second * ITEMS:.0f} decisions/s, "
            f"p50 {median:.1f} ms, p99 {late:.1f} ms"
        )


def _show(name: str, rates: list[Rate], ours: list[Rate]) -> None:
    a_second, median, late = map(statistics.median, zip(*rates, strict=True))
    ratio = statistics.median(our.rate / each.rate for our, each in zip(ours, rates, strict=True))
    say(
        f"  {name:15} {a_second:7.0f}/s, p50 {median:6.2f} ms, p99 {late:6.2f} ms; "
        f"evaluation is {ratio:.2f} of it"
    )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--parts", action="store_true", help="what each part costs, no HTTP")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        school = School(Path(folder))
        if given.parts:
            requests = [scene.request for scene in school.demo.scenes]
            for name, cost in parts(school.environment, requests, school.token):
                say(f"| {name} | {cost:.0f} |")
        else:
            measure(school, given.rounds, given.seconds, given.workers)


if __name__ == "__main__":
    main()
