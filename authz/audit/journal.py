"""The journal: the records of one process, durable for one shared forced write (N-49, N-51).

Each process writes a chain of its own to files of its own, so that writers never wait for
each other. Threads share a write (:mod:`authz.audit.group`): one of them chains the records
of all that wait, writes them with one call that returns when they are on disk, and lets
all go on. Shipping moves the records to the database behind the answers
(:mod:`authz.audit.ship`).

Whatever fails, whoever waited gets an :class:`AuditUnavailableError` and has no record.
After a write that failed, the file is not written again: nobody knows what the disk has of
it. The next record begins a new chain.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Sequence
from functools import partial
from multiprocessing import util
from pathlib import Path
from time import perf_counter_ns
from typing import Final, cast
from weakref import WeakSet, ref

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from authz.audit import journal_files as files
from authz.audit import writers
from authz.audit.chain import Tip, digest, genesis
from authz.audit.group import Coming, GroupCommit
from authz.audit.log import Receipt, unavailable
from authz.errors import AuditUnavailableError
from authz.measures import FORCED, GROUPS, RECORDS

LIMIT: Final = 1024 * 1024 * 1024
"""Bytes of full files that may wait to be shipped, if nobody says otherwise."""

_BESIDE: Final = 512
"""Bytes of a file that are kept for its first line and for the one that closes the chain."""
_USUAL: Final = 64 * 1024
"""Bytes that must have room before it is said that records can be written."""


class Journal:
    """Where the records of one process go; nothing is opened before the first."""

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        *,
        forced: bool = True,
        limit: int = LIMIT,
        size: int = files.SIZE,
    ) -> None:
        """``forced`` waits for the disk; ``limit`` and ``size`` are bytes."""
        self.engine = engine
        self.folder = folder
        self.forced = forced
        self.limit = limit
        self.size = size
        self._chain: _Chain | None = None
        self._guard = threading.Lock()
        self._ending = 0
        _journals.add(self)

    def expect(self) -> Coming:
        """A record is coming, or its maker says that it is not: others may wait to share."""
        return _grouped.expect(self)

    def append(self, bodies: Sequence[bytes], coming: Coming | None = None) -> list[Receipt]:
        """Write the records together, after those written before; durable on return."""
        return list(_grouped(self, bodies, coming)) if bodies else []

    def probe(self) -> None:
        """Whether a record could be written now: forces a zero to where the next one goes."""
        _grouped(self, [])

    def close(self) -> None:
        """End the chain in order, if one was begun; a later record begins another."""
        with self._guard:
            chain, self._chain = self._chain, None
            if chain is not None:
                chain.close()

    def commit(self, bodies: Sequence[bytes]) -> Sequence[Receipt]:
        """Write one group; the threads whose records are not in it wait for the next."""
        with self._guard:
            try:
                chain = self._chain
                if chain is None or not chain.opened:
                    chain = self._begin()
                return chain.write(bodies) if bodies else chain.probe()
            except (OSError, SQLAlchemyError) as error:
                raise unavailable(error) from error
            finally:
                if self._chain is not None and self._chain.broken:
                    self._chain.leave()
                    self._chain = None

    def _begin(self) -> _Chain:
        """A chain of our own: its files first, then that it is there, then its records.

        What was made before something failed is kept for the next try.
        """
        files.make_folder(self.folder)
        if self._chain is None:
            store = writers.identity(self.engine)
            refuse_strangers(self.folder, store)
            if self._ending != os.getpid():
                self._ending = os.getpid()
                util.Finalize(None, partial(_close, ref(self)), exitpriority=0)
            self._chain = _Chain(self, store)
        self._chain.open()
        return self._chain

    def forget(self) -> None:
        """In a forked child: the chain is the parent's, and so is its lock."""
        self._guard = threading.Lock()
        chain, self._chain = self._chain, None
        if chain is not None:
            chain.making = None
            chain.leave()


