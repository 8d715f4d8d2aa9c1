"""The servers that are asked over HTTP, each started, waited for, and stopped again."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from benchmarks import cerbos
from benchmarks.client import HOST
from benchmarks.directories import environment
from benchmarks.optional import ROOT

WORKERS, THREADS = 2, 8
PATIENCE = 60


def free() -> int:
    """A port that nobody listens on, kept for the server that will: both share the address."""
    keeping = socket.socket()
    keeping.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeping.bind((HOST, 0))
    port = int(keeping.getsockname()[1])
    keeping.detach()  # or somebody else might be given it before the server has begun
    return port


@contextmanager
def ours(url: str, folder: Path) -> Iterator[int]:
    """``authz serve`` as an operator starts it: two workers, every decision durable."""
    port = free()
    command = [sys.executable, "-m", "authz.cli", "serve", "--port", str(port)]
    command += ["--workers", str(WORKERS)]
    with running(command, port, environment(url, folder), folder / "serve.log"):
        yield port


@contextmanager
def forcing(folder: Path) -> Iterator[int]:
    """Whoever decides nothing and forces a record before each answer, as many processes."""
    port = free()
    command = [sys.executable, "-m", "benchmarks.forcing", str(folder), str(port), str(WORKERS)]
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    with running(command, port, here, folder / "forcing.log"):
        yield port


@contextmanager
def floor(name: str, folder: Path, more: Mapping[str, str] | None = None) -> Iterator[int]:
    """One of :mod:`benchmarks.floors` on granian, with as many workers."""
    with application(f"benchmarks.floors:{name}", folder, more) as port:
        yield port


@contextmanager
def application(target: str, folder: Path, more: Mapping[str, str] | None = None) -> Iterator[int]:
    """The application that a factory makes, on granian, with as many workers."""
    port = free()
    granian = Path(sys.executable).with_name("granian")
    command = [str(granian), "--interface", "wsgi", "--factory", "--host", HOST]
    command += ["--port", str(port), "--workers", str(WORKERS), "--log-level", "error"]
    command += ["--blocking-threads", str(THREADS), target]
    here = {**os.environ, **(more or {}), "PYTHONPATH": str(ROOT)}
    with running(command, port, here, folder / f"{target.partition(':')[2]}.log"):
        yield port


@contextmanager
def peer(folder: Path) -> Iterator[int]:
    """Cerbos with the five rules, on both cores, without its audit."""
    port = free()
    path = cerbos.settings(folder / "cerbos", port, free())
    command = [str(cerbos.binary()), "server", "--config", str(path), "--log-level", "error"]
    with running(command, port, os.environ, folder / "cerbos.log"):
        yield port


@contextmanager
def running(
    command: Sequence[str], port: int, settings: Mapping[str, str], log: Path
) -> Iterator[None]:
    """The process, listening; gone afterwards with all that it started."""
    with log.open("wb") as told:
        process = subprocess.Popen(
            command, cwd=ROOT, env=settings, stdout=told, stderr=told, start_new_session=True
        )
        try:
            _wait(process, port, log)
            yield
        finally:
            _stop(process)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"the server did not start: {log.read_text('utf-8', 'replace')[-300:]}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
