"""Forms that are slow to come: only some are waited for at a time (N-51).

The server reads a form in the thread that answers it, and waits without end; whoever sends one
to the sign-in has not signed in. So what comes slowly may hold a part of a process's threads
(:mod:`authz.arriving`). The others go on with decisions and with pages, and whoever sends a form
meanwhile is told to come again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, Final

from werkzeug.exceptions import ClientDisconnected
from werkzeug.wsgi import get_content_length, get_input_stream

from authz.arriving import Arriving

Environ = dict[str, Any]
Application = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]
BUSY: Final = "authz.busy"
"""Set in the environment of a request whose form was not waited for."""
BODILESS: Final = frozenset({"GET", "HEAD"})
"""Methods of which no screen reads a body, so that none is waited for."""
SHARE: Final = 4
"""One in this many threads may read forms."""


class Bodies:
    """Reads the bodies for the application behind it."""

    def __init__(self, behind: Application, *, threads: int, limit: int) -> None:
        """``threads`` answer in this process; a body over ``limit`` bytes is left unread."""
        self._behind = behind
        self._limit = limit
        self._arriving = Arriving(threads // SHARE)

    def __call__(self, environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        """One request (PEP 3333)."""
        length = get_content_length(environ)
        if environ["REQUEST_METHOD"] in BODILESS:
            _put(environ, b"", length=0)
        elif length is None or 0 < length <= self._limit:  # what says to be longer is refused
            self._receive(environ, self._limit + 1 if length is None else length)
        return self._behind(environ, start_response)

    def _receive(self, environ: Environ, most: int) -> None:
        try:
            found = self._arriving.read("", _whole, environ, most)
        except ClientDisconnected:  # less than it says, as the application sees once more
            found = b""
        if found is None:
            environ[BUSY] = True
            _put(environ, b"", length=0)
        else:
            _put(environ, found)


def _put(environ: Environ, body: bytes, *, length: int | None = None) -> None:
    environ["wsgi.input"] = BytesIO(body)
    if length is not None:
        environ["CONTENT_LENGTH"] = str(length)
        environ.pop("HTTP_TRANSFER_ENCODING", None)


def _whole(environ: Environ, most: int) -> bytes:
    """What comes, to its end or so many bytes; one read may give less."""
    stream = get_input_stream(environ)
    found = bytearray()
    while len(found) < most and (more := stream.read(most - len(found))):
        found += more
    return bytes(found)
