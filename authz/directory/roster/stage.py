"""From the files to the staging tables: headings, widths, cells, then typed rows."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import repeat
from operator import itemgetter
from typing import Any

from authz.directory.collation import name_order
from authz.directory.roster import staging
from authz.directory.roster.columns import EVERYWHERE, HELD, KNOWN, VENDOR, Column
from authz.directory.roster.problems import Findings, place
from authz.directory.roster.rows import BadCell, Check, Checks
from authz.directory.roster.staging import Load
from authz.directory.roster.table import Batch, Table

Progress = Callable[[str, int, int | None], None]
Cells = dict[str, Sequence[Any]]

INTERVALS = {
    "academicSessions": ("startDate", "endDate"),
    "enrollments": ("beginDate", "endDate"),
    "roles": ("beginDate", "endDate"),
}


@dataclass(frozen=True, slots=True)
class Said:
    """What there is to say of a set: what refuses it always, what unless partial, and notes."""

    fatal: Findings = field(default_factory=Findings)
    wrong: Findings = field(default_factory=Findings)
    notes: list[str] = field(default_factory=list)


class Reading:
    """One file on its way to the staging tables."""

    def __init__(
        self, table: Table, name: str, checks: Checks, said: Said, *, version: str, delta: bool
    ) -> None:
        self._table = table
        self._name = name
        self._problems = said.wrong
        self._fatal = said.fatal
        self._notes = said.notes
        self._wide = self._first_wide = 0
        self._columns: list[Column] = []
        self._positions: list[int] = []
        self._resolve(HELD[version][name])
        self._checks: list[Check] = [checks.make(each, delta=delta) for each in self._columns]

    def _resolve(self, columns: tuple[Column, ...]) -> None:
        """Find the columns by their headings, old and new; say what is missing or strange."""
        headings = self._table.headings
        seen = {*EVERYWHERE, *KNOWN[self._name], ""}
        for column in columns:
            # demographics keyed by userSourcedId: that one is the person, not sourcedId
            names = (*column.older, column.name) if column.older else (column.name,)
            found = next((name for name in names if name in headings), None)
            seen.update(names)
            if found is not None:
                self._columns.append(column)
                self._positions.append(headings.index(found))
            elif column.required:
                self._fatal.add(place(self._table.name, 1, column.name, "is missing"))
                self._columns.clear()
                return
        strange = [each for each in headings if each not in seen and not each.startswith(VENDOR)]
        if strange:
            names_ = ", ".join(each[:40] for each in strange[:10])
            self._notes.append(f"{self._table.name}: columns that are not known here: {names_}")

    @property
    def usable(self) -> bool:
        """Whether every column that is needed is there."""
        return bool(self._columns)

    def rows(self, progress: Progress) -> Iterator[tuple[Sequence[int], Cells]]:
        """The good rows of each batch as columns; what is wrong goes to the problems."""
        get = itemgetter(*self._positions)
        width = len(self._table.headings)
        for batch in self._table.batches():
            lines, rows = self._of_width(batch, width)
            if rows:
                picked = list(map(get, rows))
                good = self._judged(lines, picked, rows, width)
                if good[0]:
                    yield good
            progress(self._table.name, batch.done, self._table.size)
        if self._wide:
            self._notes.append(
                f"{self._table.name}: {self._wide} rows have more cells than headings "
                f"(the first is line {self._first_wide}); what is over is ignored."
            )

    def _of_width(self, batch: Batch, width: int) -> tuple[Sequence[int], list[list[str]]]:
        """The rows that have a cell for each heading; empty lines are no rows."""
        if not batch.broken and set(map(len, batch.rows)) == {width}:
            return batch.lines, batch.rows
        lines, rows = [], []
        for line, row in zip(batch.lines, batch.rows, strict=True):
            if not row:
                continue
            if any("\n" in cell or "\r" in cell for cell in row):
                self._row(line, "a cell holds a line break (a quote left open?)")
            elif len(row) < width:
                self._row(line, f"there are {len(row)} cells for {width} headings")
            else:
                if any(row[width:]):
                    self._first_wide = self._first_wide or line
                    self._wide += 1
                lines.append(line)
                rows.append(row)
        return lines, rows

    def _row(self, line: int, reason: str) -> None:
        self._problems.add(f"{self._table.name}:{line}: {reason}")

    def _judged(
        self, lines: Sequence[int], picked: list[Any], rows: list[list[str]], width: int
    ) -> tuple[Sequence[int], Cells]:
        try:
            return lines, self._convert(picked)
        except BadCell:
            fit = [
                self._fits(line, cells, show=len(row) == width)
                for line, cells, row in zip(lines, picked, rows, strict=True)
            ]
        kept = [cells for cells, good in zip(picked, fit, strict=True) if good]
        numbers = [line for line, good in zip(lines, fit, strict=True) if good]
        return numbers, self._convert(kept) if kept else {}

    def _convert(self, picked: list[Any]) -> Cells:
        columns = zip(*picked, strict=True)
        cells = {
            column.name: check.column(each)
            for column, check, each in zip(self._columns, self._checks, columns, strict=True)
        }
        self._intervals(cells)
        return cells

    def _intervals(self, cells: Cells) -> None:
        begin, end = INTERVALS.get(self._name, ("", ""))
        if begin in cells and end in cells:
            pairs = zip(cells[begin], cells[end], strict=True)
            if any(first and last and first >= last for first, last in pairs):
                raise BadCell(f"is not after {begin}: the interval is empty")

    def _fits(self, line: int, cells: Sequence[str], *, show: bool) -> bool:
        """Whether a row is good; each wrong cell of it is a problem."""
        before = self._problems.total
        for column, check, cell in zip(self._columns, self._checks, cells, strict=True):
            try:
                check.column([cell])
            except BadCell as bad:
                text = bad.text(show=show)
                self._problems.add(place(self._table.name, line, column.name, text))
        if self._problems.total == before:
            try:
                self._convert([cells])
            except BadCell as bad:
                end = INTERVALS[self._name][1]
                self._problems.add(place(self._table.name, line, end, bad.reason))
        return self._problems.total == before


def _plain(cells: Cells, *names: str) -> list[Iterable[Any]]:
    """The columns of those names; one that the file does not have is empty."""
    return [cells.get(name, repeat(None)) for name in names]


_NEVER = repeat(False)  # noqa: FBT003 - a file without the column ends no row


def _status(cells: Cells) -> Iterable[Any]:
    return cells.get("status", _NEVER)


def _load(
    load: Load, table: Any, columns: str, lines: Sequence[int], parts: list[Iterable[Any]]
) -> None:
    load(table, ("line", *columns.split()), zip(lines, *parts, strict=False))


def _simple(table: Any, columns: str, *headings: str) -> Stager:
    def stage(load: Load, lines: Sequence[int], cells: Cells, _: str) -> None:
        parts = [*_plain(cells, *headings), _status(cells)]
        _load(load, table, f"{columns} ended", lines, parts)

    return stage


def _classes(load: Load, lines: Sequence[int], cells: Cells, _: str) -> None:
    ids, terms = cells["sourcedId"], cells["termSourcedIds"]
    parts = _plain(cells, "sourcedId", "title", "courseSourcedId", "schoolSourcedId")
    texts = [json.dumps(each) for each in terms]
    columns = "id title course organisation terms ended"
    _load(load, staging.CLASS, columns, lines, [*parts, texts, _status(cells)])
    rows = zip(lines, ids, terms, _status(cells), strict=False)
    load(
        staging.CLASS_TERM,
        ("line", "class", "term", "ended"),
        [(line, id_, term, ended) for line, id_, each, ended in rows for term in each],
    )


def _users(load: Load, lines: Sequence[int], cells: Cells, origin: str) -> None:
    names = _plain(cells, "givenName", "familyName")
    parts = [*_plain(cells, "sourcedId"), *names, map(name_order, *names)]
    parts += [*_plain(cells, "enabledUser", "role"), _status(cells)]
    columns = "id given_name family_name name_order enabled role ended"
    _load(load, staging.USER, columns, lines, parts)
    ids, ended = cells["sourcedId"], _status(cells)
    if "agentSourcedIds" in cells:
        agents = zip(lines, ids, cells["agentSourcedIds"], ended, strict=False)
        load(
            staging.AGENT,
            ("line", "person", "agent", "ended"),
            [(line, id_, agent, end) for line, id_, each, end in agents for agent in each],
        )
    if "orgSourcedIds" in cells:
        _roles_of_users(load, lines, cells, origin)


def _roles_of_users(load: Load, lines: Sequence[int], cells: Cells, origin: str) -> None:
    """1.1: the role of the user holds at each of their organisations."""
    orgs, role = cells["orgSourcedIds"], cells["role"]
    rows = zip(lines, cells["sourcedId"], orgs, role, _status(cells), strict=False)
    load(
        staging.ROLE,
        ("line", "id", "person", "organisation", "role", "ended"),
        [
            (line, f"{origin} {len(id_)}:{id_}:{org}", id_, org, word, ended)
            for line, id_, each, word, ended in rows
            for org in each
        ],
    )


def _roles(load: Load, lines: Sequence[int], cells: Cells, origin: str) -> None:
    ids = [f"{origin} {id_}" for id_ in cells["sourcedId"]]
    names = ("userSourcedId", "orgSourcedId", "role", "beginDate", "endDate")
    columns = "id person organisation role valid_from valid_until ended"
    _load(load, staging.ROLE, columns, lines, [ids, *_plain(cells, *names), _status(cells)])


Stager = Callable[[Load, Sequence[int], Cells, str], None]

STAGERS: dict[str, Stager] = {
    "academicSessions": _simple(
        staging.SESSION, "id title type begins ends parent",
        "sourcedId", "title", "type", "startDate", "endDate", "parentSourcedId",
    ),
    "orgs": _simple(
        staging.ORG, "id name type parent", "sourcedId", "name", "type", "parentSourcedId"
    ),
    "courses": _simple(
        staging.COURSE, "id title organisation session",
        "sourcedId", "title", "orgSourcedId", "schoolYearSourcedId",
    ),
    "classes": _classes,
    "users": _users,
    "roles": _roles,
    "enrollments": _simple(
        staging.ENROLMENT, "id class school person role valid_from valid_until",
        "sourcedId", "classSourcedId", "schoolSourcedId", "userSourcedId", "role",
        "beginDate", "endDate",
    ),
    "demographics": _simple(
        staging.DEMOGRAPHIC, "id birth_date", "sourcedId", "birthDate"
    ),
}  # fmt: skip


def stage_file(
    reading: Reading, name: str, load: Load, origin: str, progress: Progress
) -> int:  # fmt: skip
    """Stage one file; the number of rows taken."""
    taken = 0
    for lines, cells in reading.rows(progress):
        STAGERS[name](load, lines, cells, origin)
        taken += len(lines)
    return taken
