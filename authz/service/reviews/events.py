"""Small reviews that open by themselves, each once (N-44, N-46).

Break-glass was used; a student came of age; a restriction came between a guardian and a
student; somebody who holds granted rights changed school or role. What is looked for lies
at most :data:`BACK` behind, so that a service that stood still catches up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, exists, or_, select

from authz import clock
from authz.audit import pseudonyms, trail
from authz.directory import tables as t
from authz.directory.held import in_force
from authz.review.definition import Definition, Scope, Stage
from authz.review.tables import Campaign, CampaignItem, ReviewItem
from authz.review.words import Flag, Kind, NoAnswer, Reviewers, Trigger
from authz.service.database import reading, writing
from authz.service.journals import catch_up
from authz.service.reviews import planning, rights, running, uses
from authz.service.reviews import schools as tree
from authz.service.reviews.planning import Ground
from authz.service.reviews.records import ITSELF, moment, text
from authz.service.reviews.rights import Right, Where
from authz.service.reviews.running import Bench
from authz.service.reviews.schools import living
from authz.vocabulary import Event, Role

BACK: Final = timedelta(days=30)
DAYS: Final = 14
MOVES: Final = frozenset({"organisation", "role"})
"""Columns of a membership whose change is a change of school or of role."""
NAMES: Final[Mapping[Trigger, str]] = {
    Trigger.EMERGENCY: "การใช้สิทธิฉุกเฉิน · Emergency access",
    Trigger.CAME_OF_AGE: "นักเรียนบรรลุนิติภาวะ · Came of age",
    Trigger.RESTRICTED: "ข้อจำกัดผู้ปกครอง · Guardian restricted",
    Trigger.MOVED: "ย้ายโรงเรียนหรือเปลี่ยนบทบาท · Changed school or role",
}
FLAGS: Final[Mapping[Trigger, Flag]] = {
    Trigger.EMERGENCY: Flag.EMERGENCY,
    Trigger.CAME_OF_AGE: Flag.CAME_OF_AGE,
    Trigger.RESTRICTED: Flag.RESTRICTED,
    Trigger.MOVED: Flag.MOVED,
}


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


def open_due(bench: Bench) -> list[str]:
    """Open the reviews that are due, and return their ids; called again it opens none twice."""
    now = clock.now()
    catch_up(bench.store)
    with reading(bench.store) as connection:
        events = [*_emergencies(connection, now), *_came_of_age(connection, bench, now)]
        events += [*_restricted(connection, now), *_moved(connection, now)]
        events += _changed_in_place(connection, now)
        events = _unknown(connection, events)
        if not events:
            return []
        events = _with_rights(connection, events, now)
    opened = []
    with writing(bench.store) as connection:
        fallbacks = _officers(connection, now)
        schools = tree.read(connection, now)
        for event in _unknown(connection, events):
            ident = _open(connection, bench.ground(now), event, fallbacks, schools)
            opened += [ident] if ident else []
    return opened


def _open(
    connection: Connection,
    ground: Ground,
    event: Happened,
    fallbacks: tuple[str, ...],
    schools: tree.Schools,
) -> str:
    """One small review; none where nobody could review it, which a later try may change."""
    if not fallbacks or not event.found:
        return ""
    places = {each.organisation for each in event.found}
    definition = Definition(
        name=NAMES[event.trigger],
        scope=Scope(
            kinds=event.kinds or (Kind.USE,),
            organisation=min(places) if len(places) == 1 else "",
        ),
        stages=(Stage(Reviewers.SCHOOL, max(1, event.days)),),
        fallbacks=fallbacks,
        no_answer=NoAnswer.ESCALATE,
        reminders=(1,),
    )
    told = {each.id: FLAGS[event.trigger] for each in event.found}
    planned = planning.of_rights(connection, definition, ground, schools, event.found, told)
    if not all(each.assigned.reviewer for each in planned):
        return ""
    because = event.trigger.value
    campaign = running.small(connection, definition, event.trigger, event.cause, because)
    running.begin(connection, campaign, planned, ground, ITSELF, because)
    return campaign


def _unknown(connection: Connection, events: Sequence[Happened]) -> list[Happened]:
    """Those for which no review was opened yet."""
    causes = {event.cause for event in events}
    known: set[tuple[str, str]] = set()
    for some in uses.slices(sorted(causes)):
        rows = connection.execute(
            select(Campaign.trigger, Campaign.cause).where(Campaign.cause.in_(some))
        )
        known |= {(row.trigger, row.cause) for row in rows}
    return [event for event in events if (event.trigger.value, event.cause) not in known]


def _with_rights(
    connection: Connection, events: Sequence[Happened], now: datetime
) -> list[Happened]:
    """The events with the rights that they are about, each kind read once for all."""
    kinds = tuple(sorted({kind for event in events for kind in event.kinds}))
    every = rights.collect(connection, Scope(kinds=kinds), Where(None, now)) if kinds else []
    by_holder: dict[str, list[Right]] = defaultdict(list)
    by_person: dict[str, list[Right]] = defaultdict(list)
    for right in every:
        by_holder[right.holder].append(right)
        by_person[right.person].append(right)
    found = []
    for event in events:
        held = [right for name in sorted(event.holders) for right in by_holder[name]]
        if not event.holders:
            held = [right for name in sorted(event.people) for right in by_person[name]]
        elif event.people:
            held = [right for right in held if right.person in event.people]
        held = [right for right in held if right.kind in event.kinds]
        found.append(replace(event, found=(*held, *(_use(row) for row in event.uses))))
    return found


def _use(row: Any) -> Right:
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


def _emergencies(connection: Connection, now: datetime) -> Iterator[Happened]:
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
        if _use(row).id not in opened:
            grouped[row.subject, row.elevation, row.day].append(row)
    for (subject, elevation, day), some in grouped.items():
        due = moment(min(row.due_at for row in some)) or now
        yield Happened(
            Trigger.EMERGENCY,
            f"{subject}|{elevation}|{day}|{some[0].opened_at}",
            uses=some,
            days=(due - now).days,
        )


def _came_of_age(connection: Connection, bench: Bench, now: datetime) -> Iterator[Happened]:
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


def _restricted(connection: Connection, now: datetime) -> Iterator[Happened]:
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


def _moved(connection: Connection, now: datetime) -> Iterator[Happened]:
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


def _changed_in_place(connection: Connection, now: datetime) -> Iterator[Happened]:
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


def _officers(connection: Connection, now: datetime) -> tuple[str, ...]:
    """The data-protection officers, who are asked where nobody else can be."""
    grant, person = t.Grant, t.Person
    rows = connection.scalars(
        select(grant.person)
        .join(person, person.id == grant.person)
        .where(in_force(now, [Role.DPO], everywhere=True), person.status == "active")
        .order_by(grant.person)
    )
    return tuple(dict.fromkeys(rows))
