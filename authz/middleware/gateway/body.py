"""A caller's body: never longer than it says and than it may be, and of a type the route takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from threading import BoundedSemaphore
from typing import Any, Final

from authz.errors import MalformedError, TooLargeError, TooManyError
from authz.middleware.gateway.config import Route
from authz.middleware.gateway.forms import FORM, PARTS, Parts, look_at_form, media_type

PIECE: Final = 64 * 1024
AGAIN_SECONDS: Final = 5
"""How soon whoever found no place may try again."""
BODILESS: Final = frozenset({"GET", "HEAD", "OPTIONS"})


class Body:
    """What stands behind the headers of a request; read whole, or handed on in pieces."""

    def __init__(
        self,
        environ: Mapping[str, Any],
        route: Route,
        most: int,
        read: int,
        places: BoundedSemaphore,
    ) -> None:
        """``most`` and ``read`` are the bytes that may be sent on, and read; 400 or 413.

        One of the ``places`` is held while there is something to come, from :meth:`take` on.
        """
        self._places = places
        self._held = False
        self._stream = environ.get("wsgi.input")
        self._read = read
        self._data: bytes | None = None
        self.length = _length(environ, most)
        self.declared = bool(environ.get("CONTENT_LENGTH"))
        kind = str(environ.get("CONTENT_TYPE", ""))
        self.type = media_type(kind)
        if self.length and environ["REQUEST_METHOD"] in BODILESS:
            raise MalformedError("This method has no body.", where="body")
        if self.length and (self.type not in route.accepts or not _utf8(kind)):
            raise MalformedError("The route takes no body of this type.", where="Content-Type")

    def take(self) -> None:
        """Take a place for what is to come; TooManyError (429) where all are taken.

        That is before anybody is asked about it, or sent anything of it.
        """
        if self.length and not self._held:
            if not self._places.acquire(blocking=False):
                raise TooManyError("Too many bodies are on their way.", wait=AGAIN_SECONDS)
            self._held = True

    def leave(self) -> None:
        """Give the place back, if there is one: nothing more is read."""
        if self._held:
            self._held = False
            self._places.release()

    def whole(self) -> bytes:
        """All of it; TooLargeError where it is more than is read."""
        if self._data is None:
            if self.length > self._read:
                raise TooLargeError("The body is too large.", where="body")
            self._data = b"".join(self._pieces())
        return self._data

    def onward(self) -> bytes | Iterator[bytes]:
        """It as it is sent on: at once if it is known or small, else in pieces."""
        if self.type == FORM and self.length:
            look_at_form(self.whole(), self._read)
        if self._data is None and self.length > PIECE:
            return self._watched()
        return Parts().look(self.whole()) if self.type == PARTS else self.whole()

    def _watched(self) -> Iterator[bytes]:
        parts = Parts()
        for piece in self._pieces():
            yield parts.look(piece) if self.type == PARTS else piece

    def _pieces(self) -> Iterator[bytes]:
        """The bytes, as many as it says; MalformedError where it was cut off.

        They come as slowly as the caller likes, and whoever waits for them holds a thread.
        """
        self.take()
        left = self.length
        try:
            while left:
                piece = self._stream.read(min(left, PIECE)) if self._stream is not None else b""
                if not piece:
                    raise MalformedError("The body is shorter than it says.", where="body")
                left -= len(piece)
                yield piece
        finally:
            self.leave()


def _length(environ: Mapping[str, Any], most: int) -> int:
    said = str(environ.get("CONTENT_LENGTH") or "0")
    if not (said.isascii() and said.isdigit() and len(said) < len(str(1 << 63))):
        raise MalformedError("It is no length.", where="Content-Length")
    if int(said) > most:
        raise TooLargeError("The body is too large.", where="body", hint=f"At most {most} bytes.")
    return int(said)


def _utf8(kind: str) -> bool:
    """Whether the type names no other encoding of JSON; of other types that is not ours to say."""
    if not kind.lower().startswith("application/json"):
        return True
    parameters = [part.strip().lower() for part in kind.split(";")[1:]]
    return all(part in ("", "charset=utf-8", 'charset="utf-8"') for part in parameters)
