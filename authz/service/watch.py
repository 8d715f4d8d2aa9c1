"""Whether anything was committed since the last look, for almost nothing (3.5).

SQLite tells each connection how often *others* have committed (``PRAGMA data_version``). A
connection that never writes is kept for that: while its number stays, the directory's revision
and what was known of tokens and duties then are still true, without a transaction. When it
moves, the revision is read anew and all else is forgotten. The number is read *before* what is
kept under it: what is committed in between is seen as a change by the next look.

Even to ask for the number lets another thread run several times, each of which costs more than
the question. SQLite itself tells whether anybody committed by the head of the log's index, 96
bytes of memory that all processes share (https://sqlite.org/walformat.html, 2.1): so a look
compares these first. They mean something only as long as a connection is open, which keeps the
index in its place, so they are believed together with one that is.

A kept connection would outlive a file that an operator put in the place of its own, so looks
make sure, every :data:`EVERY` seconds, that the file is still that one. Another file may be at
the revision that the old one was at, with other facts: with it another *era* begins, and what
was kept is of the old one.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import sqlite3
import time
from dataclasses import dataclass, field
from threading import Lock
from typing import Final, NamedTuple
from urllib.parse import quote
from weakref import WeakSet

from sqlalchemy import Engine, event
from sqlalchemy.exc import OperationalError

from authz.directory.asking import Asking

OPTION: Final = "authz_watch"
Identity = tuple[int, int]
EVERY: Final = 0.05
"""Seconds for which a file is taken to be the one that it was; a commit is seen at once."""
_HEAD: Final = 96
"""Bytes of the head of the log's index: two copies of what every commit changes."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One committed state: the directory's revision, and what was found on file since.

    ``known`` tells of a token's id whether it is in force, and of a duty's key that it is
    open. They are looked up after the look, so they may be of a later state. That is no harm:
    a token that was taken back is never given again, and the next look sees the change.
    """

    revision: int
    era: int = 0
    known: dict[object, bool] = field(default_factory=dict)


class _Seen(NamedTuple):
    """What was seen when the log's index began with these bytes, and what holds it in place."""

    file: Identity
    shared: mmap.mmap
    head: bytes
    eye: _Eye
    sight: Sight


class Watch:
    """Looks at one SQLite file, from many threads, each with a connection of its own."""

    def __init__(self, store: Engine, path: str, wait: float) -> None:
        """Nothing is opened yet; what is open is closed when the engine is disposed of.

        ``wait`` is how many seconds a look may wait for a lock.
        """
        self._store = store
        self._path = path
        self._wait = wait
        self._idle: list[_Eye] = []
        self._seen: _Seen | None = None
        self._sure = 0.0
        self._file: Identity | None = None
        self._era = 0
        self._inherited: list[_Eye] = []
        event.listen(store, "engine_disposed", lambda _: self.close())
        _watches.add(self)

    def look(self) -> Sight:
        """What is committed now; OperationalError where the database does not answer."""
        seen = self._seen
        if seen is not None and seen.shared[:_HEAD] == seen.head and seen.eye.open:
            moment = time.monotonic()
            if moment < self._sure + EVERY:
                return seen.sight
            try:
                here = _identity(self._path)
            except OSError as error:
                raise OperationalError("stat", None, error) from error
            if here == seen.file:
                self._sure = moment
                return seen.sight
        return self._look_closely()

    def _look_closely(self) -> Sight:
        """Ask a connection, and keep its answer under the index's head from before it was asked."""
        try:
            eye = self._idle.pop() if self._idle else self._open()
        except IndexError:  # another thread was faster
            eye = self._open()
        try:
            if eye.file != _identity(self._path):
                eye.close()
                eye = self._open()
            head = eye.index[:_HEAD] if eye.index is not None else b""
            found = eye.look()
        except (sqlite3.Error, OSError) as error:
            eye.close()
            raise OperationalError("PRAGMA data_version", None, error) from error
        if eye.index is not None:
            self._seen = _Seen(eye.file, eye.index, head, eye, found)
        self._idle.append(eye)
        return found

    def era(self) -> int:
        """Which file in a row is the database; asked before a connection, it is not too new."""
        return self._era

    def close(self) -> None:
        """Close what is not in use; the next file may be another, even if it looks the same."""
        self._file = None
        self._era += 1
        while self._idle:
            self._idle.pop().close()

    def forget(self) -> None:
        """Begin anew in a forked child, without closing what is the parent's.

        SQLite's connections may not be used in a child, nor closed: they are left alone.
        """
        self._inherited += self._idle
        self._idle = []
        self._seen = None

    def _open(self) -> _Eye:
        """Look at the file that is there now; the pool's connections may be of an old one."""
        try:
            eye = _Eye(self._path, self._wait)
        except (sqlite3.Error, OSError) as error:
            raise OperationalError("open", None, error) from error
        if self._file not in {None, eye.file}:
            self._store.dispose()  # first: what is read in the new era is of the new file
        self._file = eye.file
        eye.dated(self._era)
        return eye


