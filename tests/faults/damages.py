"""What is done to a stored trail, as SQL, and what verification must say of it.

The trail is that of ``test_damage.py``: chain ONE of 605 records, TWO of 40 (closed), main.
"""

from __future__ import annotations

from typing import NamedTuple

from authz.audit.tables import INDEX_COLUMNS

ONE, TWO = "20260504T013000Z-00000001", "20260504T013000Z-00000002"
PARTS = ", ".join(("body", "hash", *INDEX_COLUMNS))


class Fault(NamedTuple):
    """What was done, in words and in SQL; the kind of damage, and the record that is named."""

    done: str
    statements: tuple[str, ...]
    kind: str
    where: str
    copies: bool = False
    """Whether only a copy of a checkpoint, kept elsewhere, shows it."""


def _at(chain: str, sequence: int) -> str:
    return f"WHERE chain = '{chain}' AND sequence = {sequence}"


def _set(chain: str, sequence: int, change: str) -> str:
    return f"UPDATE audit_record SET {change} {_at(chain, sequence)}"


def _remove(chain: str, sequence: int) -> str:
    return f"DELETE FROM audit_record {_at(chain, sequence)}"


def _copy(of: tuple[str, int], to: tuple[str, int]) -> str:
    return (
        f"INSERT INTO audit_record (chain, sequence, {PARTS}) "
        f"SELECT '{to[0]}', {to[1]}, {PARTS} FROM audit_record {_at(*of)}"
    )


def _hash(chain: str, sequence: int) -> str:
    return f"(SELECT hash FROM audit_record {_at(chain, sequence)})"


def _cut(chain: str, keep: int) -> tuple[str, str]:
    tip = _hash(chain, keep)
    return (
        f"DELETE FROM audit_record WHERE chain = '{chain}' AND sequence > {keep}",
        f"UPDATE audit_head SET sequence = {keep}, hash = {tip} WHERE chain = '{chain}'",
    )


def _tile(number: int) -> str:
    return f"(SELECT hashes FROM audit_tile WHERE level = 0 AND number = {number})"


