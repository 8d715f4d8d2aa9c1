"""Small reviews that open by themselves, each once (N-44, N-46)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from authz import clock
from authz.directory import tables as t
from authz.directory.held import in_force
from authz.review.definition import Definition, Scope, Stage
from authz.review.tables import Campaign
from authz.review.words import Flag, Kind, NoAnswer, Reviewers, Trigger
from authz.service.database import reading, writing
from authz.service.journals import catch_up
from authz.service.reviews import campaigns, planning, rights, starting, uses
from authz.service.reviews import schools as tree
from authz.service.reviews.campaigns import Bench
from authz.service.reviews.happened import (
    Happened,
    came_of_age,
    changed_in_place,
    emergencies,
    moved,
    restricted,
    use,
)
from authz.service.reviews.planning import Ground
from authz.service.reviews.records import ITSELF
from authz.service.reviews.right import Right, Where
from authz.vocabulary import Role

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


def open_due(bench: Bench) -> list[str]:
    """Open the reviews that are due, and return their ids; called again it opens none twice."""
    now = clock.now()
    catch_up(bench.store)
    with reading(bench.store) as connection:
        events = [*emergencies(connection, now), *came_of_age(connection, bench, now)]
        events += [*restricted(connection, now), *moved(connection, now)]
        events += changed_in_place(connection, now)
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
    campaign = campaigns.small(connection, definition, event.trigger, event.cause, because)
    starting.begin(connection, campaign, planned, ground, ITSELF, because)
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
        found.append(replace(event, found=(*held, *(use(row) for row in event.uses))))
    return found


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
