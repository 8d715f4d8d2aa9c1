"""What the tests of failing servers share: clients that ask without end, and the processes."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event

from tests.api.conftest import EVALUATION
from tests.api.server import Server, exchange
from tests.waiting import PATIENCE, until

LISTENS = "0A"
"""The state of a socket in /proc/net/tcp."""


class Load:
    """Clients that ask until they are stopped or refused, and what each of them heard."""

    def __init__(self, server: Server, clients: int) -> None:
        self.server = server
        self.stop = Event()
        self.heard: list[dict[str, bool]] = [{} for _ in range(clients)]
        self.cut: list[str] = []
        self.clients: list[Future[None]] = []

    def enough(self, answers: int) -> None:
        """Return when each client has so many answers more."""
        wanted = [len(each) + answers for each in self.heard]
        until(lambda: self._left() or all(len(h) >= n for h, n in self._compared(wanted)))
        assert not self._left(), [client.exception() for client in self._left()]

    def ended(self) -> None:
        """Return when each client was refused."""
        for client in self.clients:
            client.result(PATIENCE)

    def received(self) -> dict[str, bool]:
        """The answers that arrived whole, by request id; none of them was cut off."""
        found = {name: answer for each in self.heard for name, answer in each.items()}
        assert not found.keys() & set(self.cut)
        return found

    def ask(self, client: int) -> None:
        """A connection is ``cut`` with the worker that held it; the next is another's."""
        connection, heard, number = self.server.connect(), self.heard[client], 0
        while not self.stop.is_set():
            name, number = f"client-{client}-{number}", number + 1
            try:
                heard[name] = self._answer(connection, name, ("alice", "bob")[number % 2])
            except ConnectionRefusedError:
                break
            except (OSError, http.client.HTTPException):
                self.cut.append(name)
                connection.close()
        connection.close()

    def _answer(self, connection: http.client.HTTPConnection, name: str, subject: str) -> bool:
        body = {
            "subject": {"type": "user", "id": subject},
            "action": {"name": "write"},
            "resource": {"type": "record", "id": "record-1"},
        }
        headers = {
            "Authorization": f"Bearer {self.server.token}",
            "Content-Type": "application/json",
            "X-Request-ID": name,
        }
        answer = exchange(connection, "POST", EVALUATION, json.dumps(body).encode(), headers)
        assert answer.status == 200, answer.body
        return bool(answer.json["decision"])

    def _compared(self, wanted: list[int]) -> Iterator[tuple[dict[str, bool], int]]:
        return zip(self.heard, wanted, strict=True)

    def _left(self) -> list[Future[None]]:
        """Who asks no more: it was refused, or what it was answered is wrong."""
        return [client for client in self.clients if client.done()]


@contextmanager
def loaded(server: Server, clients: int) -> Iterator[Load]:
    """So many clients ask meanwhile; afterwards all of them have ended."""
    load = Load(server, clients)
    with ThreadPoolExecutor(clients) as pool:
        load.clients = [pool.submit(load.ask, client) for client in range(clients)]
        try:
            yield load
        finally:
            load.stop.set()
    load.ended()


def listening(server: Server) -> int:
    """How many workers take connections: one that is there may not be so far (proc_net_tcp(5))."""
    found = [line.split()[1:4] for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    port = f":{server.port:04X}"
    return sum(local.endswith(port) and state == LISTENS for local, _, state in found)


def workers(server: Server) -> list[int]:
    """The processes that answer."""
    return [pid for pid, words in _children(server.process.pid).items() if " serve " in words]


def keepers(server: Server) -> list[int]:
    """The process that keeps, if it is there."""
    return [pid for pid, words in _children(server.process.pid).items() if " keep " in words]


def busiest_first(server: Server, count: int) -> list[int]:
    """So many workers, or none: with clients enough, somebody is connected to the first."""
    found = workers(server)
    return sorted(found, key=_sockets, reverse=True) if len(found) == count else []


def has_ended(process: int) -> bool:
    """Whether it runs no more; whoever must bury it may not have done so yet."""
    try:
        return _status(process)[0] == "Z"
    except OSError:
        return True


def _status(process: int) -> list[str]:
    """What follows the name: the state, the parent's number and more (proc(5))."""
    return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()


def _children(process: int) -> dict[int, str]:
    """The child processes and their command lines."""
    found = {}
    for path in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it has ended meanwhile
            words = (path / "cmdline").read_text().replace("\0", " ")
            if int(_status(int(path.name))[1]) == process:
                found[int(path.name)] = words
    return found


def _sockets(process: int) -> int:
    """How many it has open: of workers that are alike, who has most has somebody connected."""
    found = 0
    for file in Path(f"/proc/{process}/fd").iterdir():
        with suppress(FileNotFoundError):  # a file that it closed meanwhile
            found += str(file.readlink()).startswith("socket:")
    return found
