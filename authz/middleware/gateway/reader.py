"""What comes on a connection to an upstream: read by lines and pieces, and nothing of it lost.

A file of the standard library's reads ahead, is made anew for each answer, and forgets with it what
came too early. This one is the connection's: what stands in it after an answer was never asked for.
"""

from __future__ import annotations

from socket import socket
from typing import Final

PIECE: Final = 64 * 1024


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

    def readline(self, limit: int) -> bytes:
        """Up to the end of a line, of the limit or of all; OSError where nothing comes in time."""
        place = self._place
        end = self._held.find(b"\n", place) + 1
        while not end and len(self._held) - place < limit:
            if not self._more():
                break
            place = self._place
            end = self._held.find(b"\n", place) + 1
        return self._taken(min(end or len(self._held), place + limit))

    def read1(self, size: int) -> bytes:
        """Some bytes, so many at most; none where nothing more comes."""
        if self._place == len(self._held):
            return self._sock.recv(min(size, PIECE)) if size else b""
        return self._taken(min(self._place + size, len(self._held)))

    def read(self, size: int) -> bytes:
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

    def _more(self) -> bool:
        """Whether more has come; what was read is let go."""
        found = self._sock.recv(PIECE)
        self._held = self._held[self._place :] + found
        self._place = 0
        return bool(found)

    def _taken(self, end: int) -> bytes:
        found = self._held[self._place : end]
        self._place = end
        return found
