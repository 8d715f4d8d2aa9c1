"""Bodies that are on their way: who sends slowly keeps nobody else from an answer (N-51).

A server of WSGI reads a body in the thread that answers, waits without end, and cannot be told
to leave off. So only a part of a process's threads may read bodies at a time, and of these one
caller may have a part. A body that came with its headers, as nearly each does, holds its place
for microseconds. Who finds no place waits :data:`PATIENCE` for one, if not too many wait, and
is then sent away.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import Empty, SimpleQueue
from typing import Any, Final

Environ = dict[str, Any]
Reading = Callable[[Environ, int], bytes]
Places = SimpleQueue[None]
PATIENCE: Final = 1.0
"""Seconds for which somebody waits for a place: where all are many, and nobody slow, one is free
long before."""
MOST: Final = 4096
"""Callers whose places are remembered."""


class Arriving:
    """The places of those who read bodies, in one process."""

    def __init__(self, places: int, each: int | None = None, *, waiting: int = 0) -> None:
        """``places`` are there in all, and ``each`` for one caller; at least one.

        So many as ``waiting`` may wait for one at a time.
        """
        self._all = _places(max(1, places))
        self._each = max(1, places if each is None else each)
        self._waiting = _places(waiting)
        self._of: dict[str, Places] = {}

    def read(self, caller: str, reading: Reading, environ: Environ, most: int) -> bytes | None:
        """What ``reading`` of a request gives or raises; nothing where there is no place."""
        own, everyone = self._of.get(caller) or self._of_new(caller), self._all
        try:
            own.get_nowait()
        except Empty:
            if not self._waited(own):
                return None
        try:
            everyone.get_nowait()
        except Empty:
            if not self._waited(everyone):
                own.put(None)
                return None
        try:
            return reading(environ, most)
        finally:
            everyone.put(None)
            own.put(None)

    def _waited(self, places: Places) -> bool:
        """Whether one of these was free in time."""
        try:
            self._waiting.get_nowait()
        except Empty:
            return False
        try:
            places.get(timeout=PATIENCE)
        except Empty:
            return False
        finally:
            self._waiting.put(None)
        return True

    def _of_new(self, caller: str) -> Places:
        """The places of a caller; two threads at once may at worst make them twice."""
        if len(self._of) >= MOST:
            self._of.clear()
        return self._of.setdefault(caller, _places(self._each))


def _places(many: int) -> Places:
    found: Places = SimpleQueue()
    for _ in range(many):
        found.put(None)
    return found
