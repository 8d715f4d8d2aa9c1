"""When and how often a right was used, as the trail tells it (N-46, N-49).

A use is a recorded permit of the holder by a rule that the right opens. One statement for
each slice of people, not one for each right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, select

from authz.audit import pseudonyms
from authz.audit.mentions import PERSON
from authz.audit.record import timestamp
from authz.audit.tables import AuditMention, AuditRecord
from authz.directory.tables import RecipientMember
from authz.engine.policy import Policy
from authz.review.words import Kind
from authz.service.reviews.right import Right
from authz.vocabulary import Event, Relation

SLICE = 500
PAIRED = frozenset({Kind.GUARDIANSHIP, Kind.MENTORING})
"""Kinds whose right reaches one person only: uses of others' data are not theirs."""
RELATIONS: Mapping[tuple[Kind, str], Relation] = {
    (Kind.GUARDIANSHIP, "parent"): Relation.GUARDIAN,
    (Kind.GUARDIANSHIP, "guardian"): Relation.GUARDIAN,
    (Kind.MENTORING, "mentor"): Relation.MENTORS,
    (Kind.ENROLMENT, "teacher"): Relation.TEACHES,
    (Kind.ENROLMENT, "aide"): Relation.ASSISTS,
    (Kind.ENROLMENT, "proctor"): Relation.ASSISTS,
    (Kind.CONTRACT, "processor"): Relation.CONTRACTED,
    (Kind.ELEVATION, "emergency"): Relation.ELEVATED,
}


@dataclass(frozen=True, slots=True)
class Use:
    """The last time, and how often; ``known`` is false where the trail cannot tell."""

    last: datetime | None = None
    count: int = 0
    known: bool = True


def opened(policy: Policy, kind: Kind, role: str) -> dict[str, tuple[str, ...]]:
    """The rules that such a right opens, each with its categories."""
    relation = RELATIONS.get((kind, role))
    return {
        compiled.rule.id: tuple(compiled.rule.categories)
        for compiled in policy.permits
        if (
            compiled.rule.role == role and not compiled.rule.relations & {Relation.ELEVATED}
            if kind is Kind.GRANT
            else relation is not None and relation.value in compiled.rule.relations
        )
    }


def of(
    connection: Connection, policy: Policy, rights: Sequence[Right], *, since: datetime | None
) -> list[Use]:
    """The use of each right, in their order, since then."""
    members = _members(connection, rights)
    people = {name for right in rights for name in members(right)}
    alone = _counted(connection, people, since)
    pairs = {name for right in rights if right.kind in PAIRED for name in members(right)}
    persons = {right.person for right in rights if right.kind in PAIRED}
    paired = _counted(connection, pairs, since, persons)
    entered = last_of(connection, Event.SIGNED_IN, {r.id for r in rights if r.kind is Kind.SIGN_IN})
    found = []
    for right in rights:
        if right.kind is Kind.SIGN_IN:
            found.append(entered.get(right.id, Use()))
            continue
        rules = set(opened(policy, right.kind, right.role))
        table, about = (paired, right.person) if right.kind in PAIRED else (alone, "")
        rows = [row for name in members(right) for row in table.get((name, about), ())]
        found.append(_sum(rows, rules))
    return found


Counted = tuple[frozenset[str], str, int]


def _sum(rows: Iterable[Counted], rules: set[str]) -> Use:
    if not rules:
        return Use(known=False)
    fitting = [(last, count) for named, last, count in rows if named & rules]
    last = max((last for last, _ in fitting), default="")
    return Use(datetime.fromisoformat(last) if last else None, sum(count for _, count in fitting))


def _members(connection: Connection, rights: Sequence[Right]) -> Any:
    """Who acts by a right: its holder, or the members of the processor."""
    firms = sorted({right.holder for right in rights if right.kind is Kind.CONTRACT})
    acting: dict[str, list[str]] = defaultdict(list)
    for some in slices(firms):
        rows = connection.execute(
            select(RecipientMember.recipient, RecipientMember.subject).where(
                RecipientMember.kind == "processor", RecipientMember.recipient.in_(some)
            )
        )
        for firm, subject in rows:
            acting[firm].append(subject)
    return lambda right: acting[right.holder] if right.kind is Kind.CONTRACT else [right.holder]


def _counted(
    connection: Connection,
    people: Iterable[str],
    since: datetime | None,
    persons: Iterable[str] = (),
) -> dict[tuple[str, str], list[Counted]]:
    """Permits of these people by the rules that permitted, and by whose data, of ``persons``."""
    subjects = pseudonyms.known_as(connection, people)
    about = pseudonyms.known_as(connection, persons)
    record, found = AuditRecord, defaultdict[tuple[str, str], list[Counted]](list)
    groups = [record.subject_id, record.rules, *([record.resource_id] if about else [])]
    for some in slices(sorted(subjects)):
        asked = (
            select(func.max(record.time), func.count(), *groups)
            .where(
                record.subject_id.in_(some),
                record.event == Event.DECISION.value,
                record.decision == "permit",
            )
            .group_by(*groups)
        )
        if since is not None:
            asked = asked.where(record.time >= timestamp(since))
        for last, count, subject, rules, *whose in connection.execute(asked):
            key = (subjects[subject], about.get(whose[0], "") if whose else "")
            found[key].append((frozenset(rules.strip("|").split("|")), last, count))
    return dict(found)


def last_of(connection: Connection, event: Event, names: Iterable[str]) -> dict[str, Use]:
    """When last and how often that happened to what has these names, of what it happened to."""
    record, mention, found = AuditRecord, AuditMention, dict[str, Use]()
    known = pseudonyms.known_as(connection, names)
    for some in slices(sorted(known)):
        rows = connection.execute(
            select(mention.name, func.max(mention.time), func.count())
            .join(
                record,
                (record.chain == mention.chain) & (record.sequence == mention.sequence),
            )
            .where(mention.what == PERSON, mention.name.in_(some), record.event == event.value)
            .group_by(mention.name)
        )
        for name, last, count in rows:
            use = Use(datetime.fromisoformat(last), count)
            found[known[name]] = _later(found.get(known[name]), use)
    return found


def _later(one: Use | None, other: Use) -> Use:
    """Two ways in which the trail holds the same, as one."""
    if one is None:
        return other
    last = max(each for each in (one.last, other.last) if each is not None)
    return Use(last, one.count + other.count)


def slices(items: Sequence[str]) -> Iterator[Sequence[str]]:
    """The items, some at a time: as many as a statement takes well."""
    return (items[start : start + SLICE] for start in range(0, len(items), SLICE))
