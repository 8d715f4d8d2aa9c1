"""Whether the mentions on file are those that the records say: the check of an index (N-49)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping

from sqlalchemy import Connection, select

from authz.audit.mentions import mentions
from authz.audit.tables import AuditMention


def wrong(connection: Connection, chain: str, bodies: Mapping[int, bytes]) -> int | None:
    """The first of these records of a chain, by number, whose mentions are not its own.

    ``bodies`` are records that follow each other, some thousand at a time; one statement
    reads what is on file for them. A mention of a number between them that has no record
    counts as that number's.
    """
    if not bodies:
        return None
    told: dict[int, set[tuple[str, ...]]] = defaultdict(set)
    for sequence, body in bodies.items():
        members = json.loads(body)
        told[sequence] = {(*each, members["time"]) for each in mentions(members)}
    stored: dict[int, set[tuple[str, ...]]] = defaultdict(set)
    columns = (AuditMention.what, AuditMention.name, AuditMention.how, AuditMention.time)
    for sequence, *row in connection.execute(
        select(AuditMention.sequence, *columns).where(
            AuditMention.chain == chain, AuditMention.sequence.between(min(bodies), max(bodies))
        )
    ):
        stored[sequence].add(tuple(row))
    numbers = sorted(told.keys() | stored.keys())
    return next((each for each in numbers if told.get(each) != stored.get(each)), None)