class _Chain:
    """The chain that this process writes, and the file it is at."""

    def __init__(self, journal: Journal, store: str) -> None:
        self.journal = journal
        self.store = store
        self.name = writers.new_name()
        self.lock = files.make_lock(journal.folder, self.name)
        self.tip = genesis(self.name)
        self.opened = False
        self.broken = False
        self.file: _File | None = None
        self.next: _File | None = None
        self.making: threading.Thread | None = None

    def open(self) -> None:
        """Make the first file and record that the chain begins."""
        if self.file is None:
            self.file = self._make(1, 0)
        writers.open_chain(self.journal.engine, self.name)
        self.opened = True

    def write(self, bodies: Sequence[bytes]) -> Sequence[Receipt]:
        """Write the records as one group, on disk on return."""
        name, (sequence, previous) = self.name, self.tip
        receipts, parts = [], []
        for body in bodies:
            sequence += 1
            previous = digest(previous, sequence, body)
            receipts.append(Receipt(name, sequence, previous))
            parts.append(files.record_line(sequence, previous, body))
        parts.append(b"\n")
        data = b"".join(parts)
        file = self._with_room(len(data))
        self.broken = True
        began = perf_counter_ns()
        file.put(data)
        FORCED.observe(perf_counter_ns() - began)
        GROUPS.observe(len(receipts))
        RECORDS.add(by=len(receipts))
        file.offset += len(data)
        self.tip = Tip(sequence, previous)
        self.broken = False
        if file.offset * 2 > file.size and self.next is None and self.making is None:
            self._make_ahead(file.number + 1)
        return receipts

    def probe(self) -> Sequence[Receipt]:
        """Force one zero more to where zeros are, and where a group has room after it."""
        file = self._with_room(min(_USUAL, self.journal.size // 4))
        self.broken = True
        file.put(b"\x00")
        self.broken = False
        return ()

    def close(self) -> None:
        """Say where the chain ends, and let go of it."""
        with contextlib.suppress(OSError):
            if self.file is not None:
                self.file.put(files.closing(self.tip))
        self.leave()

    def leave(self) -> None:
        """Let go of the files and the lock; nothing is written any more."""
        if self.making is not None:
            self.making.join()
        for file in (self.file, self.next):
            if file is not None:
                os.close(file.handle)
        self.file = self.next = self.making = None
        os.close(self.lock)

    def _with_room(self, length: int) -> _File:
        """The file that the next group goes to: this one, the one made ahead, or a new one."""
        file = cast("_File", self.file)
        if file.has_room(length):
            return file
        if self.making is not None:
            self.making.join()
            self.making = None
        new = self.next
        if new is None or not new.has_room(length):
            new = self._make(file.number + 1 if new is None else new.number, length, over=new)
        self.file, self.next = new, None
        os.close(file.handle)
        return new

    def _make_ahead(self, number: int) -> None:
        """Fill the next file with zeros while records go to this one."""

        def make() -> None:
            with contextlib.suppress(OSError, AuditUnavailableError):
                self.next = self._make(number, 0)

        with contextlib.suppress(RuntimeError):  # no thread to be had: made when it is needed
            making = threading.Thread(target=make, name="authz-journal", daemon=True)
            making.start()
            self.making = making

    def _make(self, number: int, least: int, *, over: _File | None = None) -> _File:
        """A new file with room for so many bytes; over one that is too small for them."""
        journal = self.journal
        waiting = files.backlog(journal.folder)
        if waiting > journal.limit:
            raise AuditUnavailableError(
                f"{waiting} bytes of records wait to be moved to the database.",
                where=str(journal.folder),
                hint="See whether `authz audit keep` runs and the database can be written.",
            )
        header = files.Header(self.name, number, journal.size, self.store)
        header = header._replace(size=max(journal.size, least + _BESIDE))
        handle = files.create(journal.folder, header, forced=journal.forced)
        if over is not None:
            os.close(over.handle)
        return _File(handle, number, len(header.line()), header.size)


class _File:
    """An open file of the journal: where the next group goes, and how many bytes it has."""

    __slots__ = ("handle", "number", "offset", "size")

    def __init__(self, handle: int, number: int, offset: int, size: int) -> None:
        self.handle = handle
        self.number = number
        self.offset = offset
        self.size = size

    def put(self, data: bytes) -> None:
        """Write there; OSError where the disk fails, or somebody took the file away."""
        if not os.fstat(self.handle).st_nlink:
            raise FileNotFoundError("the journal was taken away")
        files.write_all(self.handle, data, self.offset)

    def has_room(self, length: int) -> bool:
        """Whether a group of so many bytes fits, and the line that closes the chain after it."""
        return self.offset + length + _BESIDE // 2 <= self.size


def refuse_strangers(folder: Path, store: str) -> None:
    """Raise where the folder holds journals of another store: they would mix."""
    for paths in files.files(folder).values():
        for path in paths[:1]:
            with contextlib.suppress(FileNotFoundError), path.open("rb") as stream:
                found = files.header_of(stream.read(files.SECTOR))
                if found is not None and found[0].store != store:
                    raise AuditUnavailableError(
                        f"It holds journals of another store ({found[0].store}).",
                        where=str(folder),
                        hint="Give each database an AUTHZ_AUDIT_FOLDER of its own.",
                    )


def _close(journal: ref[Journal]) -> None:
    """At the end of the process."""
    found = journal()
    if found is not None:
        found.close()


def _forget_all() -> None:
    for journal in list(_journals):
        journal.forget()


_journals: WeakSet[Journal] = WeakSet()
_grouped: Final = GroupCommit[Journal, bytes, Receipt](Journal.commit, unavailable)
os.register_at_fork(after_in_child=_forget_all)
