"""Break-glass: a right that nobody approved, seen while it lasts, and reviewed (N-44).

Whoever administers some school may look after people of another one for some hours, with a
reason. The review is due within 72 hours of its begin, whether it was used or not; what was
opened with it stands among its items.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, func, insert, select, update

from authz.audit.record import Ref, timestamp
from authz.directory import held
from authz.directory.tables import Elevation, Grant, Organisation, Person
from authz.errors import ConflictError, ForbiddenError, MalformedError, NotFoundError
from authz.review.rights import LONGEST_ELEVATION, REVIEW_WITHIN
from authz.review.tables import ReviewItem
from authz.service import by_hand, changing
from authz.service.changing import By
from authz.service.database import reading, writing
from authz.service.decide import DecisionPoint
from authz.service.reach import Reach, administered
from authz.service.reviews import settling
from authz.vocabulary import Event, Role

ITSELF = ""
"""The item of an emergency itself is about no person; others are about whom it was used."""
RULE = "school-emergency"
VERDICTS = ("justified", "misused")


@dataclass(frozen=True, slots=True)
class Emergency:
    """A right in force of somebody, for the banner."""

    id: str
    school: str
    until: datetime
    approved: bool


def break_glass(point: DecisionPoint, *, school: str, hours: int, why: str, by: str) -> datetime:
    """Take the right at once, and return when it ends; its review is opened with it.

    ForbiddenError for who administers no school, ConflictError where it is one's own or
    is broken already, NotFoundError of an unknown school.
    """
    made = by_hand.author(by, why)
    if not 1 <= hours <= LONGEST_ELEVATION:
        raise MalformedError("An elevation lasts from 1 to 24 hours.", where="hours")
    until = made.at + timedelta(hours=hours)
    with writing(point.store) as connection:
        _may_break(connection, point, school, made)
        line = {"fact": "elevation", "person": by, "school": school, "justification": made.why}
        by_hand.within(connection, point, [{**line, "from": made.at, "until": until}], made)
        ident = connection.scalars(
            select(Elevation.id).where(
                Elevation.person == by,
                Elevation.school == school,
                Elevation.valid_from == made.at,
            )
        ).one()
        connection.execute(insert(ReviewItem).values(_item(point, ident, made)))
        entry = changing.changed(
            Event.GLASS_BROKEN,
            made,
            Ref("organisation", school),
            {},
            {"until": timestamp(until), "review_due": timestamp(made.at + REVIEW_WITHIN)},
            people=[by],
        )
        changing.record(connection, [entry])
    return until


def _may_break(connection: Connection, point: DecisionPoint, school: str, made: By) -> None:
    holds = select(Grant.id).where(
        Grant.person == made.who, held.in_force(made.at, [Role.SCHOOL_ADMIN])
    )
    if connection.scalar(holds.limit(1)) is None:
        raise ForbiddenError("Only who administers a school opens another one in an emergency.")
    known = select(Organisation.id).where(
        Organisation.id == school, Organisation.ended_at.is_(None)
    )
    if connection.scalar(known) is None:
        raise NotFoundError("There is no such school.", where="school")
    own = known.where(Organisation.id.in_(administered(point, made.who, made.at)))
    if connection.scalar(own) is not None:
        raise ConflictError("You administer this school already.", where="school")
    if any(each.school == school for each in _in_force(connection, made.who, made.at)):
        raise ConflictError("You have this right already.", where="school")


def _item(point: DecisionPoint, elevation: str, made: By) -> dict[str, Any]:
    return {
        "subject": made.who,
        "person": ITSELF,
        "elevation": elevation,
        "day": made.at.astimezone(point.place.local).date(),
        "rule": RULE,
        "opened_at": timestamp(made.at),
        "due_at": timestamp(made.at + REVIEW_WITHIN),
        "request_id": "",
    }


def in_force(store: Engine, person: str, at: datetime) -> list[Emergency]:
    """The elevations of this person now."""
    with reading(store) as connection:
        return [
            Emergency(row.id, row.name or row.school, row.valid_until, row.approved_by is not None)
            for row in _in_force(connection, person, at)
        ]


def _in_force(connection: Connection, person: str, at: datetime) -> list[Any]:
    return list(
        connection.execute(
            select(
                Elevation.id,
                Elevation.school,
                Elevation.valid_until,
                Elevation.approved_by,
                Organisation.name,
            )
            .join(Organisation, Organisation.id == Elevation.school)
            .where(
                Elevation.person == person,
                Elevation.ended_at.is_(None),
                Elevation.valid_from <= at,
                Elevation.valid_until > at,
            )
            .order_by(Elevation.valid_until)
        )
    )


def to_review(point: DecisionPoint, reach: Reach, at: datetime, limit: int = 50) -> list[Any]:
    """Elevations whose review waits, the most urgent first, with how many people were seen.

    A school's administrator reviews what others did at the administrator's own schools.
    """
    seen = func.count(func.nullif(ReviewItem.person, ITSELF))
    with reading(point.store) as connection:
        rows = connection.execute(
            select(
                Elevation.id,
                Elevation.person,
                Elevation.school,
                Elevation.justification,
                Elevation.approved_by,
                Elevation.valid_from,
                Elevation.valid_until,
                Elevation.ended_at,
                Organisation.name.label("school_name"),
                Person.given_name,
                Person.family_name,
                func.min(ReviewItem.due_at).label("due_at"),
                seen.label("seen"),
            )
            .join(ReviewItem, ReviewItem.elevation == Elevation.id)
            .join(Organisation, Organisation.id == Elevation.school)
            .join(Person, Person.id == Elevation.person)
            .where(
                ReviewItem.verdict.is_(None),
                Elevation.person != reach.person,
                reach.covers(point, Elevation.school, at),
            )
            .group_by(
                *Elevation.__table__.c, Organisation.name, Person.given_name, Person.family_name
            )
            .order_by(func.min(ReviewItem.due_at), Elevation.id)
            .limit(limit)
        )
        return list(rows)


def review(
    point: DecisionPoint, elevation: str, verdict: str, *, by: str, why: str, reach: Reach
) -> None:
    """Say of an emergency whether it was justified; never of one's own.

    The small review that it opened is settled with it. NotFoundError beyond the reviewer's
    reach, ConflictError where nothing waits.
    """
    made = by_hand.author(by, why)
    if verdict not in VERDICTS:
        raise MalformedError("Say whether it was justified.", where="verdict")
    with writing(point.store) as connection:
        row = connection.execute(
            select(Elevation.person, Elevation.school).where(
                Elevation.id == elevation, reach.covers(point, Elevation.school, made.at)
            )
        ).one_or_none()
        if row is None:
            raise NotFoundError("There is no such emergency.", where=elevation)
        if row.person == by:
            raise ConflictError("Nobody reviews their own emergency.", where=elevation)
        done = connection.execute(
            update(ReviewItem)
            .where(ReviewItem.elevation == elevation, ReviewItem.verdict.is_(None))
            .values(verdict=verdict)
        )
        if not done.rowcount:
            raise ConflictError("This emergency is reviewed already.", where=elevation)
        settling.settle(connection, row.person, elevation, by)
        entry = changing.changed(
            Event.EMERGENCY_REVIEWED,
            made,
            Ref("person", row.person),
            {},
            {"verdict": verdict, "items": done.rowcount, "school": row.school},
            people=[row.person],
        )
        changing.record(connection, [entry])
