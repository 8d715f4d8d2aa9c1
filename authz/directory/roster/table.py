"""CSV as it comes: decoded, split and numbered in batches, whatever the line ends.

Nothing here shows a cell: a line that cannot be split may hold a password.
"""

from __future__ import annotations

import csv
import zipfile
import zlib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from typing import Self

from authz.directory.roster.source import Entry
from authz.errors import RosterError

BATCH = 10_000
MAX_LINE = 2**20
"""The longest line in bytes, and the longest row where cells hold line breaks."""
BATCH_BYTES = 2**22
"""Bytes after which a batch is full, however few its rows; it bounds the memory of one."""
AT_ONCE = 8
"""Rows that are split before the bytes of a batch are looked at again."""

BOM = b"\xef\xbb\xbf"


@dataclass(slots=True)
class Batch:
    """Some rows with the line on which each begins; ``done`` is the bytes read so far."""

    lines: list[int] | range
    rows: list[list[str]]
    broken: bool
    """Whether a cell of the batch holds a line break."""
    done: int


class Table:
    """One file: its headings, then its rows in batches; open until it is closed."""

    def __init__(self, entry: Entry) -> None:
        self.name = entry.name
        self.size = entry.size
        self._done = 0
        self._line = 0
        self._looked = 0
        self._lines = self._text(entry)
        self._reader = csv.reader(self._lines, strict=True)
        try:
            self.headings = self._headings()
        except RosterError:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, however far it was read."""
        self._lines.close()

    def _headings(self) -> list[str]:
        first = next(self.batches(1), None)
        headings = [cell.strip() for cell in first.rows[0]] if first else []
        while headings and not headings[-1]:
            headings.pop()
        if not headings:
            raise RosterError("There is no row of headings.", where=f"{self.name}:1")
        doubled = {each for each in headings if each and headings.count(each) > 1}
        if doubled:
            raise RosterError(
                f"The heading {min(doubled)[:40]!r} is there twice.", where=f"{self.name}:1"
            )
        return headings

    def batches(self, size: int = BATCH) -> Iterator[Batch]:
        """The rows, ``size`` at a time."""
        while True:
            before = self._reader.line_num
            rows = self._rows(size)
            if not rows:
                return
            after = self._reader.line_num
            broken = after - before != len(rows)
            lines = _lines(before, rows) if broken else range(before + 1, after + 1)
            yield Batch(lines, rows, broken, self._done)

    def _rows(self, size: int) -> list[list[str]]:
        rows: list[list[str]] = []
        full = self._done + BATCH_BYTES
        try:
            while len(rows) < size and self._done < full:
                self._looked = self._done
                some = list(islice(self._reader, min(AT_ONCE, size - len(rows))))
                if not some:
                    break
                rows += some
        except csv.Error as error:
            raise RosterError(_csv_reason(error), where=self._here()) from error
        return rows

    def _here(self) -> str:
        return f"{self.name}:{max(self._line, 1)}"

    def _text(self, entry: Entry) -> Generator[str, None, None]:
        with entry.open() as stream:
            for raw in self._raw(partial(stream.readline, MAX_LINE + 1)):
                self._line += 1
                self._done += len(raw)
                if len(raw) > MAX_LINE:
                    raise RosterError(f"The line is over {MAX_LINE} bytes.", where=self._here())
                if self._done - self._looked > AT_ONCE * MAX_LINE:
                    raise RosterError(
                        f"A row is over {MAX_LINE} bytes (a quote left open?).", where=self._here()
                    )
                if b"\0" in raw:
                    raise RosterError(
                        "The line holds a NUL byte.",
                        where=self._here(),
                        hint="Save the file as UTF-8.",
                    )
                try:
                    yield raw.decode()
                except UnicodeDecodeError as error:
                    raise RosterError(
                        f"Byte {error.start + 1} of the line is not UTF-8.",
                        where=self._here(),
                        hint="Save the file as UTF-8.",
                    ) from error

    def _raw(self, readline: partial[bytes]) -> Iterator[bytes]:
        try:
            first = readline()
            if first:
                yield first.removeprefix(BOM)
            yield from iter(readline, b"")
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError) as error:
            raise RosterError("The file cannot be read to its end.", where=self._here()) from error


def _csv_reason(error: csv.Error) -> str:
    text = str(error)
    if "field limit" in text:
        return f"A cell is longer than {csv.field_size_limit()} characters (a quote left open?)."
    if "unexpected end" in text:
        return "A quote is left open to the end of the file."
    if "new-line" in text:
        return "A line ends in a bare carriage return."
    return "The quotes of the line do not match (RFC 4180)."


def _lines(before: int, rows: list[list[str]]) -> list[int]:
    """The line on which each row begins, where cells hold line breaks."""
    lines = []
    line = before + 1
    for row in rows:
        lines.append(line)
        line += 1 + sum(cell.count("\n") for cell in row)
    return lines
