"""What is still there of the segment that was retired last: its removal may go on (N-49).

A segment's records are removed from its last leaf to its first, a few at a time, so that
nobody waits long. Whatever ends the process, what is left are the segment's first leaves:
they follow what was retired before, and can be verified as any others. Anything else at the
place of a retired record was put there by hand.
"""

from __future__ import annotations

from sqlalchemy import Connection, func, select

from authz.audit.pieces import Piece
from authz.audit.segments import Retired, begun
from authz.audit.tables import AuditBatch, AuditRecord


def left(connection: Connection, retired: Retired) -> list[Piece]:
    """The first leaves of the last segment that are still there, in their order.

    Empty where records are there that are not the first: they are no leftover.
    """
    before = retired.before
    if before is None:
        return []
    within = (AuditRecord.chain == AuditBatch.chain) & AuditRecord.sequence.between(
        AuditBatch.sequence, AuditBatch.sequence + AuditBatch.count - 1
    )
    place = (AuditBatch.position, AuditBatch.chain, AuditBatch.sequence, AuditBatch.count)
    there = (func.count(AuditRecord.sequence), func.max(AuditRecord.sequence))
    rows = connection.execute(
        select(*place, *there)
        .outerjoin(AuditRecord, within)
        .where(AuditBatch.position >= before.leaves, AuditBatch.position < retired.leaves)
        .group_by(*place)
        .order_by(AuditBatch.position)
    )
    found: list[Piece] = []
    whole = True
    for position, chain, first, count, number, last in rows:
        if number and (not whole or last != first + number - 1):
            return []
        if number:
            found.append(begun(Piece(chain, first, number, position), before))
        whole = number == count
    return found


def spans(pieces: list[Piece]) -> dict[str, tuple[int, int]]:
    """For each chain its first and last record; they are neighbours."""
    found: dict[str, tuple[int, int]] = {}
    for piece in pieces:
        first, _ = found.get(piece.chain, (piece.first, 0))
        found[piece.chain] = first, piece.last
    return found


def cut(pieces: list[Piece], most: int) -> tuple[list[Piece], list[Piece]]:
    """The pieces without their last leaves, and those, at most so many."""
    kept, taken = list(pieces), list[Piece]()
    while kept and most:
        piece = kept.pop()
        length = min(most, piece.length)
        most -= length
        if length < piece.length:
            kept.append(piece._replace(length=piece.length - length))
        begin = piece.length - length
        taken.append(Piece(piece.chain, piece.first + begin, length, piece.position + begin))
    return kept, taken[::-1]
