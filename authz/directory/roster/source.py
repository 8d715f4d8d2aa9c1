"""Where a roster lies: a folder, or a zip that is not believed (page 4.2, "folder or zip")."""

from __future__ import annotations

import stat
import struct
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from authz.errors import RosterError

MAX_BYTES = 8 * 2**30
"""The most that a zip may unpack to."""
MAX_RATIO = 200
"""The most that a file of a zip may be compressed, from :data:`RATIO_FROM` on."""
RATIO_FROM = 2**24
MAX_ENTRIES = 1000

ENCRYPTED = 0x1
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
"""How rosters are packed; the other ways unpack a whole block at once, of any size."""
BROKEN = (
    zipfile.BadZipFile, struct.error,
    NotImplementedError, RuntimeError, OSError, ValueError, IndexError,
)  # fmt: skip
"""What the standard library raises over a zip that was damaged, or made to damage."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a roster: its name as it is written, its size, and how to open it."""

    name: str
    size: int
    open: Callable[[], IO[bytes]]

    @property
    def stem(self) -> str:
        """The name without folder and ``.csv``, in lower case."""
        return self.name.lower().removesuffix(".csv")


Entries = dict[str, Entry]
"""The files of a roster by :attr:`Entry.stem`."""


@contextmanager
def opened(path: Path) -> Iterator[Entries]:
    """The files of the folder or zip at ``path``; a zip is never unpacked to disk."""
    if path.is_dir():
        yield _by_stem(_folder(path))
        return
    if not path.is_file():
        raise RosterError("There is no such folder or zip file.", where=str(path))
    try:
        archive = zipfile.ZipFile(path)
    except BROKEN as error:
        raise RosterError(
            "This is neither a folder nor a zip file that can be read.", where=str(path)
        ) from error
    with archive:
        yield _by_stem(_zip(archive, path.name))


def _folder(path: Path) -> list[Entry]:
    files = sorted(each for each in path.iterdir() if each.is_file() and _is_csv(each.name))
    for each in files:
        if not each.resolve().is_relative_to(path.resolve()):
            raise RosterError("It is a link that leads out of the folder.", where=each.name)
    return [Entry(each.name, each.stat().st_size, _opener(each)) for each in files]


def _opener(path: Path) -> Callable[[], IO[bytes]]:
    def unlock() -> IO[bytes]:
        try:
            return path.open("rb")
        except OSError as error:
            raise RosterError("The file cannot be opened.", where=path.name) from error

    return unlock


def _is_csv(name: str) -> bool:
    return name.lower().endswith(".csv") and not name.startswith(".")


def _by_stem(entries: list[Entry]) -> Entries:
    found: Entries = {}
    for entry in entries:
        if entry.stem in found:
            raise RosterError(
                f"The roster has this file twice, also as {found[entry.stem].name}.",
                where=entry.name,
            )
        found[entry.stem] = entry
    if not found:
        raise RosterError("There is no CSV file in it.")
    return found


def _zip(archive: zipfile.ZipFile, name: str) -> list[Entry]:
    members = [each for each in archive.infolist() if not each.filename.endswith("/")]
    if len(members) > MAX_ENTRIES:
        raise RosterError(f"The zip has more than {MAX_ENTRIES} files.", where=name)
    for member in members:
        _check_member(member, name)
    if sum(member.file_size for member in members) > MAX_BYTES:
        raise RosterError(f"The zip unpacks to more than {MAX_BYTES} bytes.", where=name)
    wanted = [each for each in members if not each.filename.startswith("__MACOSX/")]
    folders = {str(PurePosixPath(each.filename).parent) for each in wanted}
    if len(folders) > 1 or any("/" in folder for folder in folders):
        raise RosterError(
            "The files of the zip lie in several folders.",
            where=name,
            hint="Put them at the root of the zip, or in one folder.",
        )
    return [
        Entry(base, each.file_size, _unzipper(archive, each))
        for each in wanted
        if _is_csv(base := PurePosixPath(each.filename).name)
    ]


def _check_member(member: zipfile.ZipInfo, zipped: str) -> None:
    name = member.filename
    where = f"{zipped}: {name[:80]!r}"
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        raise RosterError("A path in the zip leads out of it.", where=where)
    if stat.S_ISLNK(member.external_attr >> 16):
        raise RosterError("The zip holds a link.", where=where)
    if member.flag_bits & ENCRYPTED:
        raise RosterError("The zip is encrypted.", where=where, hint="Send it unencrypted.")
    if member.compress_type not in PACKED:
        raise RosterError(
            "The zip is packed in an unusual way.", where=where, hint="Pack it with Deflate."
        )
    if member.file_size > RATIO_FROM and member.file_size > MAX_RATIO * member.compress_size:
        raise RosterError(
            f"The file is compressed more than {MAX_RATIO} times, as no roster is.", where=where
        )


def _unzipper(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> Callable[[], IO[bytes]]:
    def unzip() -> IO[bytes]:
        try:
            return archive.open(member)
        except BROKEN as error:
            raise RosterError(
                "The file of the zip cannot be unpacked.", where=member.filename
            ) from error

    return unzip
