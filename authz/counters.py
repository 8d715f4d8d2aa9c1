"""Counters and histograms that the processes of one service share, for Prometheus (4.3).

Each process counts in a file of its own that is mapped into its memory: an addition costs a
lock and a few bytes, and whoever asks reads the files of all. A file outlives its process, so
that nothing is lost when one is killed. Beside the numbers stands a file with their names, a
line each, in the order of the numbers. Without a folder, or where it cannot be used, a
process counts for itself alone: counting never stands in the way of an answer.

All numbers are whole: sums of time are in nanoseconds.
"""

from __future__ import annotations

import fcntl
import json
import mmap
import os
import secrets
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final

SLOTS: Final = 2048
"""Numbers that one process can count; what is over is counted nowhere."""
MOST_SERIES: Final = 400
"""Sets of labels of one metric; whatever else comes is counted as ``other``."""
OTHER: Final = "other"
_LATEST: Final = "/latest"
_BYTES: Final = 8 * SLOTS

Labels = tuple[str, ...]
Key = tuple[str, Labels]
"""A metric's name, with the suffix of what of it is counted, and the values of its labels."""


class _Sheet:
    """The numbers of this process; ``guard`` is held by whoever changes one."""

    def __init__(self) -> None:
        self.guard = Lock()
        self.folder: Path | None = None
        self.keys: list[Key] = []
        self.values: Any = memoryview(bytearray(_BYTES)).cast("Q")
        self.names: int | None = None
        self.handle: int | None = None

    def slot(self, key: Key) -> int | None:
        """A place for a new number; none where all are taken. The guard must be held."""
        if len(self.keys) >= SLOTS:
            return None
        self.keys.append(key)
        self._name(key)
        return len(self.keys) - 1

    def share(self, folder: Path) -> None:
        """Count in a file of this folder from now on, beginning with what was counted."""
        with self.guard:
            self.folder = folder
            with suppress(OSError, ValueError):
                path = folder / f"{os.getpid()}-{secrets.token_hex(4)}"
                handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.posix_fallocate(handle, 0, _BYTES)  # or a full disk would kill us later
                shared = memoryview(mmap.mmap(handle, _BYTES)).cast("Q")
                shared[:] = self.values
                flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC
                self.names = os.open(path.with_suffix(".names"), flags, 0o600)
                self.handle, self.values = handle, shared
                for key in self.keys:
                    self._name(key)

    def forked(self) -> None:
        """In a child: its own numbers, all 0, in a file of its own."""
        folder = self.folder
        for handle in (self.names, self.handle):
            if handle is not None:
                os.close(handle)
        self.guard, self.names, self.handle = Lock(), None, None
        self.values = memoryview(bytearray(_BYTES)).cast("Q")
        keys, self.keys = self.keys, []
        self.keys = keys
        if folder is not None:
            self.share(folder)

    def _name(self, key: Key) -> None:
        if self.names is not None:
            with suppress(OSError):
                os.write(self.names, json.dumps(key).encode() + b"\n")


_sheet: Final = _Sheet()
os.register_at_fork(after_in_child=_sheet.forked)


class Metric:
    """Something that is counted: its name, what it means, and the names of its labels."""

    kind = ""

    def __init__(self, name: str, about: str, labels: Labels = ()) -> None:
        self.name = name
        self.about = about
        self.labels = labels
        self._series: dict[Labels, Sequence[int | None]] = {}

    def places(self, labels: Labels) -> Sequence[int | None]:
        """Where the numbers of these labels are; the guard must be held."""
        found = self._series.get(labels)
        if found is None:
            if len(self._series) >= MOST_SERIES:
                labels = tuple(OTHER for _ in labels)
            found = self._series.get(labels)
        if found is None:
            found = [_sheet.slot((self.name + part, labels)) for part in self.parts()]
            self._series[labels] = found
        return found

    def parts(self) -> list[str]:
        """What of it is counted, as suffixes of its name."""
        return [""]


