"""A receiver of the trail on this machine, for the tests: it does what it is told to."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any


class Receiver:
    """What came, and how the next requests are answered; ``status`` is of all after them.

    None is answered while ``open`` is not set; ``begun`` counts those that wait, too.
    """

    def __init__(self) -> None:
        self.guard = Lock()
        self.open = Event()
        self.open.set()
        self.begun = 0
        self.coming: list[int] = []
        self.status = 200
        self.most = 10**6
        self.seconds = 0.0
        self.requests: list[tuple[dict[str, str], bytes, int]] = []
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/records"

    def begins(self) -> None:
        """A request is there; it takes its time."""
        with self.guard:
            self.begun += 1
        time.sleep(self.seconds)
        self.open.wait()

    def answer(self, headers: dict[str, str], body: bytes) -> int:
        with self.guard:
            status = self.coming.pop(0) if self.coming else self.status
            if len(body) > self.most:
                status = 413
            self.requests.append((headers, body, status))
            return status

    def came(self) -> list[tuple[dict[str, str], bytes, int]]:
        """The headers, the body and the status of each request until now."""
        with self.guard:
            return self.requests.copy()

    def taken(self) -> list[tuple[int, str]]:
        """Position and id of each record that was taken, as it came."""
        bodies = [body for _, body, status in self.came() if status == 200]
        return [(r["position"], r["id"]) for body in bodies for r in json.loads(body)["data"]]


@contextmanager
def receiving(port: int = 0) -> Iterator[Receiver]:
    """A server that is gone afterwards."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            receiver.begins()
            status = receiver.answer({k.lower(): v for k, v in self.headers.items()}, body)
            try:
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()
            except OSError:
                return

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", port), Handler) as server:
        server.daemon_threads = True
        receiver.port = server.server_address[1]
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield receiver
        finally:
            receiver.open.set()
            server.shutdown()
            thread.join()
