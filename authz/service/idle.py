"""Rights that nobody used for a while, for whoever can take them away (N-41, N-46).

The report of the same name (:mod:`authz.service.reports.unused`) says what *used* means; here
its grants are a list and a chart, narrowed in the database to what the reader's work covers.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import Connection, Select, select

from authz import clock
from authz.directory.tables import Grant, Organisation, Person
from authz.service import shown
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.reach import Reach
from authz.service.reports.unused import BATCH, Looked
from authz.service.shown import Viewer

DAYS: Final = 90
PAGE: Final = 50
LOOKS: Final = 5
"""How many batches of grants are gone through for one page or one chart."""


@dataclass(frozen=True, slots=True)
class Held:
    """How many hold a role, and how many of them did not use it."""

    role: str
    held: int
    unused: int


@dataclass(frozen=True, slots=True)
class Chart:
    """By role, the most unused first; ``more``: there are grants that were not looked at."""

    roles: tuple[Held, ...]
    more: bool

    @property
    def unused(self) -> int:
        """How many are unused altogether."""
        return sum(each.unused for each in self.roles)


def chart(point: DecisionPoint, reach: Reach) -> Chart:
    """Held and unused grants in the reader's reach."""
    held: Counter[str] = Counter()
    unused: Counter[str] = Counter()
    with reading(point.store) as connection:
        looked = _looked(connection, point)
        rows = connection.execute(_grants(looked, point, reach).limit(LOOKS * BATCH + 1)).all()
        for row, used in _judged(looked, rows[: LOOKS * BATCH]):
            held[row.role] += 1
            unused[row.role] += not used
    roles = (Held(role, number, unused[role]) for role, number in held.items())
    order = sorted(roles, key=lambda each: (-each.unused, -each.held, each.role))
    return Chart(tuple(order), len(rows) > LOOKS * BATCH)


def page(
    point: DecisionPoint, viewer: Viewer, reach: Reach, *, role: str = "", after: str = ""
) -> tuple[list[Any], str]:
    """A page of unused grants by the holder's name, and where the next one begins; recorded.

    A page may hold fewer than it could: so many grants are looked at, and no more.
    MalformedError where ``after`` is no place.
    """
    place, found, last = shown.place(after), [], None
    with reading(point.store) as connection:
        looked = _looked(connection, point)
        query = _grants(looked, point, reach)
        query = query.where(Grant.role == role) if role else query
        for _ in range(LOOKS):
            narrowed = query.where(shown.following(Person.name_order, Grant.id, place))
            rows = connection.execute(narrowed.limit(BATCH)).all()
            for row, used in _judged(looked, rows):
                last = row
                found += [] if used else [row]
                if len(found) == PAGE:
                    break
            place = (last.name_order, last.id) if last and rows else None
            if len(found) == PAGE or len(rows) < BATCH:
                place = place if len(found) == PAGE else None
                break
    idents = [row.person for row in found]
    shown.record(point.store, viewer, "unused", viewer.person, idents)
    return found, shown.after(place)


def since() -> datetime:
    """The moment since when a right counts as unused."""
    return clock.now() - timedelta(days=DAYS)


def _looked(connection: Connection, point: DecisionPoint) -> Looked:
    return Looked(connection, point.policy, since(), clock.now())


def _judged(looked: Looked, rows: Any) -> Iterator[tuple[Any, bool]]:
    for begin in range(0, len(rows), BATCH):
        some = rows[begin : begin + BATCH]
        yield from zip(some, looked.used(some), strict=True)


def _grants(looked: Looked, point: DecisionPoint, reach: Reach) -> Select[Any]:
    """The grants in the reader's reach that were in force all the while, by name."""
    g, p, o = Grant, Person, Organisation
    found = (
        select(
            *(g.id, g.person, g.role, g.organisation, g.valid_from, g.valid_until),
            *(g.granted_by, g.reason, p.given_name, p.family_name, p.name_order),
            o.name.label("place"),
        )
        .join(p, p.id == g.person)
        .outerjoin(o, o.id == g.organisation)
        .where(*looked.in_force(g), reach.covers(point, g.organisation, clock.now()))
        .order_by(p.name_order, g.id)
    )
    return cast("Select[Any]", found)
