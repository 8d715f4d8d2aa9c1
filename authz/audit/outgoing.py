"""What leaves the trail, in the one order of all records: that of the tree's leaves (N-49).

A record's position is that of its leaf and never changes, so that a position is all that a
receiver has to remember. A position without a record is one that was retired or taken away:
it is passed over here, and verification tells which it was.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Connection, func, select

from authz.audit.tables import AuditBatch, AuditRecord
from authz.audit.tree import size

MOST: Final = 1000
"""Records in one page."""


class Placed(NamedTuple):
    """A record where it stands; ``body`` is its bytes as they are in the trail."""

    position: int
    chain: str
    sequence: int
    body: bytes

    @property
    def id(self) -> str:
        """The id by which a receiver knows that it has the record already."""
        return f"{self.chain}-{self.sequence}"

    def line(self) -> bytes:
        """The record as a line of JSON Lines: position, id and record."""
        return b'{"position":%d,"id":"%s","record":%s}\n' % (
            self.position,
            self.id.encode(),
            self.body,
        )


class Page(NamedTuple):
    """Records from a position to before ``end``; ``tip`` is how many leaves there are."""

    records: list[Placed]
    end: int
    tip: int


def page(connection: Connection, start: int, most: int = MOST) -> Page:
    """The records at the positions from ``start`` on, up to so many of them."""
    tip = size(connection)
    end = min(start + most, tip)
    if end <= start:
        return Page([], start, tip)
    first = (
        select(func.max(AuditBatch.position)).where(AuditBatch.position <= start).scalar_subquery()
    )
    place = AuditBatch.position + AuditRecord.sequence - AuditBatch.sequence
    rows = connection.execute(
        select(place, AuditRecord.chain, AuditRecord.sequence, AuditRecord.body)
        .join_from(AuditBatch, AuditRecord, AuditRecord.chain == AuditBatch.chain)
        .where(
            AuditBatch.position >= first,
            AuditBatch.position < end,
            AuditRecord.sequence >= AuditBatch.sequence,
            AuditRecord.sequence < AuditBatch.sequence + AuditBatch.count,
            place >= start,
            place < end,
        )
        .order_by(place)
    )
    found: list[Any] = [row for row in rows if isinstance(cast("Any", row[3]), bytes)]
    return Page([Placed(*row) for row in found], end, tip)
