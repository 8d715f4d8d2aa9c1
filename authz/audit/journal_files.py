r"""The files of a journal: what stands in them, and what a reader may believe (N-49).

A writer has a chain of its own, named by its start and by chance, and writes it to files
``<chain>.<number>.journal``, one after the other. A file begins with a line that names the
chain, the file's number, its size and the store that the records belong to. Then come
*groups*: lines ``<sequence> <hash> <body>``, and an empty line at the group's end. A writer
that ends in order leaves a last group, ``closed <sequence> <hash>``.

A file is written full of zeros beforehand: a forced write then moves no metadata. Each group
is on disk before the next is written, so that only the last group can be torn, and nobody
was answered on it. A torn group shows as what it is: sectors of it are still zeros. All else
that does not follow is damage, and is never passed over:

- a bad line before the start of another group: that group was written after it was whole;
- a bad line of a last group without a sector of zeros: no power cut leaves such a thing;
- a file that has not its size.

While the writer lives it holds a lock on ``<chain>.lock``; the kernel lets go of it when the
process ends, however it ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
from pathlib import Path
from typing import Final, NamedTuple

from authz.audit.chain import Link, Tip, digest

SIZE: Final = 8 * 1024 * 1024
"""Bytes of a file; one that a larger group is for has as many as that needs."""
SECTOR: Final = 512
"""Bytes that a disk writes whole or not at all; larger sectors are whole numbers of it."""
_STEP: Final = 256 * 1024
_NAME: Final = re.compile(r"^(\d{8}T\d{6}Z-[0-9a-f]{8})\.(\d{6,})\.journal$")
_LOCK: Final = re.compile(r"^(\d{8}T\d{6}Z-[0-9a-f]{8})\.lock$")
_HEADER: Final = re.compile(rb"^authz journal 1 (\S+) (\d+) (\d+) (\S+)$")
_GROUP: Final = re.compile(rb"\n\n(?:\d+|closed \d+) [0-9a-f]{64}[ \n]")
_PARTS: Final = 3
_HEX: Final = 64
"""Letters of a hash."""


class Header(NamedTuple):
    """The first line of a file: whose it is, which of the chain's files, and its bytes."""

    chain: str
    number: int
    size: int
    store: str

    def line(self) -> bytes:
        """The bytes of the line."""
        text = f"authz journal 1 {self.chain} {self.number} {self.size} {self.store}\n"
        return text.encode()


def record_line(sequence: int, digest: bytes, body: bytes) -> bytes:
    """One record as a line."""
    return b"%d %s %s\n" % (sequence, digest.hex().encode(), body)


def closing(tip: Tip) -> bytes:
    """The last group of a writer that ends in order."""
    return b"closed %d %s\n\n" % (tip.sequence, tip.hash.hex().encode())


def path_of(folder: Path, chain: str, number: int) -> Path:
    """The file of that number."""
    return folder / f"{chain}.{number:06d}.journal"


def files(folder: Path) -> dict[str, list[Path]]:
    """The files of every chain in the folder, in the order of their numbers.

    A chain that has but its lock left has no files. A folder that is not there holds none.
    """
    found: dict[str, list[tuple[int, Path]]] = {}
    with contextlib.suppress(FileNotFoundError):
        for path in folder.iterdir():
            if lock := _LOCK.match(path.name):
                found.setdefault(lock[1], [])
            elif journal := _NAME.match(path.name):
                found.setdefault(journal[1], []).append((int(journal[2]), path))
    return {chain: [path for _, path in sorted(found[chain])] for chain in sorted(found)}


def number_of(path: Path) -> int:
    """The number in a file's name."""
    named = _NAME.match(path.name)
    return int(named[2]) if named else 0


def backlog(folder: Path) -> int:
    """Bytes of files that are full and still here; each chain's last two are in use."""
    total = 0
    for paths in files(folder).values():
        for path in paths[:-2]:
            with contextlib.suppress(FileNotFoundError):
                total += path.stat().st_size
    return total