_OF_TWO = f"WHERE chain = '{TWO}'"
_SECOND = "(SELECT min(position) FROM audit_batch WHERE position > 0)"
_RECORDS = [
    Fault("A record's bytes were edited", (_set(ONE, 77, "body = hash"),), "changed", f"{ONE} 77"),
    Fault("A record's hash was edited", (_set(TWO, 7, "hash = body"),), "changed", f"{TWO} 7"),
    Fault(
        "A column that searches use was edited",
        (_set(ONE, 80, "reason = 'x'"),),
        "index",
        f"{ONE} 80",
    ),
    Fault("A record was removed", (_remove(ONE, 44),), "missing", f"{ONE} 44"),
    Fault(
        "A record was removed and those after it renumbered",
        (
            _remove(TWO, 20),
            f"UPDATE audit_record SET sequence = -sequence {_OF_TWO} AND sequence > 20",
            f"UPDATE audit_record SET sequence = -1 - sequence {_OF_TWO} AND sequence < 0",
        ),
        "changed",
        f"{TWO} 20",
    ),
    Fault(
        "Two records were swapped",
        (
            _set(ONE, 10, "sequence = 0"),
            _set(ONE, 12, "sequence = 10"),
            _set(ONE, 0, "sequence = 12"),
        ),
        "reordered",
        f"{ONE} 10",
    ),
    Fault(
        "A record was copied over another",
        (_remove(ONE, 9), _copy((ONE, 5), (ONE, 9))),
        "duplicated",
        f"{ONE} 9",
    ),
    Fault(
        "A record was moved to another chain",
        (_set(ONE, 500, f"chain = '{TWO}', sequence = 41"),),
        "missing",
        f"{ONE} 500",
    ),
    Fault(
        "A record was appended by hand",
        (_copy((TWO, 5), (TWO, 41)),),
        "appended",
        f"{TWO} 41",
    ),
    Fault(
        "A record was put before the first",
        (_copy((TWO, 5), (TWO, 0)),),
        "appended",
        f"{TWO} 0",
    ),
    Fault(
        "Records of a chain were added that nobody opened",
        (_copy((TWO, 1), ("forged", 1)),),
        "appended",
        "forged 1",
    ),
]
_TAILS = [
    Fault("The tail of a chain was cut", _cut(ONE, 290)[:1], "tail_cut", f"{ONE} 291"),
    Fault(
        "The tail was cut and the head moved; the tree was left",
        _cut(ONE, 290),
        "tail_cut",
        f"{ONE} 291",
    ),
    Fault(
        "Only records that no checkpoint covers yet were cut; the head was left",
        _cut(ONE, 602)[:1],
        "tail_cut",
        f"{ONE} 603",
    ),
    Fault(
        "The tail of a closed chain was cut, its head moved, and its batch and tiles removed",
        (
            *_cut(TWO, 30),
            f"UPDATE audit_batch SET count = 30 WHERE chain = '{TWO}'",
            "DELETE FROM audit_tile",
        ),
        "batch",
        f"{TWO} 1",
    ),
    Fault(
        "A head was edited",
        (f"UPDATE audit_head SET hash = {_hash(ONE, 1)} WHERE chain = '{TWO}'",),
        "head",
        f"{TWO} 40",
    ),
    Fault(
        "A head was removed",
        (f"DELETE FROM audit_head WHERE chain = '{TWO}'",),
        "head",
        f"{TWO} 40",
    ),
    Fault(
        "A whole chain was removed, with its head",
        (
            f"DELETE FROM audit_record WHERE chain = '{TWO}'",
            f"DELETE FROM audit_head WHERE chain = '{TWO}'",
        ),
        "tail_cut",
        f"{TWO} 1",
    ),
]
_TREE = [
    Fault(
        "A batch was removed",
        (f"DELETE FROM audit_batch WHERE position = {_SECOND}",),
        "batch",
        "main 1",
    ),
    Fault(
        "A batch was given to another chain",
        (f"UPDATE audit_batch SET chain = 'other' WHERE chain = '{TWO}'",),
        "tail_cut",
        "other 1",
    ),
    Fault(
        "The count of a batch was edited",
        (f"UPDATE audit_batch SET count = count - 1 WHERE chain = '{TWO}'",),
        "batch",
        f"{TWO} 1",
    ),
    Fault(
        "A tile was edited",
        (f"UPDATE audit_tile SET hashes = {_tile(1)} WHERE level = 0 AND number = 0",),
        "tile",
        "main 1",
    ),
    Fault(
        "A tile was removed",
        ("DELETE FROM audit_tile WHERE level = 0 AND number = 1",),
        "tile",
        f"{ONE} 211",
    ),
    Fault(
        "A tile was added",
        (f"INSERT INTO audit_tile (level, number, hashes) SELECT 3, 0, {_tile(0)}",),
        "tile",
        "",
    ),
]
_CHECKPOINTS = [
    Fault(
        "The row of a checkpoint was edited",
        ("UPDATE audit_checkpoint SET size = size + 1",),
        "checkpoint",
        "",
    ),
    Fault(
        "The name under a checkpoint was edited",
        ("UPDATE audit_checkpoint SET note = replace(note, '— authz.', '— other.')",),
        "signature",
        "",
    ),
    Fault(
        "The text of a checkpoint was edited",
        ("UPDATE audit_checkpoint SET note = replace(note, 'time 2026', 'time 2025')",),
        "signature",
        "",
    ),
    Fault(
        "An old backup was restored; a checkpoint was published since",
        ("(the rows as they were at the first checkpoint)",),
        "tail_cut",
        "",
        copies=True,
    ),
]
FAULTS = [*_RECORDS, *_TAILS, *_TREE, *_CHECKPOINTS]


def row(fault: Fault) -> str:
    """The line of the page's table."""
    names = {ONE: "chain 1", TWO: "chain 2"}
    chain, _, number = fault.where.partition(" ")
    where = f"{names.get(chain, chain)}, record {number}" if chain else "the tree"
    return f"| {fault.done}. | `{fault.kind}` | {where} |"
