"""What only the whole set shows: ids twice, ids of other sources, references to nothing.

Each check is one statement over the staging tables. A reference resolves to a row of the
same set, or, unless the file referred to is a bulk (then it is the whole truth), to what
the same source brought before (reference/oneroster.md, *Referential closure*).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    Table,
    and_,
    exists,
    func,
    not_,
    or_,
    select,
    update,
)

from authz.directory import tables
from authz.directory.roster import staging
from authz.directory.roster.hierarchy import circles
from authz.directory.roster.problems import CAP, Findings, place, short


@dataclass(frozen=True, slots=True)
class Reference:
    """That the cells of a column name rows of another file.

    ``owner`` has the rows of which these are parts, on the same lines; with ``needed`` a
    row of it is left out if one of its parts is.
    """

    file: str
    heading: str
    column: ColumnElement[Any]
    target: str
    owner: Table | None = None
    needed: bool = False
    version: str = ""

    @property
    def table(self) -> Table:
        """The staging table that refers."""
        return cast("Table", self.column.table)


@dataclass(frozen=True, slots=True)
class Target:
    """Where rows of a file are staged, and where they are kept."""

    stage: Table
    kept: Table


def kept_table(model: type[tables.Base]) -> Table:
    """The table of a model of the directory."""
    return cast("Table", model.__table__)


TARGETS = {
    "academicSessions": Target(staging.SESSION, kept_table(tables.Term)),
    "orgs": Target(staging.ORG, kept_table(tables.Organisation)),
    "courses": Target(staging.COURSE, kept_table(tables.Course)),
    "classes": Target(staging.CLASS, kept_table(tables.Class)),
    "users": Target(staging.USER, kept_table(tables.Person)),
    "enrollments": Target(staging.ENROLMENT, kept_table(tables.Enrolment)),
}
IDENTIFIED = {**{file: target.stage for file, target in TARGETS.items()},
              "roles": staging.ROLE, "demographics": staging.DEMOGRAPHIC}  # fmt: skip

_S, _O, _C, _K = staging.SESSION.c, staging.ORG.c, staging.COURSE.c, staging.CLASS.c
_E = staging.ENROLMENT.c

SESSIONS = "academicSessions"
HIERARCHIES = frozenset({SESSIONS, "orgs"})
SLICE = 500
"""Lines that one statement names."""
_ROLE, _USER = staging.ROLE.c, staging.USER
REFERENCES = (
    Reference(SESSIONS, "parentSourcedId", _S.parent, SESSIONS),
    Reference("orgs", "parentSourcedId", _O.parent, "orgs"),
    Reference("courses", "orgSourcedId", _C.organisation, "orgs"),
    Reference("courses", "schoolYearSourcedId", _C.session, SESSIONS),
    Reference("classes", "courseSourcedId", _K.course, "courses"),
    Reference("classes", "schoolSourcedId", _K.organisation, "orgs"),
    Reference(
        "classes", "termSourcedIds", staging.CLASS_TERM.c.term, SESSIONS, staging.CLASS, needed=True
    ),
    Reference("users", "agentSourcedIds", staging.AGENT.c.agent, "users", _USER),
    Reference("users", "orgSourcedIds", _ROLE.organisation, "orgs", _USER, version="1.1"),
    Reference("roles", "userSourcedId", _ROLE.person, "users", version="1.2"),
    Reference("roles", "orgSourcedId", _ROLE.organisation, "orgs", version="1.2"),
    Reference("enrollments", "classSourcedId", _E["class"], "classes"),
    Reference("enrollments", "schoolSourcedId", _E.school, "orgs"),
    Reference("enrollments", "userSourcedId", _E.person, "users"),
    Reference("demographics", "sourcedId", staging.DEMOGRAPHIC.c.id, "users"),
)
"""In an order in which what is left out takes along what hangs on it."""


class Checking:
    """The checks of one set. What is found is a problem, and is left out if ``partial``."""

    def __init__(
        self, connection: Connection, *, origin: str, version: str, names: Mapping[str, str],
        modes: Mapping[str, str], findings: Findings, partial: bool,
    ) -> None:  # fmt: skip
        self._connection = connection
        self._origin = origin
        self._version = version
        self._names = names
        self._modes = modes
        self._findings = findings
        self._partial = partial

    def run(self) -> None:
        """Every check, file by file."""
        for file in self._modes:
            self._duplicates(file)
            self._foreign(file)
            if file in HIERARCHIES:
                self._circles(file)
        if "classes" in self._modes:
            self._empty_terms()
        if self._version == "1.1" and "users" in self._modes:
            self._no_organisation()
        for reference in REFERENCES:
            if reference.file in self._modes and reference.version in {"", self._version}:
                self._resolve(reference)

    def _resolve(self, reference: Reference) -> None:
        self._follow(reference.table, reference.owner)
        # what is left out of a hierarchy takes along what is below it
        while self._unknown(reference) and self._partial and reference.target == reference.file:
            if reference.owner is not None:
                break
        if reference.needed and reference.owner is not None:
            self._follow(reference.owner, reference.table)

    def _duplicates(self, file: str) -> None:
        table = IDENTIFIED[file]
        twice = (
            select(table.c.id, func.min(table.c.line).label("first"))
            .group_by(table.c.id)
            .having(func.count() > 1)
            .subquery()
        )
        found = (
            select(table.c.line, table.c.id, twice.c.first)
            .join(twice, twice.c.id == table.c.id)
            .where(table.c.line > twice.c.first)
        )
        total, rows = self._found(found, table.c.line)
        self._report(
            total,
            [
                (file, line, "sourcedId", f"{self._show(id_)} is there already, on line {first}")
                for line, id_, first in rows
            ],
        )
        self._skip(table, total, table.c.line.in_(select(found.subquery().c.line)))

    def _foreign(self, file: str) -> None:
        """The same id from two sources (page 5, *Rosters have a source*)."""
        if file not in TARGETS:
            return
        stage, kept = TARGETS[file].stage, TARGETS[file].kept
        other = (kept.c.id == stage.c.id) & (kept.c.origin != self._origin)
        found = select(stage.c.line, stage.c.id, kept.c.origin).join(kept, other)
        total, rows = self._found(found, stage.c.line)
        why = "is on file already from {}; --source NAME sets the ids of a source apart"
        self._report(
            total,
            [
                (file, line, "sourcedId", f"{self._show(id_)} {why.format(origin)}")
                for line, id_, origin in rows
            ],
        )
        self._skip(stage, total, exists(select(kept.c.id).where(other)))

    def _circles(self, file: str) -> None:
        """Rows that would stand below themselves, by the set and what was brought before."""
        stage, kept = TARGETS[file].stage, TARGETS[file].kept
        above: dict[str, str | None] = {}
        if self._modes[file] != "bulk":
            before = select(kept.c.id, kept.c.parent).where(kept.c.origin == self._origin)
            above.update({row.id: row.parent for row in self._connection.execute(before)})
        said = select(stage.c.id, stage.c.parent, stage.c.line).where(not_(stage.c.skip))
        rows = self._connection.execute(said.order_by(stage.c.line)).all()
        above.update({row.id: row.parent for row in rows})
        round_ = circles(above)
        wrong = [row for row in rows if row.id in round_]
        why = "leads back to the row itself: none is above the other"
        self._report(
            len(wrong),
            [
                (file, row.line, "parentSourcedId", f"{self._show(row.parent)} {why}")
                for row in wrong[:CAP]
            ],
        )
        lines = [row.line for row in wrong]
        for start in range(0, len(lines), SLICE):
            self._skip(stage, len(lines), stage.c.line.in_(lines[start : start + SLICE]))

    def _empty_terms(self) -> None:
        wrong = staging.CLASS.c.terms == "[]"
        self._missing("classes", staging.CLASS, "termSourcedIds", wrong)
        self._skip(staging.CLASS, 1, wrong)

    def _no_organisation(self) -> None:
        """1.1 requires an organisation; ``partial`` takes the person without one."""
        member = staging.ROLE.c.person == staging.USER.c.id
        none = not_(exists(select(staging.ROLE.c.line).where(member)))
        wrong = and_(none, not_(staging.USER.c.ended))
        self._missing("users", staging.USER, "orgSourcedIds", wrong)

    def _missing(self, file: str, table: Table, heading: str, wrong: ColumnElement[bool]) -> None:
        found = select(table.c.line).where(wrong, not_(table.c.skip))
        total, rows = self._found(found, table.c.line)
        text = "is required and is empty"
        self._report(total, [(file, line, heading, text) for (line,) in rows])

    def _unknown(self, reference: Reference) -> int:
        table, column, target = reference.table, reference.column, TARGETS[reference.target]
        there = target.stage.alias()
        known = exists(select(there.c.id).where(there.c.id == column, not_(there.c.skip)))
        if self._modes.get(reference.target) != "bulk":
            mine = (target.kept.c.id == column) & (target.kept.c.origin == self._origin)
            known = or_(known, exists(select(target.kept.c.id).where(mine)))  # type: ignore[assignment]
        wrong = column.is_not(None) & not_(table.c.skip) & not_(known)
        found = select(table.c.line, column).where(wrong)
        total, rows = self._found(found, table.c.line)
        file = reference.file
        why = f"is not in the {reference.target} of this roster"
        if self._modes.get(reference.target) != "bulk":
            why += " nor in what its source brought before"
        self._report(
            total,
            [(file, line, reference.heading, f"{self._show(id_)} {why}") for line, id_ in rows],
        )
        self._skip(table, total, wrong)
        return total

    def _follow(self, table: Table, leader: Table | None) -> None:
        """Leave out what is on the same line as a row of ``leader`` that is left out."""
        if self._partial and leader is not None:
            lines = select(leader.c.line).where(leader.c.skip)
            self._connection.execute(update(table).where(table.c.line.in_(lines)).values(skip=True))

    def _found(self, found: Any, line: ColumnElement[int]) -> tuple[int, list[Any]]:
        """How many there are, and the first of them."""
        rows = list(self._connection.execute(found.order_by(line).limit(CAP + 1)))
        if len(rows) <= CAP:
            return len(rows), rows
        count = select(func.count()).select_from(found.subquery())
        return self._connection.execute(count).scalar_one(), rows

    def _report(self, total: int, rows: list[tuple[str, int, str, str]]) -> None:
        texts = [place(self._names[file], line, column, why) for file, line, column, why in rows]
        self._findings.extend(texts, total)

    def _skip(self, table: Table, total: int, which: ColumnElement[bool]) -> None:
        if total and self._partial:
            self._connection.execute(update(table).where(which).values(skip=True))

    def _show(self, id_: str) -> str:
        return short(id_.removeprefix(f"{self._origin} "))
