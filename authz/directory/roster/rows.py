"""The checks of cells, a column of a batch at a time, since a call per cell is too slow.

A check turns the cells of a column into what is staged, or raises :class:`BadCell` for
the first one that is wrong. Only then are the rows of the batch looked at one by one.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from datetime import UTC, date, tzinfo
from typing import Any

from authz import clock
from authz.directory.era import MEANT, is_buddhist
from authz.directory.roster.columns import EXTENSION, Column, Kind
from authz.directory.roster.problems import short

MEMO = 20_000
"""How many different cells a check remembers; it bounds its memory."""
MAX_TEXT = 1000
MAX_ID = 255

_HIDDEN = r"\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff0-\uffff"
_SPACE = r"\x20\xa0\u1680\u2000-\u200a\u202f\u205f\u3000"
_ID = re.compile(rf"[^{_HIDDEN}{_SPACE},](?:[^{_HIDDEN},]{{0,253}}[^{_HIDDEN}{_SPACE},])?")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f]")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class BadCell(Exception):  # noqa: N818 - caught where it is raised, never seen outside
    """A cell that does not fit. ``cell`` is shown only where the row is not shifted."""

    def __init__(self, reason: str, cell: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.cell = cell

    def text(self, *, show: bool) -> str:
        """The reason, with the cell where it may be shown."""
        if self.cell is None:
            return self.reason
        return f"{short(self.cell) if show else 'the value'} {self.reason}"


class Check(ABC):
    """The check of one column."""

    @abstractmethod
    def column(self, cells: Sequence[str]) -> Sequence[Any]:
        """What is staged of the cells, one for each."""


class Remembering(Check):
    """A check that works each different cell out once, for columns of few values."""

    def __init__(self, column: Column) -> None:
        self._required = column.required
        self._memo: dict[str, Any] = {}

    def column(self, cells: Sequence[str]) -> Sequence[Any]:
        """As :meth:`Check.column`."""
        memo = self._memo
        if len(memo) > MEMO:
            memo.clear()
        for cell in set(cells).difference(memo):
            memo[cell] = self._one(cell)
        return [memo[cell] for cell in cells]

    def _one(self, cell: str) -> Any:
        if cell:
            return self.convert(cell)
        if self._required:
            raise BadCell("is required and is empty")
        return self.empty

    empty: Any = None

    @abstractmethod
    def convert(self, cell: str) -> Any:
        """What is staged of a cell that is not empty."""


class Word(Remembering):
    """A word of a closed list, or in 1.2 of an extended vocabulary."""

    def __init__(self, column: Column, *, extensible: bool) -> None:
        super().__init__(column)
        self._words = column.words
        self._extensible = extensible

    def convert(self, cell: str) -> str:
        """The word itself."""
        extended = self._extensible and cell.startswith(EXTENSION) and _ID.fullmatch(cell)
        if cell in self._words or extended:
            return cell
        raise BadCell(f"is none of {', '.join(sorted(self._words))}", cell)


class Status(Remembering):
    """Whether a row is ended: ``tobedeleted``, or ``inactive`` as 1.0 and moodle write."""

    def __init__(self, column: Column, *, delta: bool) -> None:
        super().__init__(column)
        self._required = delta
        self.empty = False

    def convert(self, cell: str) -> bool:
        """True for a row that ends."""
        try:
            return {"active": False, "tobedeleted": True, "inactive": True}[cell]
        except KeyError:
            raise BadCell("is none of active, tobedeleted, inactive", cell) from None


class Truth(Remembering):
    """A boolean; ``TRUE`` and ``FALSE`` are met as well."""

    def convert(self, cell: str) -> bool:
        """The boolean."""
        lower = cell.lower()
        if lower not in {"true", "false"}:
            raise BadCell("is neither true nor false", cell)
        return lower == "true"


class Birthday(Remembering):
    """A date, as ISO text; not one to come, as years of the Buddhist era would be."""

    def __init__(self, column: Column, today: date) -> None:
        super().__init__(column)
        self._today = today

    def convert(self, cell: str) -> str:
        """The date."""
        born = _date(cell)
        if born > self._today:
            raise BadCell("is after today (is the year of the Buddhist era?)", cell)
        return born.isoformat()


class Day(Remembering):
    """A date as the moment of its local midnight (2.1), in the text of the database."""

    def __init__(self, column: Column, local: tzinfo, *, zoned: bool) -> None:
        super().__init__(column)
        self._local = local
        self._format = "%Y-%m-%d %H:%M:%S.%f+00" if zoned else "%Y-%m-%d %H:%M:%S.%f"

    def convert(self, cell: str) -> str:
        """The moment, as text that sorts as the moments do."""
        day = _date(cell)
        if is_buddhist(day):
            raise BadCell(MEANT, cell)
        try:
            moment = clock.midnight(day, self._local).astimezone(UTC)
        except OverflowError:
            raise BadCell("is outside the years that can be compared", cell) from None
        # strftime writes the years before 1000 without their zeros
        return moment.strftime(self._format).zfill(len("2026-01-01 00:00:00.000000"))


def _date(cell: str) -> date:
    try:
        if _DAY.fullmatch(cell):
            return date.fromisoformat(cell)
    except ValueError:
        pass
    raise BadCell("is no date (YYYY-MM-DD)", cell)


class Text(Check):
    """A name or a title."""

    def __init__(self, column: Column) -> None:
        self._required = column.required

    def column(self, cells: Sequence[str]) -> Sequence[str]:
        """As :meth:`Check.column`."""
        if max(map(len, cells)) > MAX_TEXT:
            raise BadCell(f"is longer than {MAX_TEXT} characters")
        if _CONTROL.search("".join(cells)):
            raise BadCell("holds a line break or another control character")
        if self._required and not all(cells):
            raise BadCell("is required and is empty")
        return cells


class Id(Check):
    """A sourcedId: opaque, compared byte for byte (3.5), with the prefix of its source."""

    def __init__(self, column: Column, prefix: str) -> None:
        self._required = column.required
        self._prefix = prefix

    def column(self, cells: Sequence[str]) -> Sequence[str | None]:
        """As :meth:`Check.column`."""
        if None in map(_ID.fullmatch, cells):
            return [self._one(cell) for cell in cells]
        prefix = self._prefix
        return [prefix + cell for cell in cells] if prefix else cells

    def _one(self, cell: str) -> str | None:
        if cell:
            return self._prefix + checked_id(cell)
        if self._required:
            raise BadCell("is required and is empty")
        return None


class Ids(Remembering):
    """A list of sourcedIds in one cell, separated by commas."""

    empty = ()

    def __init__(self, column: Column, prefix: str) -> None:
        super().__init__(column)
        # a list that is needed and empty is found by the checks of references
        self._required = False
        self._prefix = prefix

    def convert(self, cell: str) -> tuple[str, ...]:
        """The ids, each once."""
        items = (item.strip() for item in cell.split(","))
        return tuple(dict.fromkeys(self._prefix + checked_id(item) for item in items if item))


def checked_id(cell: str) -> str:
    """The id itself, if it can be one."""
    if _ID.fullmatch(cell):
        return cell
    if len(cell) > MAX_ID:
        raise BadCell(f"is longer than {MAX_ID} characters", cell)
    raise BadCell("is no id (a comma, white space around it, or a letter that nobody sees)", cell)


class Checks:
    """Makes the check of a column, for one roster."""

    def __init__(
        self, version: str, prefix: str, local: tzinfo, *, today: date, zoned: bool
    ) -> None:
        extensible = version != "1.1"
        self._makers: dict[Kind, Callable[[Column], Check]] = {
            Kind.ID: lambda column: Id(column, prefix),
            Kind.IDS: lambda column: Ids(column, prefix),
            Kind.TEXT: Text,
            Kind.TRUTH: Truth,
            Kind.DAY: lambda column: Day(column, local, zoned=zoned),
            Kind.BIRTHDAY: lambda column: Birthday(column, today),
            Kind.WORD: lambda column: Word(column, extensible=extensible),
        }

    def make(self, column: Column, *, delta: bool) -> Check:
        """The check of ``column``, in a file that is a delta or a bulk."""
        if column.kind is Kind.STATUS:
            return Status(column, delta=delta)
        return self._makers[column.kind](column)
