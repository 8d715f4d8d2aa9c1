"""Checking a piece of the trail: the records of some neighbouring leaves (N-49).

A :class:`Job` is small enough to be held in memory and needs nothing but the store, so
that several processes can share a verification. It holds each record against its
predecessor, its own hash, its index columns and its mentions, and gives the hash of its
leaf; what comes together from many jobs is :mod:`authz.audit.verify`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

from sqlalchemy import Connection

from authz.audit.bulk import agrees
from authz.audit.chain import MAIN, Tip, digests, genesis
from authz.audit.merkle import leaves as leaves_of
from authz.audit.pieces import Piece
from authz.audit.saying import together
from authz.audit.stored import read_links, read_mentions, read_rows
from authz.audit.walk import Fault, Walk, Writer


class Checked(NamedTuple):
    """What became of a job: all its leaves, or those before the fault."""

    pieces: Sequence[Piece]
    leaves: list[bytes]
    tips: dict[str, Tip]
    writers: list[Writer]
    fault: Fault | None
    mentions: int = 0
    """How many there are on file for these leaves."""
    seal: bytes | None = None
    """Of the newest segment that these records of the main chain tell of."""


def check_job(connection: Connection, pieces: Sequence[Piece]) -> Checked:
    """Check the records of some pieces, which are in the order of their leaves."""
    walks = {
        chain: _walked(connection, (chain, first, last), after)
        for chain, (first, last, after) in _spans(pieces).items()
    }
    hashes = {chain: iter(walk.leaves) for chain, walk in walks.items()}
    leaves: list[bytes] = []
    fault: Fault | None = None
    for piece in pieces:
        found = list(islice(hashes[piece.chain], piece.length))
        leaves += found
        if len(found) < piece.length:
            fault = walks[piece.chain].fault
            break
    return Checked(
        pieces,
        leaves,
        {chain: walk.tip for chain, walk in walks.items()},
        [writer for walk in walks.values() for writer in walk.writers],
        fault,
        sum(walk.found for walk in walks.values()),
        walks[MAIN].seal if MAIN in walks else None,
    )


def _walked(connection: Connection, place: tuple[str, int, int], after: bytes) -> Walk:
    """The records all at once; one by one where that does not say that they are whole."""
    chain, first, last = place
    tip = Tip(first - 1, after) if after else _before(connection, chain, first)
    found = _together(connection, place, tip) if tip.hash else None
    if found is None:
        found = Walk(chain, tip)
        found.run(read_rows(connection, *place), last)
        found.mentioned(read_mentions(connection, *place))
    return found


def _before(connection: Connection, chain: str, first: int) -> Tip:
    """What record ``first`` follows; the hash is empty where there is none."""
    if first <= 1:
        return genesis(chain)
    rows = read_links(connection, chain, first - 1, first - 1)
    known = len(rows) == 1 and isinstance(rows[0][2], bytes) and rows[0][2]
    return Tip(first - 1, rows[0][2]) if known else Tip(first - 2, b"")


def _together(connection: Connection, place: tuple[str, int, int], tip: Tip) -> Walk | None:
    """A walk that has passed all of them, if they and what was derived are as written."""
    chain, first, last = place
    rows = read_links(connection, *place)
    bodies: list[Any] = [row[1] for row in rows]
    hashes: list[Any] = [row[2] for row in rows]
    numbered = [row[0] for row in rows] == [*range(first, last + 1)]
    if not numbered or {*map(type, bodies)} != {bytes}:
        return None
    if digests([tip.hash, *hashes], first, bodies) != hashes:
        return None
    told = together(first, bodies)
    if told is None or not agrees(connection, place, told.columns, told.mentions):
        return None
    walk = Walk(chain, Tip(last, hashes[-1]))
    walk.leaves = leaves_of(chain, first, bodies)
    walk.found = len(told.mentions[0])
    if chain == MAIN:
        for sequence, (event, body) in enumerate(zip(told.events, bodies, strict=True), first):
            walk.tell(sequence, event, body)
    return walk


def _spans(pieces: Sequence[Piece]) -> dict[str, tuple[int, int, bytes]]:
    """For each chain its first and last record, and what it follows; they are neighbours."""
    found: dict[str, tuple[int, int, bytes]] = {}
    for piece in pieces:
        first, _, after = found.get(piece.chain, (piece.first, 0, piece.after))
        found[piece.chain] = first, piece.last, after
    return found
