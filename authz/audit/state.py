"""What the store says of the trail as a whole: heads, counts, batches, tiles, checkpoints.

Everything that can be long is read page by page, in constant memory.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import suppress
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, func, or_, select, tuple_

from authz.audit.chain import MAIN, Tip
from authz.audit.saying import NO_RECORD, members
from authz.audit.tables import (
    AuditBatch,
    AuditCheckpoint,
    AuditHead,
    AuditMention,
    AuditRecord,
    AuditTile,
)
from authz.audit.tiles import Place
from authz.vocabulary import Event

_PAGE: Final = 2000


class Count(NamedTuple):
    """How many records of a chain there are, and the last number among them."""

    records: int
    last: Any


class Stored(NamedTuple):
    """A row of a checkpoint, as the store has it."""

    time: Any
    size: Any
    root: Any
    note: Any


def heads(connection: Connection) -> dict[Any, Tip]:
    """Where each chain ends."""
    rows = connection.execute(select(AuditHead.chain, AuditHead.sequence, AuditHead.hash))
    return {row[0]: Tip(row[1], row[2]) for row in rows}


def counted(connection: Connection) -> dict[Any, Count]:
    """How many records there are of each chain."""
    rows = connection.execute(
        select(AuditRecord.chain, func.count(), func.max(AuditRecord.sequence)).group_by(
            AuditRecord.chain
        )
    )
    return {row[0]: Count(row[1], row[2]) for row in rows}


def stray(connection: Connection, chain: str, *known: tuple[int, int]) -> Any:
    """The first number of a chain that is in no span (first, last) of those known, if any."""
    outside = [~AuditRecord.sequence.between(first, last) for first, last in known]
    return connection.execute(
        select(AuditRecord.sequence)
        .where(AuditRecord.chain == chain, *outside)
        .order_by(AuditRecord.sequence)
        .limit(1)
    ).scalar()


def mentions(connection: Connection) -> int:
    """How many mentions are on file."""
    return connection.execute(select(func.count()).select_from(AuditMention)).scalar_one()


def stray_mention(connection: Connection) -> tuple[Any, Any]:
    """Chain and number of the first mention on file of a record that there is not."""
    at = (AuditMention.chain, AuditMention.sequence)
    here = (AuditRecord.chain == at[0]) & (AuditRecord.sequence == at[1])
    asked = select(*at).where(~select(1).where(here).exists()).order_by(*at).limit(1)
    row = connection.execute(asked).one_or_none()
    return (row[0], row[1]) if row else ("", 0)


def place(connection: Connection, chain: str, sequence: int) -> Tip | None:
    """The record of that number, as its place in the chain."""
    row = connection.execute(
        select(AuditRecord.sequence, AuditRecord.hash).where(
            AuditRecord.chain == chain, AuditRecord.sequence == sequence
        )
    ).one_or_none()
    return Tip(*row) if row else None


def batches(connection: Connection, after: int | None = None) -> Iterator[Any]:
    """The batches in the order of their leaves: position, chain, sequence, count."""
    order = AuditBatch.position
    query = select(order, AuditBatch.chain, AuditBatch.sequence, AuditBatch.count)
    while rows := connection.execute(
        query.where(order > after if after is not None else order.is_not(None))
        .order_by(order)
        .limit(_PAGE)
    ).all():
        yield from rows
        after = rows[-1][0]


def batches_of(connection: Connection, chain: str, first: int, last: int) -> Iterator[Any]:
    """The batches that hold records ``first`` to ``last`` of a chain."""
    at = AuditBatch.sequence
    while rows := connection.execute(
        select(AuditBatch.position, AuditBatch.chain, at, AuditBatch.count)
        .where(AuditBatch.chain == chain, at + AuditBatch.count > first, at <= last)
        .order_by(at)
        .limit(_PAGE)
    ).all():
        yield from rows
        first = rows[-1][2] + rows[-1][3]


def sequenced(connection: Connection, size: int) -> dict[str, Tip]:
    """Where each chain stands in the tree of the first ``size`` leaves, which ends with a batch."""
    last = func.max(AuditBatch.sequence + AuditBatch.count - 1).label("last")
    ends = (
        select(AuditBatch.chain.label("chain"), last)
        .where(AuditBatch.position + AuditBatch.count <= size)
        .group_by(AuditBatch.chain)
        .subquery()
    )
    rows = connection.execute(
        select(AuditRecord.chain, AuditRecord.sequence, AuditRecord.hash).join(
            ends, (AuditRecord.chain == ends.c.chain) & (AuditRecord.sequence == ends.c.last)
        )
    )
    return {row[0]: Tip(row[1], row[2]) for row in rows}


def tiles(connection: Connection, places: Collection[Place]) -> dict[Place, bytes]:
    """These tiles of the tree, as far as they are stored; what is no bytes is none."""
    if not places:
        return {}
    wanted = or_(
        *(
            (AuditTile.level == first.level)
            & AuditTile.number.between(first.number, first.number + length - 1)
            for first, length in _runs(places)
        )
    )
    rows: Any = connection.execute(
        select(AuditTile.level, AuditTile.number, AuditTile.hashes).where(wanted)
    )
    return {Place(row[0], row[1]): row[2] for row in rows if isinstance(row[2], bytes)}


def _runs(places: Collection[Place]) -> Iterator[tuple[Place, int]]:
    """The places as neighbours: the first of each run, and how many they are."""
    first, length = Place(-1, -1), 0
    for each in sorted(places):
        if length and each == Place(first.level, first.number + length):
            length += 1
            continue
        if length:
            yield first, length
        first, length = each, 1
    if length:
        yield first, length


def tile_count(connection: Connection) -> int:
    """How many tiles are stored."""
    return connection.execute(select(func.count()).select_from(AuditTile)).scalar_one()


def checkpoints(connection: Connection, size: int) -> Iterator[Stored]:
    """The signed checkpoints of at least that size, the smallest first."""
    order = (AuditCheckpoint.size, AuditCheckpoint.time)
    query = select(AuditCheckpoint.time, order[0], AuditCheckpoint.root, AuditCheckpoint.note)
    bound = AuditCheckpoint.size >= size
    while rows := connection.execute(query.where(bound).order_by(*order).limit(_PAGE)).all():
        yield from (Stored(*row) for row in rows)
        bound = tuple_(*order) > tuple_(rows[-1][1], rows[-1][0])


def opened(connection: Connection) -> set[str]:
    """The chains that the main chain says were opened, as its index tells it."""
    found = set()
    opening = (AuditRecord.chain == MAIN) & (AuditRecord.event == Event.WRITER_OPENED.value)
    for (body,) in connection.execute(select(AuditRecord.body).where(opening)):
        with suppress(*NO_RECORD):
            found.add(str(members(body)["resource"]["id"]))
    return found
