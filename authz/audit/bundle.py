"""A part of the trail, or all of it, as a file that a stranger can check (N-49).

A *bundle* is a zip file of four members:

- ``checkpoint``: a signed checkpoint, as it was published;
- ``keys``: the public keys there were (vkeys, a line each); whoever checks has his own copy;
- ``records.jsonl``: a line for each record in the order of the leaves: ``leaf``, ``chain``,
  ``sequence`` and ``body``, which is the record's text, to be hashed as it is in UTF-8. In a
  *whole* bundle, which has every leaf of the checkpoint, a line has ``hash`` besides, the
  chain's; in a *part*, it has ``proof``, the inclusion proof (base64, from the leaf upwards);
- ``about.json``: ``v``, ``whole`` and the number of ``records``; in a whole bundle of a trail
  whose oldest records were retired, ``retired`` besides: ``subtrees``, how many leaves each
  whole subtree of the retired ones has, and its root; ``tips``, where the chains stood.

It is written in one go and in constant memory, and is in place when it is complete.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final, NamedTuple
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select
from sqlalchemy.orm import aliased

from authz.audit import merkle, note, segments, state
from authz.audit.merkle import Node, Reader
from authz.audit.pieces import Piece, jobs
from authz.audit.segments import Retired
from authz.audit.stored import read_links
from authz.audit.tables import AuditBatch, AuditRecord
from authz.audit.tree import reader
from authz.errors import AuditDamagedError

VERSION: Final = 1
CHECKPOINT: Final = "checkpoint"
KEYS: Final = "keys"
RECORDS: Final = "records.jsonl"
ABOUT: Final = "about.json"
_REMEMBERED: Final = 100_000
"""Nodes that are kept for the next proofs; neighbours share most of theirs."""

_encode: Final = msgspec.json.Encoder().encode

Progress = Callable[[int, int], None]


class Selection(NamedTuple):
    """The records of a part: those that fit all conditions, and one more that tells of it."""

    conditions: Sequence[ColumnElement[bool]]
    also: tuple[str, int]


def write(
    connection: Connection,
    path: Path,
    *,
    checkpoint: str,
    vkeys: Sequence[str],
    selection: Selection | None = None,
    progress: Progress | None = None,
) -> int:
    """Write the bundle of a checkpoint, or of a selection of its leaves; how many records.

    AuditDamagedError where a record or a tile is not what it should be; then there is no file.
    """
    size = note.checkpoint(note.parse(checkpoint).text).size
    retired = segments.sound(connection)
    if selection is None:
        lines, total = _all(connection, size, retired), size - retired.leaves
    else:
        lines, total = _some(connection, size, selection), 0
    with _draft(path) as stream, ZipFile(stream, "w", ZIP_DEFLATED, compresslevel=3) as file:
        file.writestr(CHECKPOINT, checkpoint)
        file.writestr(KEYS, "".join(f"{each}\n" for each in vkeys))
        count = 0
        with file.open(RECORDS, "w", force_zip64=True) as out:
            for count, line in enumerate(lines, 1):
                out.write(_encode(line) + b"\n")
                if progress is not None and count % 1000 == 0:
                    progress(count, total or count)
        about: dict[str, Any] = {"v": VERSION, "whole": selection is None, "records": count}
        if selection is None and retired.leaves:
            about["retired"] = _begun(connection, retired)
        file.writestr(ABOUT, json.dumps(about))
    return count


class _draft:  # noqa: N801 (used as a function)
    """A file that is put in place when it is complete, and is gone otherwise."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.draft = path.with_name(f".{uuid4().hex}")

    def __enter__(self) -> IO[bytes]:
        self.stream = self.draft.open("xb")
        return self.stream

    def __exit__(self, kind: object, *_: object) -> None:
        with self.stream:
            if kind is None:
                self.stream.flush()
                os.fsync(self.stream.fileno())
        if kind is None:
            self.draft.replace(self.path)
        with suppress(OSError):
            self.draft.unlink(missing_ok=True)


def _begun(connection: Connection, retired: Retired) -> dict[str, Any]:
    """The tree and the chains as they were when the oldest records were taken away."""
    nodes = merkle.cover(0, retired.leaves)
    hashes = reader(connection)(nodes)
    return {
        "subtrees": [
            [1 << node.level, b64encode(each).decode()]
            for node, each in zip(nodes, hashes, strict=True)
        ],
        "tips": {chain: [tip.sequence, tip.hash.hex()] for chain, tip in retired.tips.items()},
    }


def _all(connection: Connection, size: int, retired: Retired) -> Iterator[dict[str, Any]]:
    """Every leaf below ``size`` that was not retired; one whose record is missing is missing."""
    placed = (
        Piece(row[1], row[2], min(row[3], size - row[0]), row[0])
        for row in state.batches(connection, retired.leaves - 1 if retired.leaves else None)
        if row[0] < size
    )
    for job in jobs(placed):
        rows: dict[str, dict[int, Any]] = {}
        for piece in job:
            found = read_links(connection, piece.chain, piece.first, piece.last)
            rows.setdefault(piece.chain, {}).update((row[0], row) for row in found)
        for piece in job:
            for number in range(piece.first, piece.last + 1):
                row = rows[piece.chain].get(number)
                if row is not None:
                    leaf = piece.position + number - piece.first
                    line = _line(leaf, piece.chain, number, row[1])
                    yield {**line, "hash": bytes(row[2]).hex()}


def _some(connection: Connection, size: int, selection: Selection) -> Iterator[dict[str, Any]]:
    """The leaves of a selection, each with its proof."""
    earlier = aliased(AuditBatch)
    begin = (
        select(func.max(earlier.sequence))
        .where(earlier.chain == AuditRecord.chain, earlier.sequence <= AuditRecord.sequence)
        .scalar_subquery()
    )
    inside = AuditRecord.sequence - AuditBatch.sequence
    leaf = (AuditBatch.position + inside).label("leaf")
    one = (AuditRecord.chain == selection.also[0]) & (AuditRecord.sequence == selection.also[1])
    rows = connection.execution_options(yield_per=500).execute(
        select(leaf, AuditRecord.chain, AuditRecord.sequence, AuditRecord.body)
        .join(AuditBatch, (AuditBatch.chain == AuditRecord.chain) & (AuditBatch.sequence == begin))
        .where(or_(and_(*selection.conditions), one), inside < AuditBatch.count, leaf < size)
        .order_by(leaf)
    )
    read = _remembering(reader(connection))
    for row in rows:
        proof = merkle.inclusion_proof(row[0], size, read)
        line = _line(*row)
        yield {**line, "proof": [b64encode(each).decode() for each in proof]}


def _line(leaf: int, chain: str, sequence: int, body: Any) -> dict[str, Any]:
    try:
        text = body.decode()
    except (AttributeError, UnicodeDecodeError) as error:
        raise AuditDamagedError(
            f"Record {sequence} of chain {chain} is no text.",
            where=f"{chain}-{sequence}",
            hint="Run `authz audit verify`.",
        ) from error
    return {"leaf": leaf, "chain": chain, "sequence": sequence, "body": text}


def _remembering(read: Reader) -> Reader:
    known: dict[Node, bytes] = {}

    def remembered(nodes: Sequence[Node]) -> list[bytes]:
        missing = [node for node in nodes if node not in known]
        if missing:
            if len(known) > _REMEMBERED:
                known.clear()
                missing = list(nodes)
            known.update(zip(missing, read(missing), strict=True))
        return [known[node] for node in nodes]

    return remembered
