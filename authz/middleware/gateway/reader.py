"""What comes on a connection to an upstream: read by heads and pieces, and nothing of it lost.

A file of the standard library's reads ahead, is made anew for each answer, and forgets with it what
came too early. This one is the connection's: what stands in it after an answer was never asked for.
"""

from __future__ import annotations

import re
import sys
from http.client import HTTPException
from socket import socket
from typing import Final

PIECE: Final = 64 * 1024
_END: Final = b"\r\n\r\n"
_BARE: Final = re.compile(rb"(?<!\r)\n")


class Reader:
    """The bytes of one connection in their order, as :mod:`http.client` reads its file."""

    __slots__ = ("_held", "_place", "_sock")

    def __init__(self, sock: socket) -> None:
        self._sock = sock
        self._held = b""
        self._place = 0

    @property
    def empty(self) -> bool:
        """Whether everything that came was read."""
        return self._place == len(self._held)

    def makefile(self, _mode: str) -> Reader:
        """Itself: this is what a response takes for its socket."""
        return self

    def head(self, longest: int) -> bytes:
        """All up to the first empty line, and that line.

        HTTPException where none comes within so many bytes, or a line ends otherwise than in a
        head; OSError where nothing comes in time.
        """
        end, seen = self._held.find(_END, self._place), self._place
        while end < 0:
            if _BARE.search(self._held, seen) or len(self._held) - self._place > longest:
                raise HTTPException("no head")
            if not (came := self._more()):
                raise HTTPException("no head")
            seen = max(len(self._held) - came - len(_END), 0)
            end = self._held.find(_END, seen)
        if end - self._place > longest:
            raise HTTPException("no head")
        return self._taken(end + len(_END))

    def readline(self, limit: int) -> bytes:
        """Up to the end of a line, of the limit or of all; OSError where nothing comes in time."""
        end = self._held.find(b"\n", self._place) + 1
        while not end and len(self._held) - self._place < limit and self._more():
            end = self._held.find(b"\n", self._place) + 1
        return self._taken(min(end or len(self._held), self._place + limit))

    def read1(self, size: int) -> bytes:
        """Some bytes, so many at most; none where nothing more comes."""
        if self._place == len(self._held):
            return self._sock.recv(min(size, PIECE)) if size else b""
        return self._taken(min(self._place + size, len(self._held)))

    def read(self, size: int = sys.maxsize) -> bytes:
        """So many bytes; fewer where nothing more comes."""
        pieces = []
        while size and (piece := self.read1(size)):
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)

    def flush(self) -> None:
        """Nothing is written here."""

    def close(self) -> None:
        """The connection closes itself."""

    def _more(self) -> int:
        """How many bytes more have come, 0 at the end; what was read is let go."""
        found = self._sock.recv(PIECE)
        self._held = self._held[self._place :] + found
        self._place = 0
        return len(found)

    def _taken(self, end: int) -> bytes:
        found = self._held[self._place : end]
        self._place = end
        return found
