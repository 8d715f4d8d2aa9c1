"""Connections to one upstream, kept open and used again.

The standard library's HTTP client, since it costs a request half of what others do
(docs/decisions/gateway-proxy.md); what it lacks for that is a place for connections that wait.
It follows no redirect, decodes nothing, and sends a path as it is given.
"""

from __future__ import annotations

import select
import ssl
import struct
from collections import deque
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from socket import SO_RCVTIMEO, SO_SNDTIMEO, SOL_SOCKET, socket
from typing import Final
from urllib.parse import urlsplit

from authz.errors import UpstreamError, UpstreamTimeoutError
from authz.middleware.gateway.reader import Reader

AGAIN: Final = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that may be sent once more where a connection that waited turns out to be closed."""


class Connection:
    """One connection to an upstream, and what came on it."""

    __slots__ = ("_poll", "reader", "sock")

    def __init__(self, sock: socket) -> None:
        self.sock = sock
        self.reader = Reader(sock)
        self._poll = select.poll()
        self._poll.register(sock, select.POLLIN)

    @property
    def quiet(self) -> bool:
        """Whether nothing came that is not read: neither the end nor an answer nobody asked for."""
        if not self.reader.empty or self._poll.poll(0):
            return False
        return not (isinstance(self.sock, ssl.SSLSocket) and self.sock.pending())

    def close(self) -> None:
        """Let go of it."""
        self.sock.close()


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
        self._waiting: deque[Connection] = deque()

    def take(self) -> tuple[Connection, bool]:
        """A connection, and whether it was used before."""
        while self._waiting:
            try:
                found = self._waiting.pop()
            except IndexError:  # another thread took it
                break
            if found.quiet:
                return found, True
            found.close()
        return self.fresh(), False

    def give(self, connection: Connection) -> None:
        """Keep the connection, unless more came on it than was to be read."""
        if len(self._waiting) < self._kept and connection.reader.empty:
            self._waiting.append(connection)
        else:
            connection.close()

    def close(self) -> None:
        """Close what waits."""
        while self._waiting:
            self._waiting.pop().close()

    def fresh(self) -> Connection:
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
        self._patient(made.sock)
        return Connection(made.sock)

    def _patient(self, sock: socket) -> None:
        """From now on it is waited for as long as an upstream may be silent.

        Python's own timeouts ask before each call whether the socket is ready, so that each wakes
        another thread for nothing; TLS knows no other.
        """
        if self._tls is not None:
            sock.settimeout(self._read)
            return
        sock.settimeout(None)
        microseconds = max(1, round(self._read * 1_000_000))
        longest = struct.pack("@ll", *divmod(microseconds, 1_000_000))
        sock.setsockopt(SOL_SOCKET, SO_RCVTIMEO, longest)
        sock.setsockopt(SOL_SOCKET, SO_SNDTIMEO, longest)


def failed(error: Exception) -> UpstreamError:
    """What a fault of the upstream is told as."""
    if isinstance(error, (TimeoutError, BlockingIOError)):
        return UpstreamTimeoutError("The upstream does not answer in time.")
    return UpstreamError("The upstream's answer is none.")
