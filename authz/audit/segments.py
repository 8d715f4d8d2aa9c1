"""What was retired of the trail, and what was left of it so that the rest can be verified.

Retention takes away the oldest records, whole batches of leaves at a time. A *segment*
says what they were: how many leaves, the root over all leaves up to there, and where each
chain stood. Batches, tiles and checkpoints stay, so every proof and every checkpoint goes
on to hold. Each segment's *seal* covers the one before; the newest seal is in the trail
itself, in the record of the retirement, so that no row can be edited.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import Connection, select

from authz.audit.chain import Damage, Kind, Tip
from authz.audit.pieces import Piece
from authz.audit.tables import AuditSegment
from authz.errors import AuditDamagedError

_SEAL: Final = b"authz audit segment 1\x00"
_COLUMNS: Final = tuple(column.name for column in AuditSegment.__table__.columns)
SEALED: Final = tuple(name for name in _COLUMNS if name != "seal")
"""The columns that a seal covers, in this order."""


@dataclass(frozen=True, slots=True)
class Retired:
    """All segments together: how many ``leaves`` they are, and where the chains stood then.

    ``roots`` are the sizes and roots at the end of each; ``closed`` are chains that had ended;
    ``before`` is all but the last segment.
    """

    leaves: int = 0
    tips: Mapping[str, Tip] = field(default_factory=dict)
    closed: Mapping[str, Tip] = field(default_factory=dict)
    roots: tuple[tuple[int, bytes], ...] = ()
    seal: bytes = b""
    damage: Damage | None = None
    before: Retired | None = None


def read(connection: Connection) -> Retired:
    """What was retired, up to the first segment that is not as it was written."""
    columns = (getattr(AuditSegment, name) for name in _COLUMNS)
    rows = connection.execute(select(*columns).order_by(AuditSegment.number)).mappings()
    found = Retired()
    for number, row in enumerate(rows, 1):
        try:
            found = _after(found, number, dict(row))
        except (ValueError, KeyError, TypeError, AttributeError):
            text = f"the row of segment {number} is not as it was written"
            damage = Damage(Kind.SEGMENT, 0, text, chain="")
            return Retired(found.leaves, found.tips, found.closed, found.roots, damage=damage)
    return found


def sound(connection: Connection) -> Retired:
    """The same; AuditDamagedError where a segment is not as it was written."""
    found = read(connection)
    if found.damage is not None:
        raise AuditDamagedError(
            f"{found.damage.text[0].upper()}{found.damage.text[1:]}.",
            where="audit_segment",
            hint="Run `authz audit verify`.",
        )
    return found


def seal(before: bytes, row: Mapping[str, Any]) -> bytes:
    """The hash over a segment and the seal before it; TypeError where it holds what it cannot."""
    members = [row[name] for name in SEALED]
    plain = [each.hex() if isinstance(each, bytes) else each for each in members]
    return hashlib.sha256(_SEAL + before + json.dumps(plain).encode()).digest()


def spelt(tips: Mapping[str, Tip], closed: Mapping[str, Tip]) -> str:
    """Where chains stood, as a row holds it."""
    sides = {"tips": tips, "closed": closed}
    return json.dumps(
        {
            side: {chain: [tip.sequence, tip.hash.hex()] for chain, tip in sorted(found.items())}
            for side, found in sides.items()
        }
    )


def begun(piece: Piece, before: Retired) -> Piece:
    """The piece; with the hash that it follows, where the record of that hash was retired."""
    tip = before.tips.get(piece.chain)
    follows = tip is not None and tip.sequence == piece.first - 1 and tip.sequence > 0
    return piece._replace(after=tip.hash) if tip and follows else piece


def _after(before: Retired, number: int, row: Mapping[str, Any]) -> Retired:
    """What was retired with one segment more; ValueError and the like where it is none."""
    if row["seal"] != seal(before.seal, row) or row["number"] != number:
        raise ValueError("another seal")
    if row["position"] != before.leaves or row["count"] < 1:
        raise ValueError("another place")
    chains = json.loads(row["chains"])
    leaves = before.leaves + row["count"]
    return Retired(
        leaves,
        {**before.tips, **dict(_tips(chains["tips"].items()))},
        {**before.closed, **dict(_tips(chains["closed"].items()))},
        (*before.roots, (leaves, row["root"])),
        row["seal"],
        before=replace(before, before=None),
    )


def _tips(found: Iterable[tuple[str, Any]]) -> Iterable[tuple[str, Tip]]:
    return ((chain, Tip(place[0], bytes.fromhex(place[1]))) for chain, place in found)