def create(folder: Path, header: Header, *, forced: bool) -> int:
    """Make a file full of zeros and on disk, and open it; ``forced`` writes wait for the disk.

    It gets its name when it is whole: nobody sees half of one.
    """
    path = path_of(folder, header.chain, header.number)
    unfinished = path.with_suffix(".new")
    try:
        handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _fill(handle, header)
            os.fsync(handle)
        finally:
            os.close(handle)
        unfinished.rename(path)
        force_folder(folder)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return os.open(path, os.O_RDWR | os.O_CLOEXEC | (os.O_DSYNC if forced else 0))


def _fill(handle: int, header: Header) -> None:
    line = header.line()
    write_all(handle, line, 0)
    zeros = bytes(_STEP)
    place = len(line)
    while place < header.size:
        part = min(_STEP, header.size - place)
        write_all(handle, zeros[:part], place)
        place += part


def write_all(handle: int, data: bytes, offset: int) -> None:
    """Write all of it there; OSError where the system takes a part only."""
    written = os.pwrite(handle, data, offset)
    while written < len(data):
        more = os.pwrite(handle, data[written:], offset + written)
        if not more:
            raise OSError("the system wrote a part only")
        written += more


def force_folder(folder: Path) -> None:
    """Wait until the names in the folder are on disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def make_folder(folder: Path) -> None:
    """Make the folder and those above it that are not there; their names are on disk on return."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(exist_ok=True)
        force_folder(each.parent)


def make_lock(folder: Path, chain: str) -> int:
    """Make the chain's lock and hold it: it has its name only when it is held."""
    unfinished, path = folder / f"{chain}.lock.new", folder / f"{chain}.lock"
    handle = os.open(unfinished, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(handle, f"{os.getpid()}\n".encode())
        unfinished.rename(path)
    except BaseException:
        os.close(handle)
        unfinished.unlink(missing_ok=True)
        raise
    return handle


def take_lock(path: Path) -> int | None:
    """Hold the lock of that file, if nobody does; nothing where somebody lives, or no file is."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_ino == path.stat().st_ino:
            return handle
    except (BlockingIOError, FileNotFoundError):
        pass
    os.close(handle)
    return None


def header_of(data: bytes) -> tuple[Header, int] | None:
    """What the first line says, and where the next begins; nothing where it is none."""
    line, found, _ = data[:SECTOR].partition(b"\n")
    named = _HEADER.match(line) if found else None
    if named is None:
        return None
    header = Header(named[1].decode(), int(named[2]), int(named[3]), named[4].decode())
    return header, len(line) + 1


def read_link(line: bytes) -> Link | None:
    """The record of a line, whatever it says; nothing where it is none."""
    parts = line.split(b" ", _PARTS - 1)
    if len(parts) != _PARTS or not parts[0].isdigit():
        return None
    try:
        return Link(int(parts[0]), parts[2], bytes.fromhex(parts[1].decode("ascii")))
    except ValueError:
        return None


def follow(data: bytes, tip: Tip, most: int) -> tuple[list[Link], int]:
    """The records that follow ``tip``, at most so many, and how many bytes they take."""
    found: list[Link] = []
    used = 0
    number, before = tip
    while len(found) < most:
        if data.startswith(b"\n", used):
            used += 1
            continue
        number += 1
        end = data.find(b"\n", used)
        begin = used + len(b"%d " % number) + _HEX + 1
        if end < begin:
            break
        body = data[begin:end]
        own = digest(before, number, body)
        if data[used:begin] != b"%d %b " % (number, own.hex().encode()):
            break
        found.append(Link(number, body, own))
        before = own
        used = end + 1
    return found, used


def has_group(rest: bytes) -> bool:
    """Whether a group begins after a bad place: then what stands at it was on disk once."""
    return _GROUP.search(rest) is not None


def is_torn(rest: bytes, offset: int) -> bool:
    """Whether a last group is one that a power cut or a kill left half written.

    ``rest`` is the file from ``offset``, where the group's first bad line begins. Torn is a
    group of which a whole sector is still zeros, or which ends where a sector ends.
    """
    text = rest.rstrip(b"\x00")
    end = offset + len(text)
    if end % SECTOR == 0 and not text.endswith(b"\n\n"):
        return True
    begin = offset
    while begin < end:
        upto = (begin // SECTOR + 1) * SECTOR
        part = rest[begin - offset : upto - offset]
        if not part.strip(b"\x00"):
            return True
        begin = upto
    return False
