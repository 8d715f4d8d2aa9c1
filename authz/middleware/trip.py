"""One exchange as its connection sees it: how long it may still take, and how far it came.

httpcore knows a time-out for each piece that is sent or received. A server that sends a byte
now and then would never be timed out, so each of our time-outs also knows the moment at which
all must be over; httpcore hands it to the stream as it is (docs/decisions/http-client.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import httpcore2

from authz import clock
from authz.middleware.answer import RUBBISH, TIMEOUT, UNAVAILABLE
from authz.middleware.options import Limits, Patience
from authz.middleware.wire import Call, Fault, Reply

PIECES: Final = ("connect", "read", "write", "pool")


@dataclass
class Trip:
    """``fresh``: on a connection of its own; ``sent`` and ``heard``: any byte of it at all."""

    until: float
    fresh: bool = False
    sent: bool = False
    heard: bool = False

    def timeouts(self, patience: Patience) -> dict[str, float]:
        """The time-outs of this exchange."""
        wait = {"connect": patience.connect}
        return {name: Allowed.of(wait.get(name, patience.read), self) for name in PIECES}

    def fault(self, error: Exception) -> Fault:
        """What this error means.

        The question may be sent anew where nothing of it was sent, and where a kept connection
        was closed before a byte of an answer: so servers let go of idle connections (RFC 9112,
        9.3.1). A question that a server took and did not answer in time is never sent twice.
        """
        detail = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        if isinstance(error, httpcore2.TimeoutException):
            return Fault(TIMEOUT, detail)
        closed = isinstance(error, httpcore2.NetworkError | httpcore2.RemoteProtocolError)
        stale = closed and not self.fresh and not self.heard
        half = self.heard and isinstance(error, httpcore2.RemoteProtocolError)
        return Fault(RUBBISH if half else UNAVAILABLE, detail, again=stale or not self.sent)


class Allowed(float):
    """Seconds that one piece of an exchange may take, as far as the whole has that long."""

    trip: Trip

    @classmethod
    def of(cls, seconds: float, trip: Trip) -> Allowed:
        """So many seconds within that exchange."""
        made = cls(seconds)
        made.trip = trip
        return made

    def left(self) -> float:
        """How many seconds there are now."""
        return min(float(self), self.trip.until - clock.monotonic())


def headers(call: Call, token: str) -> list[tuple[bytes, bytes]]:
    """What is sent with this call; ValueError where the token is none."""
    if not token.isascii() or not token.isprintable():
        raise ValueError("the token is no token")
    made = [(b"accept", b"application/json"), (b"user-agent", b"authz-middleware")]
    if call.body is not None:
        made.append((b"content-type", b"application/json"))
    if token and call.body is not None:
        made.append((b"authorization", f"Bearer {token}".encode()))
    if call.language:
        made.append((b"accept-language", call.language.encode()))
    return made


def fits(response: httpcore2.Response, limits: Limits) -> Fault | None:
    """A fault where the answer says that it is longer than it may be, or in another coding."""
    told = names(response)
    if told.get("content-encoding", "identity").lower() != "identity":
        return Fault(RUBBISH, "an answer in a coding that was not asked for")
    length = told.get("content-length", "0")
    return too_long() if not length.isdigit() or int(length) > limits.answer_bytes else None


def too_long() -> Fault:
    """What an answer is that does not end."""
    return Fault(RUBBISH, "an answer longer than it may be")


def reply(response: httpcore2.Response, body: bytes) -> Reply:
    """The answer as it is read on."""
    return Reply(response.status, names(response), body)


def names(response: httpcore2.Response) -> Mapping[str, str]:
    """The headers; of two by the same name the first."""
    pairs = reversed(response.headers)
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in pairs}
