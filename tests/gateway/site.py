"""The results site of the bypass table behind a gateway: its routes, and both as servers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from joserfc.jwk import KeySet

from authz.middleware.gateway.app import create
from tests.api.server import HOST, ROOT, free_port
from tests.middleware import signing
from tests.middleware.bypass import Address
from tests.middleware.points import CountingPoint
from tests.waiting import PATIENCE, until

SHAPE = 'shape = { keep = ["student", "results"] }'
GUARDED = f"""
action = "read"
category = "assessment_result"
purpose = {{ value = "service" }}
fields = ["assessment", "score"]
{SHAPE}
"""
ROUTES = f"""
[[route]]
path = "/"
methods = ["GET"]
public = "the front page is about nobody"

[[route]]
path = "/students/{{student}}/results"
methods = ["GET"]
person = {{ path = "student" }}
{GUARDED}
[[route]]
path = "/students/{{student}}/results"
methods = ["POST", "DELETE"]
person = {{ path = "student" }}
action = "update"
category = "assessment_result"
purpose = {{ value = "service" }}

[[route]]
path = "/students/{{student}}/report"
methods = ["GET"]
person = {{ path = "student" }}
carries = ["fields"]
{GUARDED}
[[route]]
path = "/students/{{student}}/page"
methods = ["GET"]
person = {{ path = "student" }}
{GUARDED}
[[route]]
path = "/results"
methods = ["GET"]
person = {{ query = "student" }}
{GUARDED}
"""
BY_BODY = f"""
[[route]]
path = "/lookup"
methods = ["POST"]
person = {{ json = "student" }}
{GUARDED}
"""
LONGEST = 60.0
"""Seconds, the most that a file may say of a connection, or of the point."""
IDENTITY = f"""
[identity]
issuer = "{signing.ISSUER}"
audience = "{signing.AUDIENCE}"
jwks = "jwks.json"
"""


def tables(upstream: Address, more: str = "") -> str:
    """The tables before the routes."""
    return f"""
[gateway]
upstream = "http://{upstream[0]}:{upstream[1]}"
{more}
{IDENTITY}
[point]
mode = "embedded"
"""


def write(folder: Path, text: str) -> Path:
    """A file of routes with the issuer's keys beside it."""
    keys = KeySet([signing.key()]).as_dict(private=False)
    (folder / "jwks.json").write_text(json.dumps(keys))
    path = folder / "routes.toml"
    path.write_text(text)
    return path


def serve() -> Any:
    """The gateway of the file in the environment, with the point of the tests."""
    return create(Path(os.environ["GATEWAY_FILE"]), CountingPoint())


@contextmanager
def running(path: Path) -> Iterator[Address]:
    """That gateway on the server that it has in production."""
    port = free_port()
    with granian("tests.gateway.site:serve", port, {"GATEWAY_FILE": str(path)}):
        yield HOST, port


@contextmanager
def granian(target: str, port: int, more: dict[str, str]) -> Iterator[None]:
    """An application of a factory, as ``authz gateway`` serves it."""
    command = [str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "--factory"]
    command += ["--host", HOST, "--port", str(port), "--http", "1", "--no-ws", target]
    environment = {**os.environ, **more, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(
        [*command, "--log-level", "error", "--blocking-threads", "16"],
        cwd=ROOT, env=environment, start_new_session=True,
    )  # fmt: skip
    try:
        listening(port, process)
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def listening(port: int, process: subprocess.Popen[bytes]) -> None:
    """Wait until somebody listens there: the process, as nobody else is given its port."""
    until(lambda: _listens(port) or process.poll() is not None)
    if process.poll() is not None:
        raise RuntimeError(f"nobody listens on {port}")


def _listens(port: int) -> bool:
    try:
        socket.create_connection((HOST, port), timeout=PATIENCE).close()
    except OSError:
        return False
    return True
