"""What a review would be, were it started now: its items, each with its reviewer (N-46).

A fixed number of statements, however many rights there are.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection, func, select

from authz import clock
from authz.directory import tables as t
from authz.directory.facts import Place
from authz.engine.policy import Policy
from authz.review import advice, reviewers
from authz.review.advice import Signals
from authz.review.definition import Definition, Stage
from authz.review.reviewers import Assignment
from authz.review.words import Advice, Flag, Kind, Reviewers, Verdict
from authz.service import separation
from authz.service.reviews import rights as on_file
from authz.service.reviews import schools as tree
from authz.service.reviews import uses
from authz.service.reviews.right import ROSTER, Right, Where
from authz.service.reviews.schools import Schools, living
from authz.service.reviews.uses import Use
from authz.service.separation import Conflict
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
    conflicts: tuple[Conflict, ...] = ()


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
    gone = nobody(connection, definition, {each.granted_by for each in found})
    fallbacks = [each for each in definition.fallbacks if each not in gone]
    apart = separation.conflicts(connection, ground.policy.catalogue, _granted(found), ground.now)
    items = []
    for right, use in zip(found, used, strict=True):
        conflicts = _conflicts(right, apart)
        raised = {Flag.CONFLICT} if conflicts else set[Flag]()
        raised |= {told[right.id]} if told and right.id in told else set()
        signals = _signals(right, use, crowd, ground, raised)
        verdict, why = advice.recommend(signals)
        parties = frozenset({right.holder, right.person} - {""})
        line = candidates(definition.stages[0], right.organisation, right.granted_by, schools, gone)
        assigned = reviewers.assign(line, parties, fallbacks)
        items.append(
            Planned(
                right=right,
                use=use,
                flags=tuple(sorted(advice.flags(signals))),
                advice=verdict,
                why=why,
                assigned=assigned,
                fallback=reviewers.fallback(assigned.reviewer, parties, fallbacks),
                peers=signals.peers,
                having=signals.having,
                conflicts=conflicts,
            )
        )
    return items


def candidates(
    stage: Stage, organisation: str, granted_by: str, schools: Schools, gone: Collection[str]
) -> list[Sequence[str]]:
    """Those whom the rule of a stage leads to, level by level, without who is ``gone``."""
    if stage.reviewers is Reviewers.SCHOOL:
        return [list(level) for level in schools.line(organisation)]
    asked = stage.named if stage.reviewers is Reviewers.NAMED else granted_by
    return [[asked] if asked and asked not in gone else []]


def nobody(
    connection: Connection, definition: Definition, granters: Iterable[str]
) -> frozenset[str]:
    """Those whom the rules lead to and who cannot be asked: no person on file, or one who left."""
    named = (stage.named for stage in definition.stages)
    asked = {*granters, *named, *definition.fallbacks} - {""}
    found: set[str] = set()
    for some in uses.slices(sorted(asked)):
        found.update(
            connection.scalars(
                select(t.Person.id).where(t.Person.id.in_(some), t.Person.status == "active")
            )
        )
    return frozenset(asked - found)


def _granted(found: Iterable[Right]) -> set[str]:
    return {right.holder for right in found if right.kind is Kind.GRANT}


def _conflicts(right: Right, apart: Mapping[str, Sequence[Conflict]]) -> tuple[Conflict, ...]:
    """What this right is part of, where its holder has roles that the pack keeps apart."""
    if right.kind is not Kind.GRANT:
        return ()
    return tuple(each for each in apart.get(right.holder, ()) if right.role in each.roles)


def _signals(right: Right, use: Use, crowd: _Crowd, ground: Ground, raised: set[Flag]) -> Signals:
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
        seen = uses.last_of(connection, Event.ROSTER_IMPORTED, names)
        return {name: use.last for name, use in seen.items() if use.last is not None}
