"""A PostgreSQL server for tests: started from the local binaries, or one that is given."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import LiteralString, Self

import psycopg
from psycopg import sql
from sqlalchemy import URL, Engine, make_url, text

from tests.waiting import PATIENCE, until

MEMORY = Path("/dev/shm")  # noqa: S108 (a private folder in it, as mkdtemp makes it)
ROOM = 2 << 30
"""Free bytes of memory above which a server that forces nothing to disk lives there."""
FILE_COPY = 150000
"""The first version that is told how to copy a database."""
OTHERS = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = {} AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'"
)
_numbers = count()


def find_binaries() -> Path | None:
    """The folder of ``initdb`` and ``postgres``, the newest of Debian's if not on PATH."""
    debian = Path("/usr/lib/postgresql").glob("*/bin/postgres")
    found = sorted(debian, key=lambda path: float(path.parts[-3]), reverse=True)
    on_path = shutil.which("postgres")
    everywhere = [*found, *([Path(on_path).resolve()] if on_path else [])]
    return next((path.parent for path in everywhere if (path.parent / "initdb").exists()), None)


class Postgres:
    """A server that is running, and databases copied from one template."""

    def __init__(
        self, url: str, process: subprocess.Popen[bytes] | None = None, folder: Path | None = None
    ) -> None:
        self.url: URL = make_url(url).set(drivername="postgresql+psycopg")
        self.process = process
        self.folder = folder
        self.template = ""
        self.copying = ""
        self.run: Callable[[], subprocess.Popen[bytes]] = _nothing_to_run

    @classmethod
    def start(cls, binaries: Path, *, fsync: bool) -> Self:
        """A new cluster in a private folder, reached by a socket there and by nothing else."""
        memory = not fsync and _room_in_memory()
        folder = Path(tempfile.mkdtemp(prefix="authz-pg-", dir=MEMORY if memory else None))
        user = _unprivileged()
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data = str(folder / "data")
        init: list[str | Path] = [binaries / "initdb", "-D", data, "-U", "authz", "-A", "trust"]
        _spawn([*init, "-E", "UTF8", "--locale=C", "--no-sync"], folder, user).wait()
        safe = "on" if fsync else "off"
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(folder),
            "fsync": safe,
            "synchronous_commit": safe,
            "full_page_writes": safe,
            "max_connections": "200",
        }
        switches = [word for name, value in options.items() for word in ("-c", f"{name}={value}")]
        server = cls(f"postgresql://authz@/postgres?host={folder}", folder=folder)
        command: list[str | Path] = [binaries / "postgres", "-D", data, *switches]
        server.run = lambda: _spawn(command, folder, user)
        server.resume()
        # In memory files are copied for less than the log costs that a copy by pages writes.
        server.copying = " STRATEGY FILE_COPY" if memory and server.version() >= FILE_COPY else ""
        return server

    def halt(self) -> None:
        """Stop at once, as when the machine is gone; the data stay."""
        if self.process:
            self.process.send_signal(signal.SIGQUIT)
            self.process.wait()

    def resume(self) -> None:
        """Run, again if it was halted."""
        self.process = self.run()
        self.wait()

    def wait(self) -> None:
        """Return when the server answers; with its log if it does not."""
        last = time.monotonic() + PATIENCE
        while True:
            try:
                return psycopg.connect(self._conninfo(), connect_timeout=5).close()
            except psycopg.OperationalError:
                dead = self.process is not None and self.process.poll() is not None
                if dead or time.monotonic() > last:
                    log = (self.folder / "log").read_text() if self.folder else ""
                    raise RuntimeError(f"PostgreSQL did not start:\n{log}") from None
                time.sleep(0.05)

    def make_template(self, name: str, migrate: Callable[[str], None]) -> None:
        """A migrated database that each test gets a copy of."""
        self._run("CREATE DATABASE {}", name)
        self.template = name
        migrate(self._address(name))
        until(lambda: not self._connected(name))  # who is just leaving keeps it from being copied

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of a database of its own, dropped afterwards."""
        name = f"{self.template}_{next(_numbers)}"
        self._run("CREATE DATABASE {} TEMPLATE {}" + self.copying, name, self.template)
        try:
            yield self._address(name)
        finally:
            self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", name)

    def stop(self) -> None:
        """Leave nothing behind."""
        if self.template:
            self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.template)
        self.halt()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)

    def version(self) -> int:
        """Of the server, as 150018 for 15.18."""
        with psycopg.connect(self._conninfo()) as connection:
            return connection.info.server_version

    def _address(self, name: str) -> str:
        return self.url.set(database=name).render_as_string(hide_password=False)

    def _conninfo(self) -> str:
        plain = self.url.set(drivername="postgresql")
        return plain.render_as_string(hide_password=False)

    def _connected(self, name: str) -> int:
        with psycopg.connect(self._conninfo()) as connection:
            row = connection.execute(sql.SQL(OTHERS).format(name)).fetchone()
        return int(row[0]) if row else 0

    def _run(self, statement: LiteralString, *names: str) -> None:
        query = sql.SQL(statement).format(*map(sql.Identifier, names))
        with psycopg.connect(self._conninfo(), autocommit=True) as connection:
            connection.execute(query)


def settled(store: Engine) -> None:
    """Return when nobody else is in the database.

    What a process asked of PostgreSQL before it was killed is done after its death, or undone.
    """
    if store.dialect.name == "postgresql":
        store.dispose()
        until(lambda: not _others(store))


def _others(store: Engine) -> int:
    with store.connect() as connection:
        return int(connection.scalar(text(OTHERS.format("current_database()"))) or 0)


def _room_in_memory() -> bool:
    """Whether a folder in memory can be had, with room for servers of several workers."""
    return MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM


def _nothing_to_run() -> subprocess.Popen[bytes]:
    raise RuntimeError("a server that was given is not ours to start")


def _unprivileged() -> pwd.struct_passwd | None:
    """Who runs the server: ourselves, but PostgreSQL refuses root, so then somebody else."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name: entry for entry in pwd.getpwall()}
    return names.get("postgres") or names["nobody"]


def _spawn(
    command: list[str | Path], folder: Path, user: pwd.struct_passwd | None
) -> subprocess.Popen[bytes]:
    # A test run that is killed takes its server along, where the machine can arrange that.
    setpriv = shutil.which("setpriv")
    dying: list[str | Path] = [setpriv, "--pdeathsig", "QUIT"] if setpriv else []
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [*dying, *command],
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
