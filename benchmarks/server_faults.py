"""Which WSGI server: what each does when things go wrong (and see ``servers``)."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.servers import (
    HOST,
    LIMIT,
    SERVERS,
    THREADS,
    ask,
    brief,
    message,
    running,
    talk,
    wait,
)


def respawns(name: str) -> str:
    """Does a worker killed with -9 come back?"""
    with running(name, workers=2) as (port, process):
        task = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        wait(lambda: len(task.read_text().split()) > 1, 2)
        worker, workers = ask(port, "GET /pid").split()[1], task.read_text().split()
        os.kill(int(worker), signal.SIGKILL)
        begin = time.monotonic()

        def back() -> bool:
            now = task.read_text().split()
            return (worker not in now and len(now) >= len(workers)) or process.poll() is not None

        returned = wait(back, 12)
        if process.poll() is not None:
            return "the server is gone"
        spent = time.monotonic() - begin
        return f"back {returned} after {spent:.1f} s, answers {ask(port, 'GET /pid')[:3]}"


def stops_gracefully(name: str) -> str:
    """Is a request under way answered after SIGTERM?"""
    with running(name) as (port, process), socket.create_connection((HOST, port)) as sock:
        sock.sendall(message("GET /slow", "Connection: close\r\n"))
        time.sleep(0.4)
        process.send_signal(signal.SIGTERM)
        heard = b""
        try:
            while chunk := sock.recv(4096):
                heard += chunk
            status = process.wait(15)
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"{brief(heard)}, {type(error).__name__}"
        return f"{brief(heard)}, exit status {status}"


def bodies(name: str) -> Iterator[tuple[str, str]]:
    """What comes of unusual bodies."""
    chunked = "Transfer-Encoding: chunked\r\n"
    with running(name) as (port, _process):

        def post(headers: str, body: bytes = b"", *, half_close: bool = False) -> str:
            raw = message("POST /length", headers, body)
            return brief(talk(port, raw, half_close=half_close, seconds=3))

        close = "Connection: close\r\n"
        big = b"x" * (2 * LIMIT)
        yield "chunked, 5 bytes", post(chunked + close, b"5\r\nhello\r\n0\r\n\r\n")
        yield "2 MiB, limit 1 MiB", post(f"Content-Length: {len(big)}\r\n{close}", big)
        whole = f"{len(big):x}\r\n".encode() + big + b"\r\n0\r\n\r\n"
        yield "2 MiB chunked", post(chunked + close, whole)
        yield "length 10, sent 5, closed", post("Content-Length: 10\r\n", b"hello", half_close=True)
        yield "length 2, sent 5", post("Content-Length: 2\r\n", b"hello")
        yield "two lengths", post("Content-Length: 5\r\nContent-Length: 2\r\n" + close, b"hello")
        yield "length -1", post("Content-Length: -1\r\n" + close, b"hello")
        yield "length and chunked", post("Content-Length: 5\r\n" + chunked + close, b"0\r\n\r\n")
        yield "chunked, cut off", post(chunked, b"5\r\nhel", half_close=True)
        yield "100 KiB of headers", post(f"X-Long: {'x' * 102400}\r\n" + close)


def stalled(name: str) -> str:
    """Do clients that stop in the middle of a body keep others waiting?"""
    with running(name) as (port, _process), ExitStack() as stack:
        for _ in range(2 * THREADS):
            sock = stack.enter_context(socket.create_connection((HOST, port), timeout=5))
            sock.sendall(message("POST /length", "Content-Length: 10\r\n", b"hello"))
        time.sleep(0.5)
        begin = time.monotonic()
        answer = ask(port, "GET /pid", seconds=4)
        return f"{answer.split()[0]} after {time.monotonic() - begin:.1f} s"


def check() -> None:
    """Print what each server does when things go wrong."""
    for name in SERVERS:
        print(f"\n{name}")
        print(f"  {'worker killed with -9':28} {respawns(name)}")
        print(f"  {'stopped while answering':28} {stops_gracefully(name)}")
        print(f"  {f'{2 * THREADS} bodies that stall':28} {stalled(name)}")
        for what, answer in bodies(name):
            print(f"  {what:28} {answer}")


if __name__ == "__main__":
    check()