class _Eye:
    """A connection that only looks, and what it saw last."""

    def __init__(self, path: str, wait: float) -> None:
        # Not made where there is none, and never written by: its own commits it would not see.
        uri = f"file:{quote(path)}?mode=rw"
        self.file = _identity(path)
        self._connection = sqlite3.connect(
            uri, uri=True, timeout=wait, isolation_level=None, check_same_thread=False
        )
        self._cursor = self._connection.cursor()
        self._cursor.execute("PRAGMA query_only=ON")
        self._version = -1
        self._era = 0
        self._sight = Sight(0)
        self.open = True
        self.index = self._mapped(path)

    def dated(self, era: int) -> None:
        """It looks at the file of this era."""
        self._era, self._version = era, -1

    def look(self) -> Sight:
        # Read to the end, or the statement would hold its snapshot, and see no change ever.
        version = self._cursor.execute("PRAGMA data_version").fetchall()[0][0]
        if version != self._version:
            self._sight = Sight(Asking(self._cursor, "sqlite").revision(), self._era)
            self._version = version
        return self._sight

    def close(self) -> None:
        self.open = False
        self._connection.close()

    def _mapped(self, path: str) -> mmap.mmap | None:
        """The log's index; none where the database has no log, or not in the usual place."""
        if self._cursor.execute("PRAGMA journal_mode").fetchall()[0][0] != "wal":
            return None
        self.look()  # from now on there is an index, and nobody takes it away
        try:
            return _index(f"{os.path.realpath(path)}-shm")
        except (OSError, ValueError):
            return None


def watch(store: Engine) -> Watch | None:
    """Who looks for this store; none where only a statement can tell."""
    found: Watch | None = store.get_execution_options().get(OPTION)
    return found


def _identity(path: str) -> Identity:
    status = os.stat(path)  # noqa: PTH116 (asked with every request; a third of Path.stat)
    return status.st_dev, status.st_ino


def _index(path: str) -> mmap.mmap:
    """The first page of that file, in memory for as long as this process lives.

    It is opened once and never closed, not even at the end: to close a file, by whatever
    handle, takes away the locks that SQLite has on it in this process.
    """
    with _guard:
        status = os.stat(path)  # noqa: PTH116 (a third of Path.stat)
        found = _indexes.get((status.st_dev, status.st_ino))
        if found is None:
            handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            found = mmap.mmap(handle, mmap.PAGESIZE, prot=mmap.PROT_READ)
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(found))
            _indexes[status.st_dev, status.st_ino] = found
    return found


_indexes: dict[Identity, mmap.mmap] = {}
_guard = Lock()
_watches: WeakSet[Watch] = WeakSet()


def _forget_all() -> None:
    global _guard  # noqa: PLW0603 (another thread of the parent may have held it)
    _guard = Lock()
    for each in list(_watches):
        each.forget()


os.register_at_fork(after_in_child=_forget_all)
