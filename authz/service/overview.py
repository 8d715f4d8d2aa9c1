"""What the first page tells: what waits, what changed, what is unusual, and how many decisions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Final

from sqlalchemy import Engine, exists, func, or_, select

from authz import clock
from authz.audit import counts
from authz.directory import tables as t
from authz.service import trail
from authz.service.database import reading, writing
from authz.service.decide import DecisionPoint
from authz.service.exploring.names import names
from authz.service.people import within
from authz.service.shown import Viewer
from authz.service.visible import Visible
from authz.vocabulary import Event

DAYS: Final = 14
LOOKED_AT: Final = 200
SHOWN: Final = 8
SOON: Final = timedelta(days=60)


@dataclass(frozen=True, slots=True)
class Day:
    """The decisions of a local day."""

    day: date
    permits: int
    refusals: int


@dataclass(frozen=True, slots=True)
class Decisions:
    """The last days, the oldest first, and how many records are not counted yet."""

    days: tuple[Day, ...]
    left: int


def decisions(store: Engine, local: tzinfo) -> Decisions:
    """Decisions by day, today included; what is new is counted first, up to a limit."""
    today = clock.now().astimezone(local).date()
    first = today - timedelta(days=DAYS - 1)
    since = clock.midnight(first, local).strftime("%Y-%m-%dT%H")
    with writing(store) as connection:
        left = counts.catch_up(connection)
        rows = counts.hours(connection, since)
    found = {first + timedelta(days=n): [0, 0] for n in range(DAYS)}
    for hour, decision, number in rows:
        day = datetime.fromisoformat(f"{hour}:00:00+00:00").astimezone(local).date()
        if day in found:
            found[day][decision != "permit"] += number
    return Decisions(tuple(Day(day, *numbers) for day, numbers in found.items()), left)


def counted(store: Engine) -> int:
    """Count what is not counted yet, one step of it; how many records are left."""
    with writing(store) as connection:
        return counts.catch_up(connection)


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


def my_cases(store: Engine, person: str) -> list[tuple[str, str, datetime]]:
    """The open rights requests and incidents assigned to somebody: id, kind, since."""
    c = t.Case
    query = select(c.id, c.kind, c.opened_at).where(
        c.assignee == person, c.ended_at.is_(None),
        or_(c.closed_at.is_(None), c.closed_at > clock.now()),
    )  # fmt: skip
    with reading(store) as connection:
        found = connection.execute(query.order_by(c.opened_at, c.id))
        return [(row[0], row[1], row[2]) for row in found]


def ending_contracts(store: Engine) -> int:
    """How many contracts in force end soon."""
    c, now = t.Contract, clock.now()
    query = select(func.count()).select_from(c)
    with reading(store) as connection:
        return int(connection.scalar(query.where(within(c, now), c.valid_until <= now + SOON)) or 0)


def emergencies(own: DecisionPoint, viewer: Viewer) -> list[tuple[str, datetime | None]]:
    """Emergency access in force at schools of the viewer's: whose, and until when."""
    e, m, now = t.Elevation, t.Membership, clock.now()
    with reading(own.store) as connection:
        seen = Visible.to(connection, own, viewer)
        here = seen.only(select(m.id).where(m.organisation == e.school), m.person)
        query = select(e.person, e.valid_until).where(within(e, now), exists(here))
        rows = [(row[0], row[1]) for row in connection.execute(query.limit(SHOWN))]
        told = names(connection, {t.Person: {row[0] for row in rows}})
    return [(told.person(person), until) for person, until in rows]


def refused_sign_ins(store: Engine, viewer: Viewer) -> int:
    """How many sign-ins were refused in the last day, up to a page of them."""
    since = clock.now() - timedelta(days=1)
    page = trail.search(
        store, by=viewer.name, event=Event.SIGN_IN_REFUSED.value, since=since, limit=LOOKED_AT
    )
    return len(page.records)
