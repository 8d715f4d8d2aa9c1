"""Taking the oldest records out of the trail, so that what is left can still be verified (N-49).

A segment's records are verified once more, in a snapshot that nobody waits for. Then one
short transaction writes down what is left of them, and the trail records who did it and why:
they count no more, all of them or none. Then they are removed, from the last to the first, in
transactions as short as others can wait for. What a process that ended left of them, the next
one removes before anything else; verification knows them (:mod:`authz.audit.leftover`). Only
the owner of the tables can (the triggers of migration 0002 refuse everybody else), and only
what a published checkpoint covers.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select, text

from authz.audit import log, segments, tree
from authz.audit.chain import Tip, genesis
from authz.audit.finding import Damaged, explained
from authz.audit.growth import in_tree
from authz.audit.leftover import left, spans
from authz.audit.pieces import Job, Piece, jobs
from authz.audit.record import Entry, Ref, timestamp
from authz.audit.segments import Retired, begun, seal, spelt
from authz.audit.sequence import lock
from authz.audit.spans import Checked, check_job
from authz.audit.tables import AuditBatch, AuditMention, AuditRecord, AuditSegment
from authz.audit.walk import Writer
from authz.errors import AuditDamagedError
from authz.vocabulary import Event

MOST: Final = 8_000
"""Records in a segment: as many as are verified in one snapshot of about a second."""
_PAGE: Final = 20
_EMPTIED: Final = (AuditMention, AuditRecord)


class Order(NamedTuple):
    """What is to be retired: records before ``older_than`` among the first ``covered`` leaves.

    ``checkpoint`` is the time of the published checkpoint that covers them.
    """

    older_than: datetime
    covered: int
    checkpoint: str
    by: str
    why: str
    now: datetime


class Planned(NamedTuple):
    """A segment that may go: so many ``leaves``, ``after`` the segment of that seal."""

    leaves: int
    after: bytes
    row: dict[str, Any]


class _Found(NamedTuple):
    tips: dict[str, Tip]
    closed: dict[str, Tip]


def planned(connection: Connection, order: Order) -> Planned | None:
    """The next segment, of which each record was verified; nothing where nothing is old.

    It reads one snapshot, and nobody waits for it. AuditDamagedError where the records are
    not as they were written: what is damaged is evidence, and stays.
    """
    before = segments.sound(connection)
    pieces = list(_old(connection, before.leaves, order))
    count = sum(piece.length for piece in pieces)
    if not count:
        return None
    found = _checked(connection, pieces, before)
    return Planned(count, before.seal, _row(connection, before, count, found, order))


def commit(connection: Connection, plan: Planned, order: Order) -> bool:
    """Retire the segment in the caller's writing transaction; not where another one was first.

    From then on its records count no more, and :func:`remove` may take them away.
    """
    lock(connection)
    now = segments.sound(connection)
    if now.seal != plan.after or left(connection, now):
        return False
    connection.execute(insert(AuditSegment), [plan.row])
    log.append(connection, [_entry(plan.row, order)])
    return True


def remaining(connection: Connection) -> list[Piece]:
    """The records of the last segment that are still to be removed, in the order of leaves.

    AuditDamagedError where they are not what they were.
    """
    retired = segments.sound(connection)
    found = left(connection, retired)
    if retired.before is not None:
        _checked(connection, found, retired.before)
    return found


def remove(connection: Connection, pieces: list[Piece]) -> None:
    """Take the last of the remaining records away, in the caller's writing transaction.

    AuditDamagedError where they are not there, or not all of them.
    """
    lock(connection)
    with _allowed(connection):
        _remove(connection, pieces)


def _old(connection: Connection, position: int, order: Order) -> Iterator[Piece]:
    """The next whole batches of which every record is old, at most :data:`MOST` leaves."""
    within = (AuditRecord.chain == AuditBatch.chain) & AuditRecord.sequence.between(
        AuditBatch.sequence, AuditBatch.sequence + AuditBatch.count - 1
    )
    place = (AuditBatch.position, AuditBatch.chain, AuditBatch.sequence, AuditBatch.count)
    query = select(*place, func.max(AuditRecord.time)).outerjoin(AuditRecord, within)
    older, room = timestamp(order.older_than), MOST
    while rows := connection.execute(
        query.where(AuditBatch.position >= position)
        .group_by(*place)
        .order_by(AuditBatch.position)
        .limit(_PAGE)
    ).all():
        for row in rows:
            end = row[0] + row[3]
            room -= row[3]
            if end > order.covered or (row[4] or "") >= older or room < 0:
                return
            yield Piece(row[1], row[2], row[3], row[0])
            position = end


def _checked(connection: Connection, pieces: Sequence[Piece], before: Retired) -> _Found:
    """Where the chains stand after the records, which are as they were written."""
    tips: dict[str, Tip] = {}
    writers: list[Writer] = []
    try:
        for job in jobs(begun(piece, before) for piece in pieces):
            checked = check_job(connection, job)
            _hold(connection, job, checked)
            tips.update(checked.tips)
            writers += checked.writers
    except Damaged as found:
        damage = found.damage
        raise AuditDamagedError(
            f"What is damaged is not retired: {damage.kind}. {damage.text}.",
            where=f"{damage.chain}-{damage.sequence}",
            hint="Run `authz audit verify`.",
        ) from found
    known = tips.keys() | before.tips.keys()
    opened = {each.chain for each in writers if each.closed is None} - known
    tips |= {chain: genesis(chain) for chain in opened}
    return _Found(tips, {each.chain: each.closed for each in writers if each.closed is not None})


def _hold(connection: Connection, job: Job, checked: Checked) -> None:
    if checked.fault is not None:
        raise Damaged(explained(connection, checked.fault, {}))
    in_tree(connection, job, checked.leaves)


def _row(
    connection: Connection, before: Retired, count: int, found: _Found, order: Order
) -> dict[str, Any]:
    row = {
        "number": len(before.roots) + 1,
        "position": before.leaves,
        "count": count,
        "root": tree.root(connection, before.leaves + count),
        "chains": spelt(*found),
        "older_than": timestamp(order.older_than),
        "checkpoint": order.checkpoint,
        "time": timestamp(order.now),
        "retired_by": order.by,
        "why": order.why,
    }
    return {**row, "seal": seal(before.seal, row)}


def _remove(connection: Connection, pieces: list[Piece]) -> None:
    gone = 0
    for table in _EMPTIED:
        gone = sum(
            connection.execute(
                delete(table).where(table.chain == chain, table.sequence.between(first, last))
            ).rowcount
            for chain, (first, last) in spans(pieces).items()
        )
    count = sum(piece.length for piece in pieces)
    if gone != count:
        raise AuditDamagedError(
            f"There are {gone} records where {count} were to be removed.",
            where="audit_record",
            hint="Run `authz audit verify`.",
        )


@contextmanager
def _allowed(connection: Connection) -> Iterator[None]:
    """Deletion is allowed to the owner, in this transaction, until the end of the block."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL authz.retire = 'on'"))
        yield
        connection.execute(text("SET LOCAL authz.retire = 'off'"))
        return
    names = [f"{table.__tablename__}_delete" for table in _EMPTIED]
    asked = text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
    guards = {name: sql for name, sql in connection.execute(asked) if name in names}
    for name in guards:
        connection.execute(text(f"DROP TRIGGER {name}"))
    yield
    for sql in guards.values():
        connection.exec_driver_sql(sql)


def _entry(row: dict[str, Any], order: Order) -> Entry:
    kept = ("position", "count", "older_than", "checkpoint", "why")
    return Entry(
        event=Event.TRAIL_RETIRED,
        time=order.now,
        application="authz",
        subject=Ref("operator", order.by),
        action="retire",
        resource=Ref("segment", str(row["number"])),
        detail={
            **{name: row[name] for name in kept},
            "who": order.by,
            "root": row["root"].hex(),
            "seal": row["seal"].hex(),
        },
    )
