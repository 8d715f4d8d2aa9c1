"""How many decisions there were in each hour, kept so that a chart never reads the trail.

Each record is counted once: for every chain it is known up to where it was counted, and only
what follows is read, in steps. A record that reaches the store late is counted late, in its
own hour. The counts are a convenience and no evidence: they can be made anew at any time.
"""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, and_, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite

from authz.audit.tables import AuditCounted, AuditHead, AuditHour, AuditRecord
from authz.vocabulary import Event

STEP: Final = 50_000
CHAINS: Final = 200
_LOCK: Final = ""
_HOUR: Final = len("2026-11-22T14")


def catch_up(connection: Connection, most: int = STEP) -> int:
    """Count at most so many records more; how many are left. It writes: one at a time."""
    _locked(connection)
    ranges, left = _ranges(connection, most)
    if not ranges:
        return left
    r = AuditRecord
    hour = func.substr(r.time, 1, _HOUR).label("hour")
    within = [and_(r.chain == c, r.sequence > a, r.sequence <= b) for c, a, b in ranges]
    counted = select(hour, r.decision, func.count().label("number")).where(
        or_(*within), r.event == Event.DECISION.value
    )
    rows = connection.execute(counted.group_by(hour, r.decision)).mappings().all()
    if rows:
        statement = _insert(connection, AuditHour)
        more = {"number": AuditHour.number + statement.excluded.number}
        keys = ["hour", "decision"]
        connection.execute(
            statement.on_conflict_do_update(index_elements=keys, set_=more), [dict(x) for x in rows]
        )
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