class Counter(Metric):
    """A number that only grows."""

    kind = "counter"

    def add(self, *labels: str, by: int = 1) -> None:
        """Count for these labels."""
        sheet = _sheet
        with sheet.guard:
            (place,) = self._series.get(labels) or self.places(labels)
            if place is not None:
                sheet.values[place] += by


class Histogram(Metric):
    """How often something took up to how long; ``bounds`` are in nanoseconds, or bare numbers."""

    kind = "histogram"

    def __init__(
        self, name: str, about: str, bounds: Sequence[int], *, unit: int = 1, labels: Labels = ()
    ) -> None:
        super().__init__(name, about, labels)
        self.bounds = tuple(bounds)
        self.unit = unit

    def observe(self, value: int, *labels: str) -> None:
        """Count one that is so large."""
        sheet = _sheet
        with sheet.guard:
            places = self._series.get(labels) or self.places(labels)
            place, total = places[bisect_left(self.bounds, value)], places[-1]
            if place is not None and total is not None:
                sheet.values[place] += 1
                sheet.values[total] += value

    def parts(self) -> list[str]:
        """The buckets, each for itself, and the sum."""
        return [*(f"/{bound}" for bound in self.bounds), "/more", "/sum"]


class Latest(Metric):
    """A moment, in seconds since 1970: of all processes, the last one."""

    kind = "gauge"

    def at(self, moment: float, *labels: str) -> None:
        """It was then."""
        sheet = _sheet
        with sheet.guard:
            (place,) = self._series.get(labels) or self.places(labels)
            if place is not None:
                sheet.values[place] = int(moment)

    def parts(self) -> list[str]:
        """The moment."""
        return [_LATEST]


def share(folder: Path) -> None:
    """Count where the other processes of the service see it; a process does so once."""
    if _sheet.folder is None:
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            _sheet.share(folder)


def clear(folder: Path) -> None:
    """Remove what processes left that are gone; a service that starts begins at 0."""
    with suppress(OSError):
        for path in [each for each in folder.iterdir() if not each.suffix]:
            with suppress(OSError), path.open("rb") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.with_suffix(".names").unlink(missing_ok=True)
                path.unlink()


def totals() -> Mapping[Key, int]:
    """The numbers of all processes, added up; of moments the last."""
    found: dict[Key, int] = {}
    for key, value in _all():
        before = found.get(key, 0)
        found[key] = max(before, value) if key[0].endswith(_LATEST) else before + value
    return found


def value_of(metric: Metric, labels: Labels, found: Mapping[Key, int]) -> int:
    """What a counter or a moment stands at; 0 where it was never counted."""
    return found.get((metric.name + metric.parts()[0], labels), 0)


def series(metric: Metric, found: Mapping[Key, int]) -> list[Labels]:
    """The labels under which something was counted, sorted."""
    names = {metric.name + part for part in metric.parts()}
    return sorted({labels for name, labels in found if name in names})


def _all() -> Iterator[tuple[Key, int]]:
    with _sheet.guard:
        mine = list(zip(_sheet.keys, _sheet.values.tolist(), strict=False))
        folder, handle = _sheet.folder, _sheet.handle
    yield from mine
    if folder is None or handle is None:
        return
    with suppress(OSError):
        own = os.fstat(handle).st_ino
        for path in [each for each in folder.iterdir() if not each.suffix]:
            with suppress(OSError, ValueError):
                if path.stat().st_ino != own:
                    yield from _of(path)


def _of(path: Path) -> Iterator[tuple[Key, int]]:
    """What another process counted; a name that it is just writing is not there yet."""
    lines = path.with_suffix(".names").read_bytes().split(b"\n")[:-1]
    values = memoryview(path.read_bytes()).cast("Q")
    for line, value in zip(lines, values, strict=False):
        name, labels = json.loads(line)
        yield (name, tuple(labels)), value
