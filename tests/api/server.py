"""The service as an operator runs it: the command line, a server process, real HTTP."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.commands import run
from tests.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Place:
    """A database, keys and a policy in one folder, reached by the ``authz`` command."""

    def __init__(self, folder: Path, policy: Path, database_url: str = "", **more: str) -> None:
        self.folder = folder
        self.database_url = database_url or f"sqlite:///{folder / 'authz.db'}"
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("AUTHZ_")},
            "AUTHZ_DATABASE_URL": self.database_url,
            "AUTHZ_KEY_FOLDER": str(folder / "keys"),
            "AUTHZ_AUDIT_FOLDER": str(folder / "audit"),
            "AUTHZ_POLICY": str(policy),
            **{f"AUTHZ_{name.upper()}": value for name, value in more.items()},
        }
        self.policy = policy

    def authz(self, *arguments: str | Path) -> str:
        """What the command prints; it must succeed."""
        return self._told(run(*arguments, environment=self.environment, folder=ROOT))

    def apart(self, *arguments: str | Path) -> str:
        """The same by a process of its own, which remembers nothing of the one before."""
        done = subprocess.run(
            [sys.executable, "-m", "authz.cli", *arguments],
            cwd=ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        return self._told(done)

    def _told(self, done: subprocess.CompletedProcess[str]) -> str:
        assert done.returncode == 0, done.stderr
        return done.stdout

    def token(self, *scopes: str) -> str:
        """A token of these scopes, or of what the command gives by default, ``pdp``."""
        words = [word for scope in scopes for word in ("--scope", scope)]
        return self.authz("token", "create", "--client", "tests", "--ttl", "1h", *words).strip()

    @contextmanager
    def serving(
        self,
        workers: int = 1,
        *,
        tls: tuple[Path, Path] | None = None,
        within: Sequence[str] = (),
    ) -> Iterator[Server]:
        """A server that is ready; it and its workers are gone afterwards.

        ``within`` is a command that runs another one, as itself.
        """
        port = free_port()
        options = ["--host", HOST, "--port", str(port), "--workers", str(workers)]
        if tls:
            options += ["--tls-cert", str(tls[0]), "--tls-key", str(tls[1])]
        command = [sys.executable, "-m", "authz.cli", "serve", "--policy", str(self.policy)]
        log = self.folder / f"server-{port}.log"
        with log.open("wb") as file:
            process = subprocess.Popen(
                [*within, *command, *options],
                cwd=ROOT,
                env=self.environment,
                stdout=file,
                stderr=file,
                start_new_session=True,
            )
        trusted = ssl.create_default_context(cafile=tls[0]) if tls else None
        server = Server(port, process, log, trusted=trusted)
        try:
            server.wait()
            yield server
        finally:
            server.kill()


@dataclass
class Server:
    """A running server, and how to talk to it."""

    port: int
    process: subprocess.Popen[bytes]
    log: Path
    token: str = ""
    trusted: ssl.SSLContext | None = None

    def wait(self) -> None:
        last = time.monotonic() + PATIENCE
        while time.monotonic() < last and self.process.poll() is None:
            try:
                if self.ask("GET", "/readyz").status == 200:
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise RuntimeError(f"the server did not start:\n{self.log.read_text()}")

    def kill(self) -> None:
        """End the server's whole process group at once, as a power cut would."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def connect(self) -> http.client.HTTPConnection:
        if self.trusted:
            return http.client.HTTPSConnection(HOST, self.port, timeout=30, context=self.trusted)
        return http.client.HTTPConnection(HOST, self.port, timeout=30)

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str | None
    ) -> Answer:
        """One exchange on a connection of its own; ``x_request_id="…"`` is a header."""
        connection = self.connect()
        try:
            return exchange(connection, method, path, body, self._headers(headers))
        finally:
            connection.close()

    def post(self, path: str, document: object, **headers: str | None) -> Answer:
        sent: dict[str, str | None] = {"content_type": "application/json"}
        return self.ask("POST", path, json.dumps(document).encode(), **{**sent, **headers})

    def _headers(self, given: Mapping[str, str | None]) -> dict[str, str]:
        own: dict[str, str | None] = {
            "authorization": f"Bearer {self.token}" if self.token else None
        }
        named = {name.replace("_", "-"): value for name, value in {**own, **given}.items()}
        return {name: value for name, value in named.items() if value is not None}


def exchange(
    connection: http.client.HTTPConnection,
    method: str,
    path: str,
    body: bytes | None,
    headers: Mapping[str, str],
) -> Answer:
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    found = {name.lower(): value for name, value in response.getheaders()}
    return Answer(response.status, found, response.read())


def free_port() -> int:
    """A port that nobody else is given while this process runs, and that refuses who connects.

    A socket that does not listen keeps it for the server that will; both share the address.
    """
    keeping = socket.socket()
    keeping.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeping.bind((HOST, 0))
    port = int(keeping.getsockname()[1])
    keeping.detach()  # kept open to the end
    return port
