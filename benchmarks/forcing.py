"""The floor of every durable answer: processes that decide nothing, and force before they answer.

Each takes whoever asks at the moment, forces as many bytes as their records have with one write,
and answers them. There is no framework, no token, no question and no fact: what a server of
Python does on this machine and disk cannot be faster.

``python -m benchmarks.forcing FOLDER PORT WORKERS``
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import sys
from pathlib import Path

from benchmarks.client import HOST

RECORD = b"x" * 650
FILE = 16 * 1024 * 1024
BODY = b'{"decision":true}'
ANSWER = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY


def main(folder: Path, port: int, workers: int) -> None:
    """Serve until the process is stopped."""
    listening = socket.create_server((HOST, port), backlog=64)
    listening.settimeout(0)  # both processes hear of a connection, and one of them gets it
    signal.signal(signal.SIGTERM, lambda *_: os.killpg(0, signal.SIGKILL))
    for _ in range(workers - 1):
        if not os.fork():
            break
    _serve(listening, _zeros(folder / f"forcing-{os.getpid()}"))


def _zeros(path: Path) -> int:
    """A file of zeros, of which no forced write moves metadata, as the journal's."""
    path.write_bytes(bytes(FILE))
    os.sync()
    return os.open(path, os.O_RDWR | os.O_DSYNC)


def _serve(listening: socket.socket, file: int) -> None:
    ready, place = selectors.DefaultSelector(), 0
    ready.register(listening, selectors.EVENT_READ)
    while True:
        asked = []
        for key, _ in ready.select():
            if key.fileobj is listening:
                _accept(listening, ready)
            elif isinstance(key.fileobj, socket.socket) and _heard(key.fileobj, ready):
                asked.append(key.fileobj)
        if asked:
            data = RECORD * len(asked)
            place = place if place + len(data) < FILE else 0
            os.pwrite(file, data, place)
            place += len(data)
        for sock in asked:
            sock.sendall(ANSWER)


def _accept(listening: socket.socket, ready: selectors.BaseSelector) -> None:
    try:
        sock, _ = listening.accept()
    except BlockingIOError:  # another process was first
        return
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    ready.register(sock, selectors.EVENT_READ)


def _heard(sock: socket.socket, ready: selectors.BaseSelector) -> bool:
    """Whether a request came: the client sends each at once, and loopback keeps it whole."""
    try:
        heard = sock.recv(65536)
    except ConnectionResetError:
        heard = b""
    if not heard:
        ready.unregister(sock)
        sock.close()
    return bool(heard)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
