"""Which WSGI server: requests a second on loopback (and see ``server_faults``).

Every server runs the same small Flask application with one process of eight threads.
The load client keeps 1 or 8 connections alive and asks again as soon as it is answered.
Rounds take turns among the servers, so that a busy machine is busy for all; the ratio
is to the first server of the same round. The decision: docs/decisions/wsgi-server.md.
"""

from __future__ import annotations

import argparse
import os
import selectors
import signal
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Flask, Response, request

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

HOST = "127.0.0.1"
THREADS = 8
LIMIT = 1 << 20
BODY = (
    b'{"subject": {"type": "user", "id": "p1"}, "action": {"name": "read"},'
    b' "resource": {"type": "assessment_result", "id": "p2"}}'
)
APP = "benchmarks.servers:application"

SERVERS: dict[str, Callable[[int, int], list[str]]] = {
    "granian": lambda port, workers: [
        *("granian", "--interface", "wsgi", "--host", HOST, "--port", str(port), "--no-ws"),
        *("--workers", str(workers), "--blocking-threads", str(THREADS), "--http", "1"),
        *("--respawn-failed-workers", "--workers-kill-timeout", "10", "--log-level", "error", APP),
    ],
    "gunicorn": lambda port, workers: [
        *("gunicorn", "-k", "gthread", "-b", f"{HOST}:{port}", "-w", str(workers)),
        *("--threads", str(THREADS), "--keep-alive", "60", "--log-level", "error", APP),
    ],
    "waitress": lambda port, _workers: [
        *("waitress-serve", f"--listen={HOST}:{port}", f"--threads={THREADS}", APP),
    ],
    "cheroot": lambda port, _workers: [
        *("cheroot", "--bind", f"{HOST}:{port}", "--threads", str(THREADS), APP),
    ],
}


@cache
def create_app() -> Flask:
    """A stand-in for the decision point: reads JSON, answers JSON."""
    app = Flask(__name__)
    app.config["MAX_CONTENT_LENGTH"] = LIMIT

    @app.post("/evaluate")
    def evaluate() -> dict[str, bool]:
        return {"decision": bool(request.get_json())}

    @app.post("/length")
    def length() -> str:
        return str(len(request.get_data()))

    @app.get("/pid")
    def pid() -> str:
        return str(os.getpid())

    @app.get("/slow")
    def slow() -> Response:
        time.sleep(1.5)
        return Response("done")

    return app


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The entry point that every server can name."""
    return create_app().wsgi_app(environ, start_response)


@contextmanager
def running(name: str, workers: int = 1) -> Iterator[tuple[int, subprocess.Popen[bytes]]]:
    """That server, started and answering; gone afterwards."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port = int(probe.getsockname()[1])
    command = SERVERS[name](port, workers)
    command[0] = str(Path(sys.executable).with_name(command[0]))
    quiet = subprocess.DEVNULL
    where = str(Path(__file__).parents[1])
    environment = {**os.environ, "PYTHONPATH": where}
    process = subprocess.Popen(
        command, stdout=quiet, stderr=quiet, cwd=where, env=environment, start_new_session=True
    )
    try:
        wait(lambda: ask(port, "GET /pid").startswith("200"))
        yield port, process
    finally:
        with ExitStack() as stack:
            stack.callback(process.wait)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def wait(ready: Callable[[], bool], seconds: float = 15) -> bool:
    """Is it ready within these seconds?"""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if ready():
                return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


def message(line: str, headers: str = "", body: bytes = b"") -> bytes:
    """The bytes of a request."""
    return f"{line} HTTP/1.1\r\nHost: {HOST}\r\n{headers}\r\n".encode() + body


def talk(port: int, raw: bytes, *, half_close: bool = False, seconds: float = 5) -> bytes:
    """What the server says to these bytes until it closes or falls silent."""
    with socket.create_connection((HOST, port), timeout=seconds) as sock:
        sock.settimeout(seconds)
        heard = b""
        try:
            sock.sendall(raw)
            if half_close:
                sock.shutdown(socket.SHUT_WR)
            while chunk := sock.recv(65536):
                heard += chunk
        except TimeoutError:
            heard += b" (silent)"
        except OSError as error:
            heard += f" ({type(error).__name__})".encode()
        return heard


def ask(port: int, line: str, seconds: float = 5) -> str:
    """Status and body of one answer, in one line."""
    return brief(talk(port, message(line, "Connection: close\r\n"), seconds=seconds))


def brief(heard: bytes) -> str:
    """Each status that was heard, and the begin of the last line."""
    statuses = [part.split(b" ", 2)[0].decode() for part in heard.split(b"HTTP/1.1 ")[1:]]
    text = heard.rsplit(b"\r\n\r\n", 1)[-1].decode(errors="replace").strip().splitlines()
    last = text[-1] if text else ""
    return " ".join([*(statuses or ["closed"]), last[:12]]).strip()


def rate(port: int, connections: int, seconds: float) -> tuple[float, float]:
    """Requests a second, and the 99th percentile of their time in milliseconds."""
    question = message(
        "POST /evaluate", f"Content-Type: application/json\r\nContent-Length: {len(BODY)}\r\n", BODY
    )
    with selectors.DefaultSelector() as ready, ExitStack() as stack:
        sent: dict[int, float] = {}
        for _ in range(connections):
            sock = stack.enter_context(socket.create_connection((HOST, port), timeout=10))
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(sock, selectors.EVENT_READ, sock)
            sent[sock.fileno()] = time.perf_counter()
            sock.sendall(question)
        times: list[float] = []
        begin = time.perf_counter()
        while (now := time.perf_counter()) < begin + seconds:
            for key, _mask in ready.select(timeout=5):
                sock = key.data
                heard = sock.recv(65536)
                while not heard.rstrip().endswith(b"}"):
                    more = sock.recv(65536)
                    if not more:
                        raise ConnectionError(heard)
                    heard += more
                now = time.perf_counter()
                times.append(now - sent[key.fd])
                sent[key.fd] = now
                sock.sendall(question)
        spent = time.perf_counter() - begin
    slowest = statistics.quantiles(times, n=100)[98]
    return len(times) / spent, slowest * 1000


def measure(rounds: int, seconds: float) -> None:
    """Print the rates of all servers, in turns."""
    for connections in (1, THREADS):
        rates: dict[str, list[float]] = {name: [] for name in SERVERS}
        slow: dict[str, list[float]] = {name: [] for name in SERVERS}
        for _ in range(rounds):
            for name in SERVERS:
                with running(name) as (port, _process):
                    rate(port, connections, 0.5)
                    per_second, late = rate(port, connections, seconds)
                rates[name].append(per_second)
                slow[name].append(late)
        first = rates[next(iter(SERVERS))]
        print(f"\n{connections} connection(s), medians of {rounds} rounds of {seconds} s")
        for name in SERVERS:
            ratio = statistics.median(a / b for a, b in zip(rates[name], first, strict=True))
            middle = statistics.median(rates[name])
            late = statistics.median(slow[name])
            print(f"  {name:10} {middle:8.0f}/s  ratio {ratio:5.2f}  p99 {late:7.2f} ms")


def main() -> None:
    """Measure as told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    given = parser.parse_args()
    measure(given.rounds, given.seconds)


if __name__ == "__main__":
    main()
