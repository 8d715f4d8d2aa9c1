"""``GET /api/v1/audit/stream``: the trail as JSON Lines, from a position on (N-49).

A stream takes a thread for as long as it is read, so that few at a time are served: a reader
who is slow, or who follows, keeps no decision waiting.
"""

from __future__ import annotations

from collections.abc import Iterator
from threading import BoundedSemaphore
from typing import Final

from flask import Flask, Response

from authz.api import asked, exchange
from authz.api.context import service
from authz.audit.record import Ref
from authz.errors import TooManyError
from authz.service import streaming
from authz.service.streaming import FIRST, Asked
from authz.vocabulary import Scope

STREAM: Final = "/api/v1/audit/stream"
FORMS: Final = ("records", "ocsf")
LONGEST_WAIT: Final = 30
MOST: Final = 100_000
"""Lines in one answer; whoever wants more asks again, after the last position."""
AT_A_TIME: Final = 4
LINES: Final = "application/x-ndjson"
PARAMETERS: Final = {
    "after": asked.number,
    "wait": asked.number,
    "limit": asked.number,
    "form": asked.word(*FORMS),
}
_places: Final = BoundedSemaphore(AT_A_TIME)


def register(app: Flask) -> None:
    """Add the route."""
    app.add_url_rule(STREAM, "audit_stream", _stream, methods=["GET"])


def _stream() -> Response:
    caller = asked.caller(Scope.AUDIT_READ)
    wanted = asked.query(PARAMETERS)
    if not _places.acquire(blocking=False):
        raise TooManyError("Too many read the stream at once.", wait=1)
    try:
        found = streaming.stream(
            service().store,
            service().settings.origin,
            Ref("client", caller.client),
            Asked(
                after=wanted.get("after", FIRST),
                most=min(wanted.get("limit", MOST), MOST),
                wait=min(wanted.get("wait", 0), LONGEST_WAIT),
                as_ocsf=wanted.get("form") == "ocsf",
            ),
            exchange.request_id(),
        )
    except BaseException:
        _places.release()
        raise
    return Response(_Held(found), mimetype=LINES)


class _Held:
    """Pages with a place, which is given back at their end, or when nobody reads on."""

    def __init__(self, pages: Iterator[bytes]) -> None:
        self._pages = pages
        self._open = True

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            return next(self._pages)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the place back, once."""
        if self._open:
            self._open = False
            _places.release()

    __del__ = close
