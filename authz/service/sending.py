"""Sends one message to a receiver: where it may go, and for how long (N-49, E-06).

The name is looked up once, each address is judged, and the connection goes to the address
that was judged: a name that answers otherwise a moment later changes nothing. Redirects are
not followed, proxies of the environment not used. What the receiver says is looked at for
its status and how long to wait, no more.
"""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Mapping
from contextlib import suppress
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from authz.errors import AuthzError

_READ: Final = 64 * 1024


class UndeliveredError(AuthzError):
    """The receiver did not take the message; ``wait`` is how many seconds it asked for."""

    def __init__(self, message: str, *, status: int = 0, wait: float = 0) -> None:
        super().__init__(message)
        self.status = status
        self.wait = wait


class Way(NamedTuple):
    """How a receiver is reached; ``seconds`` are for all of it, from the look-up to the answer."""

    url: str
    seconds: float = 10
    private: bool = False
    ca: Path | None = None


def post(way: Way, body: bytes, headers: Mapping[str, str]) -> bytes:
    """The beginning of the answer of a receiver that took it; else UndeliveredError."""
    try:
        connection = _connection(way)
    except (OSError, ValueError) as error:
        raise UndeliveredError(f"It is not reached ({_kind(error)}).") from error
    ended = threading.Event()

    def end() -> None:
        ended.set()
        with suppress(OSError, AttributeError):
            connection.sock.shutdown(socket.SHUT_RDWR)

    watchdog = threading.Timer(way.seconds, end)
    watchdog.daemon = True
    watchdog.start()
    try:
        parts = urlsplit(way.url)
        path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        connection.request("POST", path, body, dict(headers))
        answer = connection.getresponse()
        content = answer.read(_READ)
    except (OSError, http.client.HTTPException) as error:
        why = "it takes too long" if ended.is_set() else _kind(error)
        raise UndeliveredError(f"It does not answer ({why}).") from error
    finally:
        watchdog.cancel()
        connection.close()
    _judge(answer)
    return content


def _judge(answer: http.client.HTTPResponse) -> None:
    status = answer.status
    if status // 100 == HTTPStatus.OK // 100:
        return
    asked = answer.getheader("Retry-After", "")
    wait = float(asked) if asked.isascii() and asked.isdigit() and len(asked) < len("10000") else 0
    redirects = status // 100 == HTTPStatus.MULTIPLE_CHOICES // 100
    what = "It redirects, which is not followed" if redirects else "It refuses"
    raise UndeliveredError(f"{what} ({status}).", status=status, wait=wait)


def _connection(way: Way) -> http.client.HTTPConnection:
    """A connection that is open, to an address that is allowed."""
    parts = urlsplit(way.url)
    secure = parts.scheme == "https"
    host, port = parts.hostname or "", parts.port or (443 if secure else 80)
    plain = _reached(host, port, way, secure=secure)
    connection = http.client.HTTPConnection(host, port, timeout=way.seconds)
    connection.sock = plain
    if secure:
        context = ssl.create_default_context(cafile=way.ca)
        try:
            connection.sock = context.wrap_socket(plain, server_hostname=host)
        except BaseException:
            plain.close()
            raise
    return connection


def _reached(host: str, port: int, way: Way, *, secure: bool) -> socket.socket:
    last: OSError = OSError("no address")
    for kind, how, number, _, address in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        if not allowed(str(address[0]), private=way.private, secure=secure):
            last = ForbiddenAddressError("it has an address that is not allowed")
            continue
        found = socket.socket(kind, how, number)
        found.settimeout(way.seconds)
        try:
            found.connect(address)
        except OSError as error:
            found.close()
            last = error
        else:
            return found
    raise last


class ForbiddenAddressError(OSError):
    """The name leads to an address where nothing may be sent."""


def allowed(text: str, *, private: bool, secure: bool) -> bool:
    """Whether a message may go there.

    Without TLS only to this machine. To this machine always; to addresses of private
    networks where the receiver is said to have one; never to link-local ones, where clouds
    keep credentials, nor to any that is no single machine's.
    """
    address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if address.is_loopback:
        return True
    if not secure or address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    return address.is_global or (private and address.is_private)


def _kind(error: BaseException) -> str:
    """What went wrong, by its kind: an address or what somebody answered is not repeated."""
    if isinstance(error, ForbiddenAddressError):
        return str(error)
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not trusted"
    return type(error).__name__
