"""The merge of one staging table into one table of the directory, by a few statements.

New rows are inserted; rows that differ, return or end are updated; of a bulk, what is no
longer there ends. A row that is as it was is not touched, so that the same bulk twice
changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    JSON,
    ColumnElement,
    Connection,
    FromClause,
    Row,
    Select,
    Table,
    Text,
    case,
    cast,
    exists,
    func,
    insert,
    literal,
    not_,
    null,
    or_,
    select,
    type_coerce,
    update,
)

from authz.directory.roster import telling
from authz.directory.roster.summary import Tally
from authz.directory.roster.telling import RowChange, Tell, people_of, untold
from authz.directory.tables import UtcTime

PAGE = 2000
"""Rows that are read at a time to be told."""
MANAGED = frozenset({"id", "ended"})


@dataclass(frozen=True, slots=True)
class Stamp:
    """Whose rows these are, what is written beside them, and who is told of each change."""

    origin: str
    now: datetime
    because: str
    tell: Tell = untold

    @property
    def moment(self) -> ColumnElement[Any]:
        """The time of the import, as a value of the database."""
        return literal(self.now, UtcTime())


@dataclass(frozen=True, slots=True)
class Merge:
    """One merge. ``order`` names the columns by which new rows are inserted."""

    connection: Connection
    kept: Table
    staged: FromClause
    stamp: Stamp
    order: Sequence[str] = ("id",)

    def run(self, absent: ColumnElement[bool] | None) -> Tally:
        """Merge; of the rows of the same origin where ``absent`` holds, those not staged end."""
        known = self._known()
        tally = Tally()
        ended = 0
        if known:
            ended = self._end_staged()
            tally.ended = ended + (0 if absent is None else self._end_absent(absent))
            tally.returned, tally.changed = self._renew_all()
        tally.added = self._insert(tell=known)
        touched = tally.added + tally.returned + tally.changed + ended
        tally.unchanged = self._staged() - touched
        return tally

    @property
    def _payload(self) -> list[str]:
        return [each.name for each in self.staged.c if each.name not in MANAGED]

    @property
    def _mine(self) -> ColumnElement[bool]:
        return self.kept.c.origin == self.stamp.origin

    def _known(self) -> bool:
        return bool(self.connection.execute(select(exists().where(self._mine))).scalar())

    def _empty(self) -> bool:
        """A table without rows needs no look at what is there, which is slow on SQLite."""
        return self.connection.execute(select(self.kept.c.id).limit(1)).first() is None

    def _staged(self) -> int:
        query = select(func.count()).select_from(self.staged)
        return int(self.connection.execute(query).scalar_one())

    def _differs(self) -> ColumnElement[bool]:
        pairs = [(self.kept.c[name], self.staged.c[name]) for name in self._payload]
        return or_(*[_comparable(kept).is_distinct_from(_comparable(new)) for kept, new in pairs])

    def _renew_all(self) -> tuple[int, int]:
        """How many rows returned, and how many changed."""
        gone = self.kept.c.ended_at.is_not(None)
        returned = self._renew({"ended_at": null(), "recorded_by": self.stamp.origin}, gone)
        return returned, self._renew({}, not_(gone), self._differs())

    def _renew(self, also: dict[str, Any], *which: ColumnElement[bool]) -> int:
        values = {name: self.staged.c[name] for name in self._payload}
        values |= also
        chosen = (
            self.kept.c.id == self.staged.c.id,
            self._mine,
            not_(self.staged.c.ended),
            *which,
        )
        how = telling.RETURNED if "ended_at" in also else telling.CHANGED
        if not self._tell_renewed(how, values, chosen):
            return 0
        statement = (
            update(self.kept)
            .where(*chosen)
            .values({self.kept.c[name]: value for name, value in values.items()})
        )
        return self.connection.execute(statement).rowcount

    def _tell_renewed(
        self, how: str, values: dict[str, Any], chosen: Sequence[ColumnElement[bool]]
    ) -> int:
        """Tell the columns that will differ, before they do; how many rows there are."""
        shown = {name: value for name, value in values.items() if name not in telling.UNTOLD}
        new = [
            type_coerce(value, self.kept.c[n].type).label(f"new {n}") for n, value in shown.items()
        ]
        number = 0
        for found in self._each(select(*self.kept.c, *new).where(*chosen)):
            row = found._asdict()
            old = {name: row[name] for name in shown if row[name] != row[f"new {name}"]}
            after = {name: row[f"new {name}"] for name in old}
            people = people_of(self.kept.name, row)
            self.stamp.tell(RowChange(self.kept.name, row["id"], how, people, old, after))
            number += 1
        return number

    def _each(self, found: Select[Any]) -> Iterator[Row[Any]]:
        """The rows of a query, some thousand at a time."""
        result = self.connection.execute(
            found, execution_options={"stream_results": True, "yield_per": PAGE}
        )
        yield from result

    def _end(self, *which: ColumnElement[bool]) -> int:
        chosen = (self._mine, self.kept.c.ended_at.is_(None), *which)
        ending = self._ending()
        after = {name: value for name, value in ending.items() if isinstance(value, str)}
        after = telling.filled(after) | {"ended_at": self.stamp.now}
        number = 0
        for found in self._each(select(*self.kept.c).where(*chosen)):
            row = found._asdict()
            people, before = people_of(self.kept.name, row), telling.filled(row)
            self.stamp.tell(
                RowChange(self.kept.name, row["id"], telling.ENDED, people, before, after)
            )
            number += 1
        if not number:
            return 0
        statement = update(self.kept).where(*chosen).values(ended_at=self.stamp.moment, **ending)
        return self.connection.execute(statement).rowcount

    def _ending(self) -> dict[str, Any]:
        """What else is written on a row that ends."""
        return {}

    def _fresh(self) -> dict[str, Any]:
        """What else is written on a new row."""
        return {}

    def _end_staged(self) -> int:
        return self._end(self.kept.c.id.in_(select(self.staged.c.id).where(self.staged.c.ended)))

    def _end_absent(self, absent: ColumnElement[bool]) -> int:
        there = select(self.staged.c.id).where(self.staged.c.id == self.kept.c.id)
        return self._end(absent, not_(there.exists()))

    def _tell_added(self, rows: Select[Any], names: Sequence[str]) -> None:
        """Tell the rows that are new; of the first import of a source they are only counted."""
        for row in self._each(rows):
            said = dict(zip(names, row, strict=True))
            people, after = people_of(self.kept.name, said), telling.filled(said)
            self.stamp.tell(RowChange(self.kept.name, said["id"], telling.ADDED, people, {}, after))

    def _insert(self, *, tell: bool) -> int:
        new = self.staged
        names: list[str] = [
            *self._payload,
            "id",
            "origin",
            "recorded_at",
            "recorded_by",
            "ended_at",
        ]
        values: list[Any] = [*(new.c[name] for name in self._payload), new.c.id]
        origin = literal(self.stamp.origin)
        values += [origin, self.stamp.moment, origin]
        values.append(case((new.c.ended, self.stamp.moment), else_=null()))
        for name, value in self._fresh().items():
            names.append(name)
            values.append(literal(value))
        if "recorded_because" not in names:
            names.append("recorded_because")
            values.append(literal(self.stamp.because))
        rows = select(*values).order_by(*(new.c[name] for name in self.order))
        if not self._empty():
            both = new.outerjoin(self.kept, self.kept.c.id == new.c.id)
            rows = rows.select_from(both).where(self.kept.c.id.is_(None))
        if tell:
            self._tell_added(rows, names)
        statement = insert(self.kept).from_select(names, rows, include_defaults=False)
        counted = statement.execution_options(preserve_rowcount=True)
        return self.connection.execute(counted).rowcount


def _comparable(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """PostgreSQL cannot compare JSON; its text is as it was written."""
    return cast(column, Text) if isinstance(column.type, JSON) else column
