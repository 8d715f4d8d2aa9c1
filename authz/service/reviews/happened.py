"""What a small review opens for, found in the directory and the trail (N-44, N-46).

Break-glass was used; a student came of age; a restriction came between a guardian and a
student; somebody who holds granted rights changed school or role. What is looked for lies
at most :data:`BACK` behind, so that a service that stood still catches up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, exists, or_, select

from authz.audit import pseudonyms, trail
from authz.directory import tables as t
from authz.review.tables import CampaignItem, ReviewItem
from authz.review.words import Kind, Trigger
from authz.service.reviews.campaigns import Bench
from authz.service.reviews.records import moment, text
from authz.service.reviews.right import Right
from authz.service.reviews.schools import living
from authz.vocabulary import Event

BACK: Final = timedelta(days=30)
DAYS: Final = 14
MOVES: Final = frozenset({"organisation", "role"})
"""Columns of a membership whose change is a change of school or of role."""


@dataclass(frozen=True, slots=True)
class Happened:
    """Something that a review opens for: whose rights, of which kinds, towards whom."""

    trigger: Trigger
    cause: str
    holders: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()
    kinds: tuple[Kind, ...] = ()
    uses: Sequence[Any] = ()
    days: int = DAYS
    found: Sequence[Right] = field(default=())


def use(row: Any) -> Right:
    """A use that was made, as something to review."""
    ident = f"{row.subject}|{row.person}|{row.elevation}|{row.day}"
    return Right(
        kind=Kind.USE,
        id=ident,
        holder=row.subject,
        name=f"{row.given_name or ''} {row.family_name or ''}".strip() or row.subject,
        active=True,
        person=row.person,
        organisation=row.school or "",
        role="emergency",
        since=moment(row.opened_at),
        reason=row.justification or "",
        granted_by=row.approved_by or "",
        origin="fact",
        detail={"elevation": row.elevation, "day": row.day.isoformat(), "rule": row.rule},
    )


def emergencies(connection: Connection, now: datetime) -> Iterator[Happened]:
    """Uses of break-glass without a verdict, a review for each subject, elevation and day."""
    used, item, lifted, person = ReviewItem, CampaignItem, t.Elevation, t.Person
    rows = connection.execute(
        select(used.__table__, person.given_name, person.family_name)
        .add_columns(lifted.school, lifted.justification, lifted.approved_by)
        .outerjoin(person, person.id == used.subject)
        .outerjoin(lifted, lifted.id == used.elevation)
        .where(used.verdict.is_(None))
        .order_by(used.opened_at)
    ).all()
    opened = set(
        connection.scalars(
            select(item.right_id).where(
                item.kind == Kind.USE.value, item.state.in_(("open", "answered"))
            )
        )
    )
    grouped: dict[tuple[str, str, date], list[Any]] = defaultdict(list)
    for row in rows:
        if use(row).id not in opened:
            grouped[row.subject, row.elevation, row.day].append(row)
    for (subject, elevation, day), some in grouped.items():
        due = moment(min(row.due_at for row in some)) or now
        yield Happened(
            Trigger.EMERGENCY,
            f"{subject}|{elevation}|{day}|{some[0].opened_at}",
            uses=some,
            days=(due - now).days,
        )


def came_of_age(connection: Connection, bench: Bench, now: datetime) -> Iterator[Happened]:
    """Students who reached the age of majority lately and still have guardians on file."""
    age = bench.place.age_of_majority
    today = now.astimezone(bench.place.local).date()
    eldest, youngest = _years_before(today - BACK, age), _years_before(today, age)
    link, person = t.Guardianship, t.Person
    rows = connection.execute(
        select(person.id, person.birth_date)
        .join(link, link.student == person.id)
        .where(person.birth_date > eldest, person.birth_date <= youngest, living(link, now))
        .distinct()
    )
    for ident, born in rows:
        yield Happened(
            Trigger.CAME_OF_AGE,
            f"{ident}|{born}",
            people=frozenset({ident}),
            kinds=(Kind.GUARDIANSHIP,),
        )


def _years_before(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


def restricted(connection: Connection, now: datetime) -> Iterator[Happened]:
    """Restrictions that came on file lately, between people whom a right links."""
    stop = t.CustodyRestriction
    rows = connection.execute(
        select(stop.id, stop.subject, stop.person, stop.recorded_at).where(
            living(stop, now), stop.recorded_at > now - BACK
        )
    )
    for row in rows:
        yield Happened(
            Trigger.RESTRICTED,
            f"{row.id}|{text(row.recorded_at)}",
            holders=frozenset({row.subject}),
            people=frozenset({row.person}),
            kinds=(Kind.GUARDIANSHIP, Kind.MENTORING),
        )


def moved(connection: Connection, now: datetime) -> Iterator[Happened]:
    """People of whom a membership ended lately, and who hold rights that were granted."""
    member = t.Membership
    ended = or_(
        member.ended_at.between(now - BACK, now), member.valid_until.between(now - BACK, now)
    )
    rows = connection.execute(
        select(member.id, member.person, member.ended_at, member.valid_until).where(
            ended, _holds(member, now)
        )
    )
    for row in rows:
        yield _mover(row.person, row.id, text(row.ended_at or row.valid_until) or "")


def _holds(member: Any, now: datetime) -> ColumnElement[bool]:
    """That the member holds something that was granted, which the roster does not end."""
    grant, pair = t.Grant, t.Mentoring
    return or_(
        exists().where(grant.person == member.person, living(grant, now)),
        exists().where(pair.mentor == member.person, living(pair, now)),
    )


def _mover(person: str, membership: str, at: str) -> Happened:
    return Happened(
        Trigger.MOVED,
        f"{membership}|{at}",
        holders=frozenset({person}),
        kinds=(Kind.GRANT, Kind.MENTORING),
    )


def changed_in_place(connection: Connection, now: datetime) -> Iterator[Happened]:
    """The same of a membership whose school or role the roster changed in the same row.

    What it said before stands in the trail only.
    """
    member = t.Membership
    rows = connection.execute(
        select(member.id, member.person).where(
            member.recorded_at.between(now - BACK, now), living(member, now), _holds(member, now)
        )
    )
    whose = {row.id: row.person for row in rows}
    known, after = list(pseudonyms.known_as(connection, whose.values())), ""
    while whose:
        page = trail.search(
            connection,
            person=known,
            event=Event.ROSTER_CHANGED,
            since=now - BACK,
            limit=50,
            after=after,
        )
        for record in pseudonyms.shown(connection, [each.record for each in page.records]):
            if record["action"] == "changed" and record["detail"]["table"] == "membership":
                for line in record["detail"]["rows"]:
                    if line["id"] in whose and MOVES & set(line.get("changed", ())):
                        yield _mover(whose[line["id"]], line["id"], record["time"])
        after = page.after
        if not after:
            return
