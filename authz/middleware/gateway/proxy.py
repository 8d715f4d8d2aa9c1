"""One exchange with an upstream: what was matched is sent, and what comes back is not believed.

An answer is handed on as it comes only where nothing in it is limited. It is cut off, and never
ended as if it were whole, where the upstream breaks off.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException

from authz import clock
from authz.errors import ObligationError, UpstreamError, UpstreamTimeoutError
from authz.middleware.gateway.head import StrictResponse
from authz.middleware.gateway.pool import AGAIN, Connection, Pool, failed
from authz.middleware.gateway.reader import PIECE

SWITCHING, OK, NO_CONTENT, PARTIAL, NOT_MODIFIED = 101, 200, 204, 206, 304
Body = bytes | Iterable[bytes]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """The request as the upstream gets it; ``length`` is that of its body, if it has one."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: Body = b""
    length: int | None = None


class Incoming:
    """What an upstream answered; its body is still to be read, or :meth:`drop`-ped."""

    def __init__(self, pool: Pool, connection: Connection, response: StrictResponse) -> None:
        self._pool, self._connection, self._response = pool, connection, response
        self.status = response.status
        self.headers = response.getheaders()
        self.type = response.joined("content-type", "")
        self.encoding = response.joined("content-encoding", "identity")
        self.length = response.length
        self.declared = response.joined("content-length", "0")

    @property
    def bodiless(self) -> bool:
        """Whether no body comes, by the method or the status (RFC 9112, 6.3)."""
        return self.length == 0

    def whole(self, limit: int, seconds: float) -> bytes:
        """The body; ObligationError above the limit, UpstreamError where it breaks off."""
        until, pieces, size = clock.monotonic() + seconds, [], 0
        for piece in self.pieces():
            size += len(piece)
            if size > limit:
                self.drop()
                raise ObligationError("The body is too large to be filtered.")
            if clock.monotonic() > until:
                self.drop()
                raise UpstreamTimeoutError("The upstream does not finish in time.")
            pieces.append(piece)
        return b"".join(pieces)

    def pieces(self) -> Iterator[bytes]:
        """The body in pieces as they come; UpstreamError where it breaks off."""
        done = False
        try:
            while piece := self._response.read1(PIECE):
                yield piece
            if self._response.length:
                raise UpstreamError("The upstream breaks off.")
            done = True
        except (OSError, HTTPException, ValueError) as error:
            raise failed(error) from error
        finally:
            if done and not self._response.will_close:
                self._response.close()
                self._pool.give(self._connection)
            else:
                self.drop()

    def drop(self) -> None:
        """Let go of the connection, of which something may still come."""
        self._response.close()
        self._connection.close()


def send(pool: Pool, out: Outgoing) -> Incoming:
    """Send it and wait for the answer's head; UpstreamError (502) or its timeout (504).

    What waited may have been closed meanwhile: a request that changes nothing is then sent once
    more, on a new connection. Anything else is told as a failure, since it may have been done.
    """
    connection, used = pool.take()
    try:
        return _once(pool, connection, out)
    except UpstreamTimeoutError:
        raise
    except UpstreamError:
        if not used or out.method not in AGAIN or out.length is not None:
            raise
    return _once(pool, pool.fresh(), out)


def _once(pool: Pool, connection: Connection, out: Outgoing) -> Incoming:
    try:
        _write(connection, pool.host, out)
        response = StrictResponse(connection.reader, method=out.method)
        response.begin()
    except (OSError, HTTPException, ValueError) as error:
        connection.close()
        raise failed(error) from error
    except BaseException:
        connection.close()
        raise
    if response.status == SWITCHING:
        response.close()
        connection.close()
        raise UpstreamError("The upstream's answer is none.")
    return Incoming(pool, connection, response)


def _write(connection: Connection, host: str, out: Outgoing) -> None:
    """The request, its head in one piece; ValueError where that would be more than one head.

    The library writes a head line by line, which costs a request more than anything else here.
    """
    lines = [f"{out.method} {out.target} HTTP/1.1", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in out.headers.items()]
    if out.length is not None:
        lines.append(f"Content-Length: {out.length}")
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    if head.count(b"\n") != len(lines) + 1 or head.count(b"\r") != len(lines) + 1:
        raise ValueError("a line of the head is two")
    if isinstance(out.body, bytes):
        connection.sock.sendall(head + out.body)
        return
    connection.sock.sendall(head)
    for piece in out.body:
        connection.sock.sendall(piece)
