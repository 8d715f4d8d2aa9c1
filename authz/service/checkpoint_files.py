"""The published checkpoints: files that anybody may read, and copy elsewhere (N-49).

``latest`` is the newest one; each stands in a folder of its day besides, named by its
moment (``2026-11-22/131500.123456Z``). A file is made whole under another name and then put
in place, so that whoever copies it never has half of one.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Final
from uuid import uuid4

from authz.audit.note import Note, parse
from authz.errors import AuditDamagedError, MalformedError, SettingError

LATEST: Final = "latest"
_MOST: Final = 1000
"""Files written at once, when many could not be before."""
_LARGEST: Final = 1_000_000


def latest(folder: Path) -> Note | None:
    """The note that was published last, if one was; AuditDamagedError where it is none.

    SettingError where the folder cannot be read.
    """
    path = folder / LATEST
    try:
        with path.open("rb") as file:
            return parse(file.read(_LARGEST).decode())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise _unusable(error) from error
    except (MalformedError, UnicodeDecodeError) as error:
        raise AuditDamagedError(
            "It is no checkpoint.", where=str(path), hint="Find out who wrote it; keep it."
        ) from error


def published(folder: Path) -> Iterator[Path]:
    """The files of all checkpoints there are, the oldest first, and ``latest`` at the end."""
    yield from sorted(path for path in folder.glob("[0-9]*/*Z") if path.is_file())
    if (folder / LATEST).is_file():
        yield folder / LATEST


def publish(folder: Path, newest_first: Iterable[tuple[str, str]]) -> int:
    """Write the checkpoints (moment, note) that are not there yet; how many there were.

    They come with the newest first, and are looked at up to one that is there. SettingError
    where the folder cannot be written; what is missing is written with the next one.
    """
    missing: list[tuple[Path, str]] = []
    try:
        for moment, note in islice(newest_first, _MOST):
            path = folder / place(moment)
            if path.exists():
                break
            missing.append((path, note))
        for path, note in reversed(missing):
            _put(path, note)
        if missing:
            _put(folder / LATEST, missing[0][1])
    except OSError as error:
        raise _unusable(error) from error
    return len(missing)


def place(moment: str) -> str:
    """Where in the folder the checkpoint of that moment stands."""
    day, _, time = moment.partition("T")
    return f"{day}/{time.replace(':', '')}"


def _put(path: Path, note: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid4().hex}")
    try:
        with draft.open("w", encoding="utf-8", newline="\n") as file:
            file.write(note)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


def _unusable(error: OSError) -> SettingError:
    return SettingError(
        f"Checkpoints cannot be published ({type(error).__name__}).",
        where="AUTHZ_CHECKPOINT_FOLDER",
        hint="They are kept in the database, and published with the next one.",
    )
