"""Real servers in this process: waitress for WSGI, uvicorn for ASGI."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal
from wsgiref.types import WSGIApplication

import uvicorn
from waitress.server import create_server

from tests.api.server import HOST, free_port
from tests.middleware.bypass import Address


@contextmanager
def wsgi(app: WSGIApplication) -> Iterator[Address]:
    """A WSGI application on a port of its own."""
    server: Any = create_server(app, host=HOST, port=0, threads=2, asyncore_use_poll=True)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield HOST, server.effective_port
    finally:
        server.close()
        thread.join(5)


@contextmanager
def asgi(app: Any, *, lifespan: Literal["on", "off"] = "on") -> Iterator[Address]:
    """An ASGI application on a port of its own."""
    port = free_port()
    config = uvicorn.Config(
        app, host=HOST, port=port, lifespan=lifespan, log_level="critical", ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    started = threading.Event()
    while not server.started and thread.is_alive():
        started.wait(0.01)
    assert server.started
    try:
        yield HOST, port
    finally:
        server.should_exit = True
        thread.join(5)
