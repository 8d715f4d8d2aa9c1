"""What is almost surely a mistake: a roster that takes most of what its source had brought.

The people of a bulk are guarded more narrowly, at a tenth (:mod:`.people`, page 4.2). A file
that was cut short, a column left out, or a delta that ends everything harms as much.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import ColumnElement, Connection, Table, func, select

from authz.directory.roster.check import kept_table
from authz.directory.roster.people import DEREGISTERED, PERSON
from authz.directory.roster.summary import Tally
from authz.directory.tables import Enrolment, Guardianship, Membership
from authz.errors import MassChangeError

FEWEST = 10
"""Rows that may always go: of so few, somebody sees in the summary what went."""

_GUARDED: Mapping[str, tuple[Table, ColumnElement[bool]]] = {
    "person": (PERSON, PERSON.c.status != DEREGISTERED),
    "birth_date": (PERSON, PERSON.c.birth_date.is_not(None)),
    **{
        table.name: (table, table.c.ended_at.is_(None))
        for table in map(kept_table, (Membership, Enrolment, Guardianship))
    },
}
"""What is guarded, by its name in the summary: where it stands, and what of it is in force."""


def guard_halves(connection: Connection, origin: str, tallies: Mapping[str, Tally]) -> None:
    """MassChangeError where less than half is left of what the source had brought of a kind.

    To be asked once all is merged; what came in the same set makes up for what went, as when
    a new term takes the place of an old one.
    """
    for name, (table, living) in _GUARDED.items():
        tally = tallies.get(name, Tally())
        lost = tally.ended - tally.added - tally.returned
        if lost < FEWEST:
            continue
        count = select(func.count()).select_from(table).where(table.c.origin == origin, living)
        left = connection.execute(count).scalar_one()
        if left < lost:
            raise MassChangeError(
                f"Of {left + lost} rows of {name} that its source had brought this roster would "
                f"leave {left}, less than half; nothing was imported.",
                hint="If that is meant, import it with --allow-mass-change.",
            )
