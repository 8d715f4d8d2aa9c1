"""The tree as it is stored: how large it is, its hashes, and where a record stands in it (N-49)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

from sqlalchemy import Connection, or_, select

from authz.audit import merkle, segments, tiles
from authz.audit.merkle import Reader, entry, leaf_hash
from authz.audit.tables import AuditBatch, AuditRecord, AuditTile
from authz.audit.tiles import Place
from authz.errors import AuditDamagedError, NotFoundError


class Inclusion(NamedTuple):
    """That an entry is leaf ``place`` of the tree with that size and root (RFC 9162, 2.1.3)."""

    entry: bytes
    place: int
    size: int
    hashes: list[bytes]
    root: bytes


class Consistency(NamedTuple):
    """That the second tree begins with all leaves of the first (RFC 9162, 2.1.4)."""

    first: int
    first_root: bytes
    second: int
    second_root: bytes
    hashes: list[bytes]


def size(connection: Connection) -> int:
    """How many leaves the tree has."""
    row = connection.execute(
        select(AuditBatch.position + AuditBatch.count).order_by(AuditBatch.position.desc()).limit(1)
    ).one_or_none()
    return row[0] if row else 0


def root(connection: Connection, leaves: int) -> bytes:
    """The root over the first so many leaves."""
    return merkle.root(leaves, reader(connection))


def reader(connection: Connection) -> Reader:
    """Reads hashes of the tree; AuditDamagedError where a tile does not hold what it should."""
    read = tiles.reader(lambda places: fetch(connection, places))

    def told(nodes: Any) -> Any:
        try:
            return read(nodes)
        except LookupError as error:
            raise _damaged(f"{error.args[0]}.") from error

    return told


def fetch(connection: Connection, places: Iterable[Place]) -> dict[Place, bytes]:
    """Those of the tiles that there are, in one query."""
    wanted = [
        (AuditTile.level == place.level) & (AuditTile.number == place.number) for place in places
    ]
    if not wanted:
        return {}
    rows = connection.execute(
        select(AuditTile.level, AuditTile.number, AuditTile.hashes).where(or_(*wanted))
    )
    return {Place(level, number): bytes(hashes) for level, number, hashes in rows}


def position(connection: Connection, chain: str, sequence: int) -> int | None:
    """Which leaf a record is; nothing where it has no place yet."""
    row = connection.execute(
        select(AuditBatch.position, AuditBatch.sequence, AuditBatch.count)
        .where(AuditBatch.chain == chain, AuditBatch.sequence <= sequence)
        .order_by(AuditBatch.sequence.desc())
        .limit(1)
    ).one_or_none()
    if row is None or sequence >= row.sequence + row.count:
        return None
    place: int = row.position + sequence - row.sequence
    return place


def include(connection: Connection, chain: str, sequence: int, leaves: int) -> Inclusion:
    """The proof that a record is in the tree of that size, tried before it is given.

    NotFoundError where it is not in it; AuditDamagedError where the record, or the tree
    beneath it, is not as it was.
    """
    index = position(connection, chain, sequence)
    if index is None or index >= leaves:
        raise NotFoundError(
            "The tree of this size does not hold such a record.",
            where=f"{chain}-{sequence}",
            hint="A record is in the tree after the next checkpoint.",
        )
    body = connection.execute(
        select(AuditRecord.body).where(AuditRecord.chain == chain, AuditRecord.sequence == sequence)
    ).scalar_one_or_none()
    if body is None and index < segments.sound(connection).leaves:
        raise NotFoundError(
            "The record was retired; its leaf is still in the tree.",
            where=f"{chain}-{sequence}",
            hint="Whoever kept the record can check it against the tiles and the checkpoints.",
        )
    if not isinstance(body, bytes):
        raise _damaged(f"Record {sequence} of chain {chain} is missing.")
    read = reader(connection)
    content = entry(chain, sequence, body)
    hashes = merkle.inclusion_proof(index, leaves, read)
    top = merkle.root(leaves, read)
    if not merkle.verify_inclusion(leaf_hash(content), index, leaves, hashes, top):
        raise _damaged(f"Record {sequence} of chain {chain} is not the one in the tree.")
    return Inclusion(content, index, leaves, hashes, top)


def consist(connection: Connection, first: int, second: int) -> Consistency:
    """The proof that the tree grew from one size to another, tried before it is given."""
    read = reader(connection)
    hashes = merkle.consistency_proof(first, second, read)
    one, two = merkle.root(first, read), merkle.root(second, read)
    if not merkle.verify_consistency(first, second, hashes, one, two):
        raise _damaged(f"The trees of {first} and {second} leaves do not fit each other.")
    return Consistency(first, one, second, two, hashes)


def _damaged(text: str) -> AuditDamagedError:
    return AuditDamagedError(text, where="audit trail", hint="Run `authz audit verify`.")
