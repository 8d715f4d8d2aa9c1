"""``schools`` of a person: the memberships that a fact names (page 5)."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from authz.directory import tables as t
from authz.directory.recording.change import ORIGIN, Author, Row
from authz.directory.recording.lines import Fact
from authz.directory.recording.lookup import slices, table_of
from authz.directory.recording.step import KEY, Do, Step, steps

_SCHOOL = (
    t.Membership.id,
    t.Membership.person,
    t.Membership.organisation,
    t.Membership.ended_at,
)


def of_schools(
    connection: Connection, author: Author, facts: list[Fact]
) -> tuple[list[Step], Mapping[str, set[str]]]:
    """``schools`` replaces the memberships that an earlier fact named (page 5).

    What writes them, and the schools that each of the people belonged to by a fact before.
    """
    wanted = {
        f.values["id"]: f.values["schools"] for f in facts if "schools" in f.values and not f.delete
    }
    standing: dict[str, dict[str, Any]] = defaultdict(dict)
    for some in slices(sorted({f.about for f in facts})):
        for row in connection.execute(
            select(*_SCHOOL).where(t.Membership.person.in_(some), t.Membership.origin == ORIGIN)
        ):
            standing[row.person][row.organisation] = row
    gone, back, new = [], [], []
    for person, schools in wanted.items():
        there = standing[person]
        gone += [r.id for o, r in there.items() if o not in schools and r.ended_at is None]
        back += [r.id for o, r in there.items() if o in schools and r.ended_at is not None]
        new += [_membership(author, person, school) for school in schools if school not in there]
    table = table_of(t.Membership)
    moved = [
        {f"{KEY}id": ident, "ended_at": moment}
        for ids, moment in ((gone, author.now), (back, None))
        for ident in ids
    ]
    written = steps(Do.UPDATE, table, moved) + steps(Do.INSERT, table, new)
    return written, {
        person: {school for school, row in rows.items() if row.ended_at is None}
        for person, rows in standing.items()
    }


def _membership(author: Author, person: str, school: str) -> Row:
    return {
        "id": json.dumps([ORIGIN, person, school], ensure_ascii=False),
        "person": person,
        "organisation": school,
        "role": "",
        "origin": ORIGIN,
        "ended_at": None,
        "valid_from": None,
        "valid_until": None,
        **author.recorded(),
    }
