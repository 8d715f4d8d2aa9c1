"""How many decisions there were in each hour, kept so that a chart never reads the trail.

Each record is counted once: for every chain it is known up to where it was counted, and only
what follows is read, in steps. A record that reaches the store late is counted late, in its
own hour. The counts are a convenience and no evidence: they can be made anew at any time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Connection, Select, and_, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from authz.audit.tables import (
    AuditCounted,
    AuditHead,
    AuditHour,
    AuditPlaceHour,
    AuditRecord,
)
from authz.vocabulary import Event

STEP: Final = 50_000
CHAINS: Final = 200
_LOCK: Final = ""
_HOUR: Final = len("2026-11-22T14")
_HOUR_OF: Final = func.substr(AuditRecord.time, 1, _HOUR).label("hour")

Placed = Callable[[Select[Any]], Select[Any]]


def catch_up(connection: Connection, most: int = STEP, *, placed: Placed | None = None) -> int:
    """Count at most so many records more; how many are left. It writes: one at a time.

    ``placed`` joins to records a column ``place`` for each place of the person they are about.
    """
    _locked(connection)
    ranges, left = _ranges(connection, most)
    if not ranges:
        return left
    r = AuditRecord
    within = [and_(r.chain == c, r.sequence > a, r.sequence <= b) for c, a, b in ranges]
    asked = cast("Select[Any]", select(r.chain, r.sequence, _HOUR_OF, r.decision))
    asked = asked.where(or_(*within), r.event == Event.DECISION.value)
    _add(connection, AuditHour, asked)
    if placed is not None:
        _add(connection, AuditPlaceHour, placed(asked).distinct())
    marks = _insert(connection, AuditCounted)
    moved = {"sequence": marks.excluded.sequence}
    connection.execute(
        marks.on_conflict_do_update(index_elements=["chain"], set_=moved),
        [{"chain": chain, "sequence": last} for chain, _, last in ranges],
    )
    return left


def hours(connection: Connection, since: str) -> list[tuple[str, str, int]]:
    """The counts from an hour on, as ``2026-11-22T14``: hour, decision, number."""
    query = select(AuditHour.hour, AuditHour.decision, AuditHour.number)
    found = connection.execute(query.where(AuditHour.hour >= since).order_by(AuditHour.hour))
    return [(row[0], row[1], row[2]) for row in found]


def hours_at(
    connection: Connection, since: str, at: Callable[[Any], ColumnElement[bool]]
) -> list[tuple[str, str, int]]:
    """The same of some places, chosen by a condition on the column that names them."""
    c = AuditPlaceHour
    query = select(c.hour, c.decision, func.sum(c.number)).where(c.hour >= since, at(c.place))
    found = connection.execute(query.group_by(c.hour, c.decision).order_by(c.hour))
    return [(row[0], row[1], int(row[2])) for row in found]


def forget(connection: Connection, before: str) -> None:
    """Keep no counts of places from before an hour: of a chart's days no more are needed."""
    connection.execute(delete(AuditPlaceHour).where(AuditPlaceHour.hour < before))


def _add(connection: Connection, table: Any, asked: Select[Any]) -> None:
    """Add the records of a statement to a table of counts, by that table's key."""
    found = asked.subquery()
    named = [column.name for column in table.__table__.primary_key]
    keys = [found.c[name] for name in named]
    counted = select(*keys, func.count().label("number")).group_by(*keys)
    rows = [dict(row) for row in connection.execute(counted).mappings()]
    if rows:
        statement = _insert(connection, table)
        more = {"number": table.number + statement.excluded.number}
        connection.execute(statement.on_conflict_do_update(index_elements=named, set_=more), rows)


def _ranges(connection: Connection, most: int) -> tuple[list[tuple[str, int, int]], int]:
    """What to count now, by chain, and how many records are left after that."""
    head, counted = AuditHead, AuditCounted
    begun = func.coalesce(counted.sequence, 0)
    query = select(head.chain, begun, head.sequence).outerjoin(counted, counted.chain == head.chain)
    found: list[tuple[str, int, int]] = []
    left = 0
    for chain, first, last in connection.execute(query.where(head.sequence > begun)):
        upto = min(last, first + most) if len(found) < CHAINS else first
        left += last - upto
        most -= upto - first
        if upto > first:
            found.append((chain, first, upto))
    return found, left


def _locked(connection: Connection) -> None:
    """Whoever counts holds the row of no chain until it is done."""
    row = _insert(connection, AuditCounted).values(chain=_LOCK, sequence=0)
    connection.execute(row.on_conflict_do_nothing())
    mine = select(AuditCounted.chain).where(AuditCounted.chain == _LOCK)
    connection.execute(mine.with_for_update())


def _insert(connection: Connection, table: Any) -> Any:
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    return dialect.insert(table)
