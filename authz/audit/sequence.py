"""The sequencer: gives the records of all chains one order, and grows the tree by them (N-49).

Writers have chains of their own and wait for nobody; the order is given afterwards, in
batches of neighbours of one chain. A batch and the tiles it fills stand or fall with one
transaction, and one sequencer works at a time, so that whatever ends the process, the tree
is that of the batches. A record's place never changes once it was given.

A chain of which a record is missing or is no record goes on no further: leaves cannot be
put in between later. It is told each time, verification names the damage, and the other
chains go on.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, insert, literal, select, union_all
from sqlalchemy.dialects import postgresql, sqlite

from authz.audit.merkle import leaves as leaves_of
from authz.audit.tables import AuditBatch, AuditHead, AuditRecord, AuditTile
from authz.audit.tiles import edge, grown
from authz.audit.tree import fetch, size
from authz.errors import AuditDamagedError

MOST: Final = 2000
"""Records in one transaction, so that on SQLite other writers wait some hundredths of a second."""
_CHAINS: Final = 400
"""Chains in one transaction; SQLite puts no more than 500 selects together."""
_LOCK: Final = 0x61757468_7A000004
"""The advisory lock on PostgreSQL: one number of this service's own."""
_log = logging.getLogger(__name__)


class Span(NamedTuple):
    """Neighbours of a chain, from record ``first`` on, ``length`` of them."""

    chain: str
    first: int
    length: int


def sequence(connection: Connection, most: int = MOST) -> int:
    """Put up to ``most`` recorded records into the tree; how many there were.

    The transaction must be one that writes from its begin (on SQLite
    ``authz_write=True``), and on PostgreSQL one that reads what is committed: it waits for
    another sequencer and goes on after it. Call it until it does nothing.
    """
    lock(connection)
    spans = _shared(_behind(connection), most)
    if not spans:
        return 0
    at = size(connection)
    leaves: list[bytes] = []
    batches: list[dict[str, Any]] = []
    for span, found in _read(connection, spans):
        if found:
            row = {"chain": span.chain, "sequence": span.first, "count": len(found)}
            batches.append({"position": at + len(leaves), **row})
            leaves.extend(found)
        if len(found) < span.length:
            _log.error(
                "The audit trail is damaged: record %d of chain %s cannot be read; "
                "run `authz audit verify`.",
                span.first + len(found),
                span.chain,
            )
    if leaves:
        _write(connection, at, batches, leaves)
    return len(leaves)


def lock(connection: Connection) -> None:
    """Wait until no other transaction grows or signs the tree; SQLite has one writer at a time."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))


def _behind(connection: Connection) -> list[Span]:
    """What of each chain is recorded and has no place yet."""
    done = (
        select(AuditBatch.sequence + AuditBatch.count)
        .where(AuditBatch.chain == AuditHead.chain)
        .order_by(AuditBatch.sequence.desc())
        .limit(1)
        .scalar_subquery()
    )
    first = func.coalesce(done, literal(1))
    rows = connection.execute(
        select(AuditHead.chain, first, AuditHead.sequence + 1 - first)
        .where(AuditHead.sequence >= first)
        .order_by(AuditHead.chain)
    )
    return [Span(*row) for row in rows]


def _shared(spans: Iterable[Span], most: int) -> list[Span]:
    """At most so many of all chains, of which none takes the share of another."""
    waiting = sorted(spans, key=lambda span: span.length)[-_CHAINS:]
    found = []
    for number, span in enumerate(waiting):
        share = min(span.length, most // (len(waiting) - number))
        if share:
            found.append(span._replace(length=share))
            most -= share
    return found


def _read(connection: Connection, spans: Sequence[Span]) -> Iterator[tuple[Span, list[bytes]]]:
    """The leaves of each span, up to the first record that is not there."""
    rows = connection.execute(
        union_all(
            *(
                select(AuditRecord.chain, AuditRecord.sequence, AuditRecord.body).where(
                    _within(span)
                )
                for span in spans
            )
        )
    ).all()
    by_chain: dict[str, dict[int, Any]] = defaultdict(dict)
    for chain, number, body in rows:
        by_chain[chain][number] = body
    for span in spans:
        yield span, leaves_of(span.chain, span.first, _bodies(span, by_chain[span.chain]))


def _within(span: Span) -> ColumnElement[bool]:
    last = span.first + span.length - 1
    return (AuditRecord.chain == span.chain) & AuditRecord.sequence.between(span.first, last)


def _bodies(span: Span, bodies: dict[int, Any]) -> Iterator[bytes]:
    """The bodies of a span, up to the first that is none."""
    for number in range(span.first, span.first + span.length):
        body = bodies.get(number)
        if not isinstance(body, bytes):
            return
        yield body


def _write(
    connection: Connection, at: int, batches: list[dict[str, Any]], leaves: list[bytes]
) -> None:
    try:
        tiles = grown(at, fetch(connection, edge(at)), leaves)
    except ValueError as error:
        raise AuditDamagedError(
            f"The tree does not go on from its {at} leaves: {error}.",
            where="audit_tile",
            hint="Run `authz audit verify`.",
        ) from error
    connection.execute(insert(AuditBatch), batches)
    rows = [
        {"level": place.level, "number": place.number, "hashes": tile}
        for place, tile in tiles.items()
    ]
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    put = dialect.insert(AuditTile)
    grow = put.on_conflict_do_update(
        index_elements=["level", "number"], set_={"hashes": put.excluded.hashes}
    )
    connection.execute(grow, rows)
