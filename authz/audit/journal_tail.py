"""Reading a chain's journal on from where the database has it (N-49).

Nothing is believed: whose the file is, that it has its size, that each record follows the
one before. What does not follow is waited for (its writer may be writing it), dropped (the
torn last group of a writer that is gone; nobody was answered on it) or damage, as
:mod:`authz.audit.journal_files` tells them apart.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple, NoReturn

from authz import clock
from authz.audit import journal_files as files
from authz.audit.chain import Damage, Kind, Link, Tip, diagnose, genesis

BLOCK: Final = 1024 * 1024
"""Bytes that are read at a time."""
SETTLED: Final = 1.0
"""Seconds after which a file's last write is not taken for another one."""


class _Look(NamedTuple):
    """What a file was like when nothing more was in it; every write changes it."""

    written: int
    changed: int
    offset: int
    live: bool


class DamagedError(Exception):
    """A journal from which nothing more can be taken; ``damage`` says where and why."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(damage.text)
        self.damage = damage


class Tail:
    """The records of a chain after ``tip``, as far as its files have them.

    ``live`` is whether its writer may still write; ``end`` tells, after the last record was
    read, how the writer ended: ``closed``, ``killed`` or ``torn``.
    """

    def __init__(self, folder: Path, chain: str, store: str, tip: Tip | None) -> None:
        """``tip`` is what the database has, nothing where it knows no such chain."""
        self.folder = folder
        self.chain = chain
        self.store = store
        self.tip = tip or genesis(chain)
        self.live = True
        self.end = "killed"
        self.number = 0
        self._handle = -1
        self._offset = 0
        self._size = 0
        self._ended: _Look | None = None
        self._find()

    def close(self) -> None:
        """Let go of the file."""
        if self._handle >= 0:
            os.close(self._handle)
            self._handle = -1

    def read(self, most: int) -> list[Link]:
        """The next records, at most so many; none where there are no more now."""
        while self._handle >= 0:
            look = self._look()
            if look is not None and look == self._ended and not self._follower():
                return []
            links = self._here(most)
            if links:
                return links
            follower = self._follower()
            links = self._here(most)  # what was written before the follower was begun
            if links or not self._at_end(followed=follower > 0):
                return links
            if not follower:
                self._ended = look
                return links
            self._open(follower)
        return []

    def skip(self, head: Tip, most: int) -> None:
        """Read on to what somebody else has moved, so many records at a time, if it is there."""
        while self.tip.sequence < head.sequence:
            if not self.read(min(most, head.sequence - self.tip.sequence)):
                return

    def _look(self) -> _Look | None:
        """What the file is like; nothing where it was written so lately that it may be again.

        The system notes the moment of a write by a few milliseconds: two of them may look alike.
        """
        found = os.fstat(self._handle)
        if clock.microseconds() / 1e6 - found.st_ctime < SETTLED:
            return None
        return _Look(found.st_mtime_ns, found.st_ctime_ns, self._offset, self.live)

    def _here(self, most: int) -> list[Link]:
        """The next records of this file."""
        while True:
            data = os.pread(self._handle, BLOCK, self._offset)
            links, used = files.follow(data, self.tip, most)
            if not links and len(data) == BLOCK and data[used : used + 1].strip(b"\x00"):
                data = self._rest()  # a line may be longer than a block
                links, used = files.follow(data, self.tip, most)
            self._offset += used
            if links:
                self.tip = Tip(links[-1].sequence, links[-1].hash)
            if links or not used:
                return links

    def _rest(self) -> bytes:
        return os.pread(self._handle, self._size, self._offset)

    def _follower(self) -> int:
        """The number of the next file, if a record is in it; an error where it was taken away."""
        numbers = [files.number_of(path) for path in self._paths()]
        later = [number for number in numbers if number > self.number]
        if not later:
            return 0
        if later[0] != self.number + 1:
            self._fail(Kind.MISSING, f"journal file {self.number + 1} is gone")
        with files.path_of(self.folder, self.chain, later[0]).open("rb") as stream:
            named = files.header_of(stream.read(files.SECTOR))
            stream.seek(named[1] if named else 0)
            return later[0] if stream.read(1).strip(b"\x00") else 0

    def _at_end(self, *, followed: bool, again: bool = False) -> bool:
        """Whether the file has nothing more; damage is an error.

        It may have more in a moment: while its writer lives, a group may be half there.
        ``followed``: a later file has records, so this one was whole on disk. What looks
        like damage is looked at ``again``.
        """
        if os.fstat(self._handle).st_size != self._size:
            self._fail(Kind.TAIL_CUT, "the file has not its size")
        rest = self._rest()
        if not rest.strip(b"\x00"):
            return True
        if rest.startswith(files.closing(self.tip)):
            return self._closed(rest, followed=followed)
        if not followed and not files.has_group(rest):
            if self.live:
                return False
            if files.is_torn(rest, self._offset):
                self.end = "torn"
                return True
        elif not again:  # both groups may have been written while it was read
            return self._at_end(followed=followed, again=True)
        if files.follow(rest, self.tip, 1)[0]:
            return False  # it was being written, and is there now
        raise self._damaged(rest)

    def _closed(self, rest: bytes, *, followed: bool) -> bool:
        if followed or rest[len(files.closing(self.tip)) :].strip(b"\x00"):
            self._fail(Kind.APPENDED, "something stands after its end")
        self.end = "closed"
        return True

    def _damaged(self, rest: bytes) -> DamagedError:
        """Say what stands where the next record should."""
        line = rest.partition(b"\n")[0]
        found = files.read_link(line) or Link(None, None, None)
        damage = diagnose(self.tip, found, _Links(self.folder, self.chain))
        return self._error(damage.kind, damage.text, damage.sequence)

    def _fail(self, kind: Kind, text: str) -> NoReturn:
        raise self._error(kind, text, self.tip.sequence + 1)

    def _error(self, kind: Kind, text: str, sequence: int) -> DamagedError:
        where = files.path_of(self.folder, self.chain, self.number).name
        text = f"{text} (journal {where}, byte {self._offset})"
        return DamagedError(Damage(kind, sequence, text))

    def _paths(self) -> list[Path]:
        return files.files(self.folder).get(self.chain, [])

    def _find(self) -> None:
        """Go to the place after ``tip``: the line is looked for, or a file that begins there."""
        paths = self._paths()
        if not paths:
            return
        known = b"\n" + files.record_line(self.tip.sequence, self.tip.hash, b"")[:-1]
        for path in reversed(paths):
            data = path.read_bytes()
            place = data.find(known)
            if place >= 0:
                self._open(files.number_of(path))
                self._offset = data.index(b"\n", place + 1) + 1
                return
        self._open(files.number_of(paths[0]))
        if self.number == 1 and not self.tip.sequence:
            return
        numbers = [link.sequence for link in _Links(self.folder, self.chain)]
        if self.number > 1 and (not numbers or not self.tip.sequence):
            self._fail(Kind.MISSING, f"the files before {self.number} are gone")
        if not numbers or min(numbers) > self.tip.sequence:
            return
        if max(numbers) >= self.tip.sequence:
            text = f"record {self.tip.sequence} is not the one that the database has"
            raise self._error(Kind.CHANGED, text, self.tip.sequence)
        # After a power cut the disk may have less than was shipped; none of it is answered.
        self._open(files.number_of(paths[-1]))
        self._offset = self._size

    def _open(self, number: int) -> None:
        """Go to the file of that number, if it is whole in size and this store's."""
        path = files.path_of(self.folder, self.chain, number)
        self.close()
        self.number, self._offset, self._ended = number, 0, None
        self._handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        named = files.header_of(os.pread(self._handle, files.SECTOR, 0))
        if named is None or named[0][:2] != (self.chain, number):
            self._fail(Kind.CHANGED, "the first line is not as it was written")
        self._size = named[0].size
        if named[0].store != self.store:
            self._fail(Kind.APPENDED, f"it is of another store ({named[0].store})")
        if os.fstat(self._handle).st_size != self._size:
            self._fail(Kind.TAIL_CUT, "the file has not its size")
        self._offset = named[1]


class _Links:
    """Every line of a chain's files that reads as a record, from the beginning each time."""

    def __init__(self, folder: Path, chain: str) -> None:
        self.folder = folder
        self.chain = chain

    def __iter__(self) -> Iterator[Link]:
        for path in files.files(self.folder).get(self.chain, []):
            for line in path.read_bytes().split(b"\n"):
                link = files.read_link(line)
                if link is not None:
                    yield link
