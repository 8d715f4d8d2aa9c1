"""nginx and Caddy as the how-to configures them, before the site of the bypass table."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.api.server import HOST, ROOT, Place, free_port
from tests.gateway import site
from tests.middleware.bypass import Address
from tests.middleware.site import KID, MUM, OTHER

FILES = ROOT / "docs" / "how-to" / "proxies"
TOKEN = "a-secret-that-the-proxy-and-authz-share"
FACTS = [
    *({"fact": "person", "id": name} for name in (MUM, OTHER, "head")),
    {"fact": "person", "id": KID, "birth_date": "2015-05-05"},
    {"fact": "guardianship", "guardian": MUM, "student": KID, "kind": "parent"},
]
"""The mother may read the child's results, and nobody may read the other's."""
FOLDERS = {"nginx": "/usr/sbin", "caddy": "/usr/bin"}


def program(name: str) -> str:
    """Where the proxy is; the tests that need it are skipped loudly without."""
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{FOLDERS[name]}")
    if found is None:
        pytest.skip(f"NO {name.upper()}: install it (.ci/packages); forward-auth is not tested")
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
    """That proxy with the file of the how-to, but for the ports."""
    command = program(name)
    port = free_port()
    file = {"nginx": "nginx.conf", "caddy": "Caddyfile"}[name]
    text = (FILES / file).read_text("utf-8")
    for said, there in {8080: authz, 9000: upstream[1], 8081: port, 8082: port}.items():
        text = text.replace(f":{said}", f":{there}")
    (folder / file).write_text(text)
    (folder / "proxy-token.conf").write_text(f'proxy_set_header X-Authz-Proxy-Token "{TOKEN}";\n')
    commands = {
        "nginx": [command, "-p", str(folder), "-c", str(folder / file)],
        "caddy": [command, "run", "--config", str(folder / file), "--adapter", "caddyfile"],
    }
    more = {"AUTHZ_PROXY_TOKEN": TOKEN, "HOME": str(folder)}
    with process(commands[name], folder / f"{name}.log", more) as started:
        site.listening(port, started)
        yield HOST, port


@contextmanager
def process(
    command: list[str], log: Path, more: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    """A program that runs; gone afterwards with all that it started."""
    with log.open("wb") as file:
        started = subprocess.Popen(
            command, stdout=file, stderr=file, env={**os.environ, **more}, start_new_session=True
        )
    try:
        yield started
    finally:
        if started.poll() is None:
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()
