"""What every report is: facts, notes and tables, each text in Thai and English.

A table's cells are plain JSON values; its columns say what they are, so that one report
gives JSON with ids, and pages with words and local dates. Rows may be many: they are
spooled to a file and read again by each output, never held together.
"""

from __future__ import annotations

import json
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

Texts = Mapping[str, str]
Row = Sequence[Any]
IN_MEMORY: Final = 1 << 20
"""Bytes of rows before they go to a file."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column: its id, its heading, and what its cells are.

    A ``moment`` is a time in the record's own spelling. A cell with ``words`` is an id or a
    list of ids, which pages show by their words.
    """

    id: str
    title: Texts
    moment: bool = False
    words: Mapping[str, Texts] = field(default_factory=dict)


class Rows(Iterable[Row]):
    """Rows that can be read many times, of which few are in memory at once."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self._file: Any = tempfile.SpooledTemporaryFile(IN_MEMORY, "w+", encoding="utf-8")  # noqa: SIM115 (its owner closes it)
        weakref.finalize(self, self._file.close)
        self.count = 0
        for row in rows:
            self.add(row)

    def add(self, row: Row) -> None:
        """Put one more at the end."""
        self._file.write(json.dumps(list(row), ensure_ascii=False) + "\n")
        self.count += 1

    def __iter__(self) -> Iterator[Row]:
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line)
        self._file.seek(0, 2)


@dataclass(frozen=True)
class Table:
    """Rows under headings."""

    id: str
    title: Texts
    columns: Sequence[Column]
    rows: Iterable[Row]
    note: Texts = field(default_factory=dict)


@dataclass(frozen=True)
class Fact:
    """One line of what the report says before its tables."""

    id: str
    title: Texts
    value: Any
    moment: bool = False
    words: Mapping[str, Texts] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """A report. ``main`` is the table that stands for it where there is room for one (CSV).

    ``letters`` are drafts to be sent, each with a title, its text by paragraph.
    """

    id: str
    title: Texts
    facts: Sequence[Fact]
    notes: Sequence[Texts]
    tables: Sequence[Table]
    main: str
    letters: Sequence[tuple[Texts, Sequence[Texts]]] = ()

    @property
    def table(self) -> Table:
        """The main table."""
        return next(table for table in self.tables if table.id == self.main)
