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

from authz.audit.record import indexed
from authz.audit.tables import AuditRecord
from authz.directory.tables import RecipientMember
from authz.engine.policy import Policy
from authz.review.words import Kind
from authz.service.reviews.rights import Right
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
    alone = _counted(connection, people, since, paired=False)
    pairs = {name for right in rights if right.kind in PAIRED for name in members(right)}
    paired = _counted(connection, pairs, since, paired=True)
    entered = _signed_in(connection, {r.id for r in rights if r.kind is Kind.SIGN_IN})
    found = []
    for right in rights:
        if right.kind is Kind.SIGN_IN:
            found.append(entered.get(right.id, Use()))
            continue
        rules = set(opened(policy, right.kind, right.role))
        table, about = (paired, indexed(right.person)) if right.kind in PAIRED else (alone, "")
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
    connection: Connection, people: Iterable[str], since: datetime | None, *, paired: bool
) -> dict[tuple[str, str], list[Counted]]:
    """Permits of these people by the rules that permitted, and by whose data if ``paired``."""
    by_index = {indexed(name): name for name in people}
    record, found = AuditRecord, defaultdict[tuple[str, str], list[Counted]](list)
    groups = [record.subject_id, record.rules, *([record.resource_id] if paired else [])]
    for some in slices(sorted(by_index)):
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
            asked = asked.where(record.time >= since.isoformat())
        for last, count, subject, rules, *about in connection.execute(asked):
            key = (by_index[subject], about[0] if about else "")
            found[key].append((frozenset(rules.strip("|").split("|")), last, count))
    return dict(found)


def _signed_in(connection: Connection, names: set[str]) -> dict[str, Use]:
    record, found = AuditRecord, dict[str, Use]()
    by_index = {indexed(name): name for name in names}
    for some in slices(sorted(by_index)):
        rows = connection.execute(
            select(record.resource_id, func.max(record.time), func.count())
            .where(record.resource_id.in_(some), record.event == Event.SIGNED_IN.value)
            .group_by(record.resource_id)
        )
        for name, last, count in rows:
            found[by_index[name]] = Use(datetime.fromisoformat(last), count)
    return found


def slices(items: Sequence[str]) -> Iterator[Sequence[str]]:
    """The items, some at a time: as many as a statement takes well."""
    return (items[start : start + SLICE] for start in range(0, len(items), SLICE))
