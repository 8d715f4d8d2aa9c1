"""Real servers in this process: waitress for WSGI, uvicorn for ASGI."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from wsgiref.types import WSGIApplication

import uvicorn
from waitress.server import create_server

from tests.api.server import HOST
from tests.middleware.bypass import Address
from tests.waiting import PATIENCE, until


@contextmanager
def wsgi(app: WSGIApplication) -> Iterator[Address]:
    """A WSGI application on a port of its own."""
    server: Any = create_server(app, host=HOST, port=0, threads=2, asyncore_use_poll=True)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield HOST, server.effective_port
    finally:
        _end(server)
        thread.join(PATIENCE)


def _end(server: Any) -> None:
    """Its threads first, which wake the loop by the number of a file; then all, in the loop.

    A thread that lived on would write into whatever file has that number by then.
    """
    server.task_dispatcher.shutdown(timeout=PATIENCE)

    def close() -> None:
        for each in list(server._map.values()):
            each.close()

    server.trigger.pull_trigger(close)


@contextmanager
def asgi(app: Any, *, lifespan: Literal["on", "off"] = "on") -> Iterator[Address]:
    """An ASGI application on a port of its own."""
    config = uvicorn.Config(app, lifespan=lifespan, log_level="critical", ws="none")
    server = uvicorn.Server(config)
    with socket.create_server((HOST, 0)) as listening:
        address: Address = listening.getsockname()
        thread = threading.Thread(
            target=lambda: asyncio.run(server.serve(sockets=[listening])), daemon=True
        )
        thread.start()
        until(lambda: server.started or not thread.is_alive())
        assert server.started
        try:
            yield address
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
