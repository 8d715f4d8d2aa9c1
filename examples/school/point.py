"""A decision point for the examples, with a small school in it, in a folder of its own."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

from authz.cli import cli
from authz.middleware import Options, Patience

ROOT = Path(__file__).parents[2]
HOST = "127.0.0.1"
IDENTIFIER = "https://pdp.example.test"
"""The name of the decision point; the examples reach it without TLS, as it is on this machine."""
MAJORITY = 20
START_SECONDS = 60
PATIENT = Options(Patience(30, 30, 30))
"""A story waits for a machine that is busy; a site that people use does not wait that long."""
TOLD_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True)
class School:
    """A running decision point: where it is, and what the sites call it with."""

    folder: Path
    address: str
    token: str

    def record(self, *facts: dict[str, Any]) -> None:
        """Put facts on file; they count from the next decision on."""
        lines = "".join(json.dumps(fact) + "\n" for fact in facts)
        path = self.folder / "facts.jsonl"
        path.write_text(lines, encoding="utf-8")
        _authz(self.folder, "import", "facts", str(path))

    def birthday(self) -> None:
        """Mali turns 20 today. Nobody can wait for that, so her birth date is put right."""
        self.record({"fact": "person", "id": "mali", "birth_date": str(born(turning_in_days=0))})


@contextmanager
def school(folder: Path, **settings: str) -> Iterator[School]:
    """A decision point over Mali, who turns 20 tomorrow, her mother, and another child.

    ``settings`` are further ones of the service, such as ``AUTHZ_FORWARD_AUTH``.
    """
    _authz(folder, "db", "upgrade")
    token = _authz(folder, "token", "create", "--client", "results", "--ttl", "1h").strip()
    port = free_port()
    made = School(folder, f"http://{HOST}:{port}", token)
    made.record(
        {"fact": "person", "id": "mali", "given_name": "มะลิ", "family_name": "ใจดี",
         "birth_date": str(born(turning_in_days=1, later=TOLD_WITHIN))},
        {"fact": "person", "id": "wanida", "given_name": "วนิดา", "family_name": "ใจดี"},
        {"fact": "person", "id": "somchai", "given_name": "สมชาย", "family_name": "อื่น",
         "birth_date": str(born(turning_in_days=2000))},
        {"fact": "guardianship", "guardian": "wanida", "student": "mali", "kind": "parent"},
    )  # fmt: skip
    command = [sys.executable, "-m", "authz.cli", "serve", "--host", HOST, "--port", str(port)]
    with (folder / "point.log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env={**_environment(folder), **settings}, stdout=log, stderr=log
        )
    try:
        wait_for(f"{made.address}/readyz", process)
        yield made
    finally:
        process.terminate()
        process.wait()


def born(*, turning_in_days: int, later: timedelta = timedelta()) -> date:
    """The birth date of who turns 20 in so many days, by the school's own calendar.

    They are counted from so much later, as midnight may come while a story is told.
    """
    now = datetime.now(ZoneInfo("Asia/Bangkok")) + later
    day = now.date() + timedelta(days=turning_in_days)
    try:
        return day.replace(year=day.year - MAJORITY)
    except ValueError:  # there is no 29 February in that year
        return day.replace(year=day.year - MAJORITY, day=28)


def wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    """Until it answers; RuntimeError where it does not."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):  # noqa: S310 (an address of our own)
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError(f"{url} did not start")


def free_port() -> int:
    """A port that nothing listens on, kept for the server that will: both share the address."""
    keeping = socket.socket()
    keeping.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    keeping.bind((HOST, 0))
    port = int(keeping.getsockname()[1])
    keeping.detach()  # or something else might be given it before the server has begun
    return port


def _authz(folder: Path, *arguments: str) -> str:
    """What the command prints; run in this process, which is quicker than in one of its own."""
    said = StringIO()
    with patch.dict(os.environ, _environment(folder), clear=True), redirect_stdout(said):
        cli.main(list(arguments), standalone_mode=False)
    return said.getvalue()


def _environment(folder: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("AUTHZ_")},
        "PYTHONPATH": str(ROOT),
        "AUTHZ_DATABASE_URL": f"sqlite:///{folder / 'school.db'}",
        "AUTHZ_KEY_FOLDER": str(folder / "keys"),
        "AUTHZ_PUBLIC_URL": IDENTIFIER,
    }
