"""*Unused rights*: grants, contracts and rules that nobody used in so many days (N-41, N-46).

A right is used where a decision permitted by it. Records name the rules that permitted and
who asked; so a grant is used by a permit of a rule of its role to its holder. Where somebody
holds the same role at several organisations, the person whose data were used tells which
grant it was: it counts for the organisations that this person belongs to, and those above.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, or_, select

from authz import clock
from authz.audit import uses
from authz.audit.record import indexed, timestamp
from authz.directory.tables import Contract, Grant, Membership, Organisation, RecipientMember
from authz.engine.policy import Policy
from authz.errors import MalformedError
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.journals import catch_up
from authz.service.reports.asking import Asker, Told, record
from authz.service.reports.batches import batched
from authz.service.reports.document import Report, Row, Rows, Table, Texts
from authz.service.reports.words import Words
from authz.vocabulary import Event, Role

NAME: Final = "unused"
BATCH: Final = 300
MOST_DAYS: Final = 3660
TITLE: Final[Texts] = {"th": "สิทธิที่ไม่มีผู้ใช้", "en": "Rights that nobody uses"}
TABLES: Final[dict[str, Texts]] = {
    "grants": {"th": "สิทธิที่มอบให้บุคคล", "en": "Grants"},
    "contracts": {"th": "สัญญากับผู้ประมวลผล", "en": "Contracts"},
    "rules": {"th": "กฎในนโยบาย", "en": "Rules"},
}
NOTES: Final[tuple[Texts, ...]] = (
    {
        "th": "“ใช้” หมายถึงมีคำตัดสินที่อนุญาตด้วยสิทธินั้น การค้นหาและคำถามสมมติไม่นับ",
        "en": "Used means that a decision permitted by it; searches and what-ifs do not count.",
    },
    {
        "th": "ผู้ที่มีบทบาทเดียวกันในหลายองค์กร นับตามองค์กรปัจจุบันของเจ้าของข้อมูล "
        "หากเจ้าของข้อมูลย้ายหรือออกแล้ว สิทธิที่เคยใช้อาจปรากฏว่าไม่ได้ใช้",
        "en": "Of who holds a role at several organisations, the grant is told by where the "
        "person whose data were used belongs now: of people who have left or moved, a grant "
        "that was used may be listed here.",
    },
    {
        "th": "สัญญานับตามผู้ใช้ วัตถุประสงค์ ประเภทข้อมูล และการกระทำ สัญญาสองฉบับที่ครอบคลุมเรื่องเดียวกันนับว่าใช้ทั้งคู่",
        "en": "A contract is told by account, purpose, kind of data and action; of two that "
        "cover the same, both count as used.",
    },
    {
        "th": "สิทธิที่เพิ่งมีผลหลังวันเริ่มนับไม่อยู่ในรายการ",
        "en": "What came into force within these days is not listed yet.",
    },
)


def unused(point: DecisionPoint, days: int, *, by: Asker) -> Report:
    """What nobody used for so many days, with what would be lost; MalformedError of the days."""
    if not 0 < days <= MOST_DAYS:
        raise MalformedError(f"A number of days from 1 to {MOST_DAYS}.", where="days")
    now = clock.now()
    since = now - timedelta(days=days)
    words = Words(point.policy.catalogue)
    catch_up(point.store)
    with reading(point.store) as connection:
        looked = Looked(connection, point.policy, since, now)
        grants, contracts = Rows(looked.grants()), Rows(looked.contracts())
        rules = Rows(looked.rules())
    record(point.store, Told(NAME, {"days": days}), by)
    facts = {"made_at": timestamp(now), "days": days, "since": timestamp(since)}
    of_grants = ("account", "role", "organisation", "valid_from", "granted_by", "loses")
    of_contracts = ("contract", "processor", "purposes", "actions", "categories", "schools")
    of_rules = ("rule", "role", "actions", "categories", "last")
    return Report(
        id=NAME,
        title=TITLE,
        facts=[words.fact(name, value) for name, value in facts.items()],
        notes=NOTES,
        tables=[
            Table("grants", TABLES["grants"], words.columns(*of_grants), grants),
            Table("contracts", TABLES["contracts"], words.columns(*of_contracts), contracts),
            Table("rules", TABLES["rules"], words.columns(*of_rules), rules),
        ],
        main="grants",
    )


class Looked:
    """Whether rights were used: some hundred at a time, with one statement for their use."""

    def __init__(
        self, connection: Connection, policy: Policy, since: datetime, now: datetime
    ) -> None:
        self.connection = connection
        self.policy = policy
        self.since = since
        self.now = now
        self.role_of = {c.rule.id: c.rule.role for c in policy.permits}

    def grants(self) -> Iterator[Row]:
        """The grants in force since before, that nobody used."""
        rows = self.connection.execute(
            select(Grant.person, Grant.role, Grant.organisation, Grant.valid_from, Grant.granted_by)
            .where(*self.in_force(Grant))
            .order_by(Grant.person, Grant.role, Grant.organisation)
            .execution_options(**uses.STREAM)
        )
        for some in batched(rows, BATCH):
            for row, was in zip(some, self.used(some), strict=True):
                if not was:
                    held = (row.person, row.role, row.organisation or "")
                    since = row.valid_from and timestamp(row.valid_from)
                    yield (*held, since, row.granted_by, self._loses(row.role))

    def used(self, rows: Sequence[Any]) -> Iterator[bool]:
        """Of each of these grants (``person``, ``role``, ``organisation``): was it used?"""
        used = self._used([row.person for row in rows])
        where = self._where(rows, used)
        for row in rows:
            at = where.get((row.person, row.role))
            here = row.organisation is None or at is None or row.organisation in at
            yield (row.person, row.role) in used and here

    def _used(self, people: Sequence[str]) -> set[tuple[str, str]]:
        """Which role each of them used."""
        names = {indexed(person): person for person in people}
        return {
            (names[subject], self.role_of[rule])
            for subject, rules, *_ in uses.last_uses(self.connection, people, self.since)
            for rule in uses.rule_ids(rules)
            if rule in self.role_of
        }

    def _where(
        self, rows: Sequence[Any], used: set[tuple[str, str]]
    ) -> Mapping[tuple[str, str], set[str]]:
        """Of those who hold a used role more than once: at which organisations they used it."""
        held: dict[tuple[str, str], int] = defaultdict(int)
        for person, role in self._all_held({row.person for row in rows}):
            held[person, role] += 1
        several = {key for key, number in held.items() if number > 1 and key in used}
        if not several:
            return {}
        parents = dict(self.connection.execute(select(Organisation.id, Organisation.parent)).all())
        found: dict[tuple[str, str], set[str]] = {key: set() for key in several}
        people = sorted({person for person, _ in several})
        names = {indexed(person): person for person in people}
        for subject, rules, at in self._places(people):
            for rule in uses.rule_ids(rules):
                key = (names[subject], self.role_of.get(rule, ""))
                if key in found:
                    found[key].update(_above(at, parents))
        return found

    def _all_held(self, people: set[str]) -> Iterator[Any]:
        return iter(
            self.connection.execute(
                select(Grant.person, Grant.role).where(
                    Grant.person.in_(people), *self.in_force(Grant, before=False)
                )
            )
        )

    def _places(self, people: Sequence[str]) -> Iterator[Any]:
        """The organisations of those whose data these people used, by the rules of the use."""
        r = uses.R
        return iter(
            self.connection.execute(
                select(r.subject_id, r.rules, Membership.organisation)
                .join(Membership, Membership.person == r.resource_id)
                .where(
                    r.subject_id.in_([indexed(person) for person in people]),
                    r.time >= timestamp(self.since),
                    r.event == Event.DECISION.value,
                    r.decision == uses.PERMIT,
                    Membership.ended_at.is_(None),
                )
                .distinct()
            )
        )

    def contracts(self) -> Iterator[Row]:
        """The contracts in force since before, under which nobody of the processor did anything."""
        rows = self.connection.execute(
            select(
                Contract.id,
                Contract.processor,
                Contract.purposes,
                Contract.actions,
                Contract.categories,
                Contract.schools,
            )
            .where(*self.in_force(Contract))
            .order_by(Contract.id)
        )
        for some in batched(rows, BATCH):
            done = self._done({row.processor for row in some})
            for row in some:
                if not any(_under(row, *each) for each in done[row.processor]):
                    kinds = list(row.categories)
                    yield row.id, row.processor, row.purposes, row.actions, kinds, row.schools

    def _done(self, processors: set[str]) -> Mapping[str, set[tuple[str, str, str]]]:
        """What the members of each processor did: purpose, category, action."""
        members: dict[str, list[str]] = defaultdict(list)
        for subject, processor in self.connection.execute(
            select(RecipientMember.subject, RecipientMember.recipient).where(
                RecipientMember.kind == Role.PROCESSOR.value,
                RecipientMember.recipient.in_(processors),
            )
        ):
            members[subject].append(processor)
        by_name = {indexed(subject): of for subject, of in members.items()}
        found: dict[str, set[tuple[str, str, str]]] = defaultdict(set)
        for subject, rules, *use, _ in uses.last_uses(self.connection, list(members), self.since):
            if any(self.role_of.get(rule) == Role.PROCESSOR for rule in uses.rule_ids(rules)):
                for processor in by_name[subject]:
                    found[processor].add((use[0], use[1], use[2]))
        return found

    def rules(self) -> Iterator[Row]:
        """The permits of the pack that permitted nothing."""
        permits = [compiled.rule for compiled in self.policy.permits]
        last = uses.last_of_rules(self.connection, [rule.id for rule in permits])
        for rule in permits:
            used = last.get(rule.id, "")
            if used < timestamp(self.since):
                actions = sorted(rule.actions or self.policy.catalogue.actions)
                yield rule.id, rule.role, actions, list(rule.categories), used

    def _loses(self, role: str) -> str:
        """What a role allows, rule by rule, with the kinds of data that each is about."""
        mine = [c.rule for c in self.policy.permits if c.rule.role == role]
        return "; ".join(f"{rule.id}: {', '.join(rule.categories)}" for rule in mine)

    def in_force(self, table: Any, *, before: bool = True) -> list[Any]:
        """In force now, and since before the days that are counted."""
        start = self.since if before else self.now
        began = or_(
            and_(table.valid_from.is_(None), table.recorded_at <= start), table.valid_from <= start
        )
        on = [or_(each.is_(None), each > self.now) for each in (table.valid_until, table.ended_at)]
        return [began, *on]


def _above(organisation: str, parents: Mapping[str, str | None]) -> Iterator[str]:
    """An organisation and all above it; a circle ends where it closes."""
    seen: set[str] = set()
    here: str | None = organisation
    while here is not None and here not in seen:
        seen.add(here)
        yield here
        here = parents.get(here)


def _under(contract: Any, purpose: str, category: str, action: str) -> bool:
    """Whether a use can have been under a contract."""
    return (
        purpose in contract.purposes
        and category in contract.categories
        and action in contract.actions
    )
