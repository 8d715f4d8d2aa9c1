"""Connections to one upstream, kept open and used again.

The standard library's HTTP client, since it costs a request half of what others do
(docs/decisions/gateway-proxy.md); what it lacks for that is a place for connections that wait.
It follows no redirect, decodes nothing, and sends a path as it is given.
"""

from __future__ import annotations

import select
import ssl
from collections import deque
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from authz.errors import UpstreamError, UpstreamTimeoutError

AGAIN: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that may be sent once more where a connection that waited turns out to be closed."""


class Pool:
    """At most so many connections wait; there are as many as there are requests."""

    def __init__(
        self, url: str, *, connect: float, read: float, kept: int, ca: Path | None
    ) -> None:
        parts = urlsplit(url)
        self.host = parts.netloc
        self._address = (parts.hostname or "", parts.port)
        self._tls = ssl.create_default_context(cafile=ca) if parts.scheme == "https" else None
        self._connect, self._read, self._kept = connect, read, kept
        self._waiting: deque[HTTPConnection] = deque()

    def take(self) -> tuple[HTTPConnection, bool]:
        """A connection, and whether it was used before."""
        while self._waiting:
            try:
                found = self._waiting.pop()
            except IndexError:  # another thread took it
                break
            if _quiet(found):
                return found, True
            found.close()
        return self.fresh(), False

    def give(self, connection: HTTPConnection) -> None:
        """Keep the connection, of which everything that came was read."""
        if len(self._waiting) < self._kept and connection.sock is not None:
            self._waiting.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close what waits."""
        while self._waiting:
            self._waiting.pop().close()

    def fresh(self) -> HTTPConnection:
        """A new connection; UpstreamError where there is none to be had."""
        host, port = self._address
        made: HTTPConnection
        if self._tls is not None:
            made = HTTPSConnection(host, port, timeout=self._connect, context=self._tls)
        else:
            made = HTTPConnection(host, port, timeout=self._connect)
        try:
            made.connect()
        except TimeoutError as error:
            raise UpstreamTimeoutError("The upstream takes no connection in time.") from error
        except (OSError, HTTPException) as error:
            raise UpstreamError("The upstream takes no connection.") from error
        made.sock.settimeout(self._read)
        return made


def _quiet(connection: HTTPConnection) -> bool:
    """Whether nothing has come on a connection that waits: neither its end nor an answer."""
    sock = connection.sock
    if sock is None:
        return False
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return not poll.poll(0)


def failed(error: Exception) -> UpstreamError:
    """What a fault of the upstream is told as."""
    if isinstance(error, TimeoutError):
        return UpstreamTimeoutError("The upstream does not answer in time.")
    return UpstreamError("The upstream's answer is none.")
