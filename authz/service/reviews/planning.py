"""What a review would be, were it started now: its items, each with its reviewer (N-46).

A fixed number of statements, however many rights there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, select

from authz import clock
from authz.audit.record import indexed
from authz.audit.tables import AuditRecord
from authz.directory import tables as t
from authz.directory.facts import Place
from authz.engine.policy import Policy
from authz.review import advice, reviewers
from authz.review.advice import Signals
from authz.review.definition import Definition, Stage
from authz.review.reviewers import Assignment
from authz.review.words import Advice, Flag, Kind, Reviewers, Verdict
from authz.service.reviews import rights as on_file
from authz.service.reviews import schools as tree
from authz.service.reviews import uses
from authz.service.reviews.rights import ROSTER, Right, Where
from authz.service.reviews.schools import Schools, living
from authz.service.reviews.uses import Use
from authz.vocabulary import Event

NO_STAFF = ("student", "parent", "guardian", "relative")


@dataclass(frozen=True, slots=True)
class Planned:
    """A right under review, with all that is told of it at the start."""

    right: Right
    use: Use
    flags: tuple[Flag, ...]
    advice: Verdict
    why: Flag | Advice
    assigned: Assignment
    fallback: str
    peers: int
    having: int


@dataclass(frozen=True, slots=True)
class Ground:
    """On what a plan stands: the policy, where and when; ``last`` began the one before."""

    policy: Policy
    place: Place
    now: datetime
    last: datetime | None = None


def plan(connection: Connection, definition: Definition, ground: Ground) -> list[Planned]:
    """The items, in the order of their holders' names."""
    schools = tree.read(connection, ground.now)
    wanted = definition.scope.organisation
    where = Where(schools.below(wanted) if wanted else None, ground.now)
    found = on_file.collect(connection, definition.scope, where)
    if definition.scope.new and ground.last is not None:
        last = ground.last
        found = [each for each in found if each.recorded_at is None or each.recorded_at > last]
    return of_rights(connection, definition, ground, schools, found)


def of_rights(
    connection: Connection,
    definition: Definition,
    ground: Ground,
    schools: Schools,
    found: Sequence[Right],
    told: Mapping[str, Flag] | None = None,
) -> list[Planned]:
    """The items of these rights; ``told`` are flags that an event raised, by the right's id."""
    used = uses.of(connection, ground.policy, found, since=None)
    unused = definition.scope.unused_days
    if unused:
        limit = ground.now - timedelta(days=unused)
        pairs = [
            (right, use)
            for right, use in zip(found, used, strict=True)
            if use.known and (use.last is None or use.last < limit)
        ]
        found, used = [right for right, _ in pairs], [use for _, use in pairs]
    crowd = _Crowd.read(connection, found, ground.now)
    active = _active(connection, {each.granted_by for each in found})
    items = []
    for right, use in zip(found, used, strict=True):
        signals = _signals(right, use, crowd, ground, (told or {}).get(right.id))
        verdict, why = advice.recommend(signals)
        parties = frozenset({right.holder, right.person} - {""})
        line = candidates(definition.stages[0], right.organisation, right.granted_by, schools)
        line = [[each for each in level if _known(each, right, active)] for level in line]
        assigned = reviewers.assign(line, parties, definition.fallbacks)
        items.append(
            Planned(
                right=right,
                use=use,
                flags=tuple(sorted(advice.flags(signals))),
                advice=verdict,
                why=why,
                assigned=assigned,
                fallback=reviewers.fallback(assigned.reviewer, parties, definition.fallbacks),
                peers=signals.peers,
                having=signals.having,
            )
        )
    return items


def candidates(
    stage: Stage, organisation: str, granted_by: str, schools: Schools
) -> list[Sequence[str]]:
    """Those whom the rule of a stage leads to, level by level."""
    if stage.reviewers is Reviewers.NAMED:
        return [[stage.named]]
    if stage.reviewers is Reviewers.GRANTER:
        return [[granted_by] if granted_by else []]
    return [list(level) for level in schools.line(organisation)]


def _known(candidate: str, right: Right, active: frozenset[str]) -> bool:
    """A granter may be a name that is no person on file, or one who left."""
    return candidate != right.granted_by or candidate in active


def _active(connection: Connection, people: Iterable[str]) -> frozenset[str]:
    found: set[str] = set()
    for some in uses.slices(sorted(people)):
        found.update(
            connection.scalars(
                select(t.Person.id).where(t.Person.id.in_(some), t.Person.status == "active")
            )
        )
    return frozenset(found)


def _signals(right: Right, use: Use, crowd: _Crowd, ground: Ground, told: Flag | None) -> Signals:
    raised = {told} if told else set()
    if right.detail.get("restricted"):
        raised.add(Flag.RESTRICTED)
    if right.born and _of_age(right.born, ground):
        raised.add(Flag.CAME_OF_AGE)
    return Signals(
        kind=right.kind,
        now=ground.now,
        since=right.since or right.recorded_at,
        until=right.until,
        last_used=use.last,
        uses=use.count,
        used=use.known,
        active=right.active,
        self_granted=right.granted_by == right.holder,
        rostered=right.rostered,
        source_seen=crowd.sources.get(right.origin.removeprefix(ROSTER)),
        peers=crowd.staff[right.organisation] if right.kind is Kind.GRANT else 0,
        having=crowd.holders[right.organisation, right.role] if right.kind is Kind.GRANT else 0,
        told=frozenset(raised),
    )


def _of_age(born: date, ground: Ground) -> bool:
    day = clock.birthday(born, ground.place.age_of_majority)
    return ground.now >= clock.midnight(day, ground.place.local)


@dataclass(frozen=True, slots=True)
class _Crowd:
    """Who else is there: staff and holders of roles by organisation; when a roster last came."""

    staff: Counter[str]
    holders: Counter[tuple[str, str]]
    sources: Mapping[str, datetime]

    @classmethod
    def read(cls, connection: Connection, found: Sequence[Right], now: datetime) -> _Crowd:
        member, grant = t.Membership, t.Grant
        staff = connection.execute(
            select(member.organisation, func.count(member.person.distinct()))
            .where(member.role.not_in(NO_STAFF), member.role != "", living(member, now))
            .group_by(member.organisation)
        ).all()
        holders = connection.execute(
            select(grant.organisation, grant.role, func.count(grant.person.distinct()))
            .where(grant.organisation.is_not(None), living(grant, now))
            .group_by(grant.organisation, grant.role)
        ).all()
        return cls(
            Counter({place: int(number) for place, number in staff}),
            Counter({(str(place), role): number for place, role, number in holders}),
            cls._seen(connection, found),
        )

    @staticmethod
    def _seen(connection: Connection, found: Sequence[Right]) -> dict[str, datetime]:
        """When each source that the rights come from was last imported."""
        names = {each.origin.removeprefix(ROSTER) for each in found if each.rostered}
        rows = connection.execute(
            select(AuditRecord.resource_id, func.max(AuditRecord.time))
            .where(
                AuditRecord.resource_id.in_([indexed(name) for name in names]),
                AuditRecord.event == Event.ROSTER_IMPORTED.value,
            )
            .group_by(AuditRecord.resource_id)
        ).all()
        last = {name: datetime.fromisoformat(time) for name, time in rows}
        return {name: last[indexed(name)] for name in names if indexed(name) in last}
