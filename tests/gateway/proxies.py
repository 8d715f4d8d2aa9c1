"""The four proxies as the how-to configures them, before the site of the bypass table."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from tests.api.server import HOST, ROOT, Place, free_port
from tests.gateway import site
from tests.middleware.bypass import Address
from tests.middleware.site import KID, MUM, OTHER
from tests.waiting import PATIENCE, until

FILES = ROOT / "docs" / "how-to" / "proxies"
TOKEN = "a-secret-that-the-proxy-and-authz-share"
FACTS = [
    *({"fact": "person", "id": name} for name in (MUM, OTHER, "head")),
    {"fact": "person", "id": KID, "birth_date": "2015-05-05"},
    {"fact": "guardianship", "guardian": MUM, "student": KID, "kind": "parent"},
]
"""The mother may read the child's results, and nobody may read the other's."""


@dataclass(frozen=True)
class Proxy:
    """A proxy of the how-to: its files (the first one is started), and how it is run."""

    files: tuple[str, ...]
    arguments: tuple[str, ...]
    told: str = "headers"
    folder: str = str(Path(sys.executable).parent)
    """Where it is beside the path: those of PyPI are in the folder of Python itself."""
    comes: str = "pip install -r requirements-dev.lock"


DEBIAN = ".ci/packages"
PROXIES = {
    "nginx": Proxy(("nginx.conf",), ("-p", ".", "-c"), folder="/usr/sbin", comes=DEBIAN),
    "caddy": Proxy(
        ("Caddyfile",),
        ("run", "--adapter", "caddyfile", "--config"),
        folder="/usr/bin",
        comes=DEBIAN,
    ),
    "traefik": Proxy(("traefik-static.yaml", "traefik.yaml"), ("--configFile",)),
    "envoy": Proxy(("envoy.yaml",), ("--disable-hot-restart", "--concurrency", "1", "-c"), "path"),
}
PORTS = (8081, 8082, 8083, 8084)


def program(name: str) -> str:
    """Where the proxy is; the tests that need it are skipped loudly without."""
    proxy = PROXIES[name]
    found = shutil.which(name, path=f"{proxy.folder}:{os.environ.get('PATH', '')}")
    if found is None:
        pytest.skip(f"NO {name.upper()} ({proxy.comes}); forward-auth is not tested with it")
    return found


def place(folder: Path, told: str = "headers", **more: str) -> Place:
    """The service with its facts, and the routes by which proxies ask."""
    forward = f'\n[forward_auth]\ntold = "{told}"\ntoken = "proxy-token"\n'
    (folder / "proxy-token").write_text(TOKEN)
    routes = site.write(folder, site.IDENTITY + forward + site.ROUTES.replace(site.SHAPE, ""))
    made = Place(folder, ROOT / "policies" / "school", forward_auth=str(routes), **more)
    made.authz("db", "upgrade")
    facts = folder / "facts.jsonl"
    facts.write_text("\n".join(json.dumps(fact) for fact in FACTS))
    made.authz("import", "facts", facts)
    return made


@contextmanager
def running(name: str, folder: Path, authz: int, upstream: Address) -> Iterator[Address]:
    """That proxy with the files of the how-to, but for ports, secret, and patience."""
    proxy, command, port = PROXIES[name], program(name), free_port()
    there = {"8080": authz, "9000": upstream[1], **dict.fromkeys(map(str, PORTS), port)}
    for file in proxy.files:
        text = (FILES / file).read_text("utf-8")
        text = re.sub(rf"(?<=[: ])({'|'.join(there)})\b", lambda said: str(there[said[1]]), text)
        text = re.sub(r"(?<= )\ds\b", f"{PATIENCE:.0f}s", text)
        text = text.replace(f"a-secret-that-{name}-and-authz-share", TOKEN)
        (folder / file).write_text(text)
    (folder / "proxy-token.conf").write_text(f'proxy_set_header X-Authz-Proxy-Token "{TOKEN}";\n')
    more = {"AUTHZ_PROXY_TOKEN": TOKEN, "HOME": str(folder)}
    line = [command, *proxy.arguments, str(folder / proxy.files[0])]
    with process(line, folder, more) as started:
        site.listening(port, started)
        until(lambda: _answers(port))
        yield HOST, port


def _answers(port: int) -> bool:
    """Whether the front page, which is public, comes: Traefik listens before it has its routes."""
    connection = HTTPConnection(HOST, port, timeout=PATIENCE)
    try:
        connection.request("GET", "/")
        return connection.getresponse().status == HTTPStatus.OK
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


@contextmanager
def process(
    command: list[str], folder: Path, more: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs in that folder; gone afterwards with all that it started."""
    with (folder / "log").open("wb") as file:
        started = subprocess.Popen(
            command,
            cwd=folder,
            stdout=file,
            stderr=file,
            env={**os.environ, **more},
            start_new_session=True,
        )
    try:
        yield started
    finally:
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
