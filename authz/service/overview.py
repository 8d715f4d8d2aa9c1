"""What the first page tells: what waits, what changed, what is unusual, and how many decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, cast

from sqlalchemy import Connection, Engine, Select, exists, func, or_, select

from authz import clock
from authz.audit import counts
from authz.audit.record import timestamp
from authz.audit.tables import AuditPseudonym, AuditRecord
from authz.directory import tables as t
from authz.privacy.tables import Acknowledgement, Announcement, ReadingHour
from authz.service import trail
from authz.service.database import reading, writing
from authz.service.decide import DecisionPoint
from authz.service.exploring.names import names
from authz.service.people import within
from authz.service.reach import Reach
from authz.service.shown import Viewer
from authz.service.visible import Visible
from authz.vocabulary import Event

DAYS: Final = 14
KEPT: Final = timedelta(days=30)
LOOKED_AT: Final = 200
SHOWN: Final = 8
SOON: Final = timedelta(days=60)
LATELY: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Day:
    """The decisions of a local day."""

    day: date
    permits: int
    refusals: int


@dataclass(frozen=True, slots=True)
class Case:
    """A request of rights or an incident, and whom it is about, where that is somebody."""

    id: str
    kind: str
    since: datetime
    person: str


@dataclass(frozen=True, slots=True)
class Reader:
    """Whoever read the data of many people in an hour, and how many."""

    person: str
    name: str
    people: int
    hour: datetime


@dataclass(frozen=True, slots=True)
class Decisions:
    """The last days, the oldest first, and how many records are not counted yet."""

    days: tuple[Day, ...]
    left: int


def decisions(point: DecisionPoint, reach: Reach) -> Decisions:
    """Decisions by day, today included; what is new is counted first, up to a limit.

    Of whoever oversees all, every decision; of a school's administrator, those about people who
    were at the administrator's schools when they were counted.
    """
    local, now = point.place.local, clock.now()
    first = now.astimezone(local).date() - timedelta(days=DAYS - 1)
    since = _hour(clock.midnight(first, local))
    with writing(point.store) as connection:
        left = _count(connection, now)
        if reach.everywhere:
            rows = counts.hours(connection, since)
        else:
            rows = counts.hours_at(connection, since, lambda at: reach.covers(point, at, now))
    found = {first + timedelta(days=n): [0, 0] for n in range(DAYS)}
    for hour, decision, number in rows:
        day = datetime.fromisoformat(f"{hour}:00:00+00:00").astimezone(local).date()
        if day in found:
            found[day][decision != "permit"] += number
    return Decisions(tuple(Day(day, *numbers) for day, numbers in found.items()), left)


def counted(store: Engine) -> int:
    """Count what is not counted yet, one step of it; how many records are left."""
    with writing(store) as connection:
        return _count(connection, clock.now())


def _count(connection: Connection, now: datetime) -> int:
    """Count what is new; records may have another name for a person, which is looked up."""

    def placed(asked: Select[Any]) -> Select[Any]:
        m, p, record = t.Membership, AuditPseudonym, AuditRecord
        known = asked.add_columns(m.organisation.label("place"))
        known = known.outerjoin(p, p.pseudonym == record.resource_id)
        person = func.coalesce(p.person, record.resource_id)
        return known.join(m, m.person == person).where(within(m, now))

    left = counts.catch_up(connection, placed=placed)
    counts.forget(connection, _hour(now - KEPT))
    return left


def _hour(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")


def lately(own: DecisionPoint, viewer: Viewer) -> list[Mapping[str, Any]]:
    """The newest changes on file about people whom the viewer may see."""
    page = trail.search(own.store, by=viewer.name, event=Event.FACT_CHANGED.value, limit=LOOKED_AT)
    changes = [each.record for each in page.records if _person(each.record)]
    with reading(own.store) as connection:
        idents = sorted({_person(each) for each in changes})
        seen = Visible.to(connection, own, viewer)
        mine = set(connection.scalars(seen.only(
            select(t.Person.id).where(t.Person.id.in_(idents)), t.Person.id)))  # fmt: skip
        shown = [each for each in changes if _person(each) in mine][:SHOWN]
        told = names(connection, {t.Person: {_person(each) for each in shown}})
    return [{**each, "name": told.person(_person(each)), "person": _person(each)} for each in shown]


def _person(record: Mapping[str, Any]) -> str:
    resource = record.get("resource") or {}
    return str(resource["id"]) if resource.get("type") == "person" else ""


def my_cases(store: Engine, person: str) -> list[Case]:
    """The open rights requests and incidents assigned to somebody, the oldest first."""
    c, whose = t.Case, t.CasePerson
    query = (
        select(c.id, c.kind, c.opened_at, func.min(whose.person))
        .outerjoin(whose, whose.case == c.id)
        .where(
            c.assignee == person,
            c.ended_at.is_(None),
            or_(c.closed_at.is_(None), c.closed_at > clock.now()),
        )
        .group_by(c.id, c.kind, c.opened_at)
    )
    with reading(store) as connection:
        found = connection.execute(query.order_by(c.opened_at, c.id).limit(SHOWN))
        return [Case(row[0], row[1], row[2], row[3] or "") for row in found]


def unread(store: Engine, person: str) -> int:
    """How many notices of the policy somebody has not acknowledged."""
    a = Acknowledgement
    read = exists().where(a.announcement == Announcement.id, a.person == person)
    with reading(store) as connection:
        query = select(func.count()).select_from(Announcement).where(~read)
        return int(connection.scalar(query) or 0)


def ending_contracts(store: Engine) -> int:
    """How many contracts in force end soon."""
    c, now = t.Contract, clock.now()
    query = select(func.count()).select_from(c)
    with reading(store) as connection:
        return int(connection.scalar(query.where(within(c, now), c.valid_until <= now + SOON)) or 0)


def emergencies(own: DecisionPoint, viewer: Viewer) -> list[tuple[str, str, datetime | None]]:
    """Emergency access in force at schools of the viewer's: whose (id, name), and until when."""
    e, m, now = t.Elevation, t.Membership, clock.now()
    with reading(own.store) as connection:
        seen = Visible.to(connection, own, viewer)
        here = seen.only(select(m.id).where(m.organisation == e.school), m.person)
        query = select(e.person, e.valid_until).where(within(e, now), exists(here))
        rows = [(row[0], row[1]) for row in connection.execute(query.limit(SHOWN))]
        told = names(connection, {t.Person: {row[0] for row in rows}})
    return [(person, told.person(person), until) for person, until in rows]


def bulk_readers(own: DecisionPoint, viewer: Viewer, reach: Reach) -> list[Reader]:
    """Who stood out in the last days by reading the data of many, of whom the viewer may see.

    Whoever oversees all is told of applications' accounts too, which are nobody on file (N-48).
    """
    r = ReadingHour
    query = cast("Select[Any]", select(r.subject, r.people, r.hour))
    query = query.where(r.alerted.is_(True), r.hour >= timestamp(clock.now() - LATELY))
    with reading(own.store) as connection:
        if not reach.everywhere:
            query = Visible.to(connection, own, viewer).only(query, r.subject)
        rows = connection.execute(query.order_by(r.hour.desc(), r.subject).limit(SHOWN)).all()
        told = names(connection, {t.Person: {row[0] for row in rows}})
    return [
        Reader(row[0], told.person(row[0]), row[1], datetime.fromisoformat(row[2])) for row in rows
    ]


def refused_sign_ins(store: Engine, viewer: Viewer) -> int:
    """How many sign-ins were refused in the last day, up to a page of them."""
    since = clock.now() - timedelta(days=1)
    page = trail.search(
        store, by=viewer.name, event=Event.SIGN_IN_REFUSED.value, since=since, limit=LOOKED_AT
    )
    return len(page.records)
