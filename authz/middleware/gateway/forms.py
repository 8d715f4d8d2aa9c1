"""Forms: a field ``_method`` would make a request another one than was decided.

Rack, and extensions of many frameworks, take the method of a POST from such a field. Readers of
forms are lenient, so that every way to write the name is looked for, and none is read.
"""

from __future__ import annotations

import re
from typing import Any, Final

from authz.errors import MalformedError
from authz.middleware.gateway import query

FORM: Final = "application/x-www-form-urlencoded"
PARTS: Final = "multipart/form-data"
_OVERRIDE: Final = re.compile(
    rb"""(?<!file)name(?:=["']?[\[\]]*_method|\*[0-9]*\*?=)""", re.IGNORECASE
)
"""A field ``_method``, or a name in pieces or in another encoding, which forms never have."""
_IGNORED: Final = b" \t\r\n\\"
"""What readers of forms skip, fold or take for an escape between the letters of a name."""
_WINDOW: Final = 32
"""Bytes of a piece, without what is ignored, that are looked at once more with the next."""


def media_type(content_type: str) -> str:
    """The type alone, in small letters."""
    return content_type.partition(";")[0].strip().lower()


def look_at_form(data: bytes, longest: int) -> None:
    """MalformedError where the form is none, or wants another method."""
    query.pairs(data.decode("latin-1"), longest=longest)


class Parts:
    """Looks at a form in parts while its bytes pass."""

    def __init__(self) -> None:
        self._before = b""

    def look(self, piece: bytes) -> bytes:
        """The piece; MalformedError where it wants another method, so that nobody reads on."""
        data = self._before + piece.translate(None, _IGNORED)
        if _OVERRIDE.search(data):
            raise MalformedError("A request has one method.", where="body")
        self._before = data[-_WINDOW:]
        return piece


class PartsFile:
    """A body in parts as a file (PEP 3333), of which each piece is looked at as it is read."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._parts = Parts()

    def read(self, *size: int) -> bytes:
        """As of any file."""
        return self._parts.look(self._file.read(*size))

    def readline(self, *size: int) -> bytes:
        """As of any file."""
        return self._parts.look(self._file.readline(*size))

    def readlines(self, *hint: int) -> list[bytes]:
        """As of any file."""
        return [self._parts.look(line) for line in self._file.readlines(*hint)]

    def __iter__(self) -> PartsFile:
        return self

    def __next__(self) -> bytes:
        return self._parts.look(next(iter(self._file)))
