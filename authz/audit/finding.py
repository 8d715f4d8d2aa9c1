"""What is wrong with a trail, told as soon as it is found."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection

from authz.audit.chain import Damage, Kind, Tip, diagnose
from authz.audit.stored import Links
from authz.audit.walk import Fault


class Damaged(Exception):  # noqa: N818 (a finding, and caught where it is told)
    """The first damage was found."""

    def __init__(self, damage: Damage) -> None:
        super().__init__(damage.text)
        self.damage = damage


def explained(connection: Connection, fault: Fault, heads: Mapping[Any, Tip]) -> Damage:
    """What was done where a chain is no more as it was written."""
    chain, tip, place = fault.chain, fault.tip, fault.tip.sequence + 1
    if fault.derived:
        verb = "are" if fault.derived == "mentions" else "is"
        text = f"{fault.derived} of record {place} {verb} not what the record says"
        return Damage(Kind.INDEX, place, text, chain)
    if not tip.hash:
        return Damage(Kind.MISSING, place, f"record {place} is missing", chain)
    links = Links(connection, chain)
    found = next(links.after(tip.sequence), None)
    if found is None:
        head = heads.get(chain)
        text = f"the trail ends at record {tip.sequence}, and more were written"
        if head is not None and head.sequence > tip.sequence:
            text = f"the trail ends at record {tip.sequence}, but {head.sequence} were written"
        return Damage(Kind.TAIL_CUT, place, text, chain)
    if tip == heads.get(chain):
        text = f"a record was put after the head, which is record {tip.sequence}"
        return Damage(Kind.APPENDED, place, text, chain)
    return diagnose(tip, found, links).of(chain)
