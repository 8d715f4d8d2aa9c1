"""Guardianships from agent links, in either direction (page 5, *Agent links*).

A link counts between an adult who holds the role parent, guardian or relative and a
student; of several such roles the weakest. The dates of the adult's role are those of the
link. ``recorded_because`` says whose row carried the link, so that a delta which brings
that row without it ends it, and one which brings the other person's row does not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    String,
    and_,
    case,
    cast,
    delete,
    exists,
    func,
    insert,
    literal,
    not_,
    null,
    or_,
    select,
    true,
    union,
    union_all,
)

from authz.directory.roster import staging
from authz.directory.roster.check import kept_table
from authz.directory.roster.columns import GUARDIAN_ROLES
from authz.directory.roster.merge import Merge, Stamp
from authz.directory.roster.problems import CAP, place, short
from authz.directory.roster.summary import Listing, Tally
from authz.directory.tables import Enrolment, Guardianship, Membership, UtcTime

BY_STUDENT = "agent link in the student's row"
BY_GUARDIAN = "agent link in the guardian's row"
BY_BOTH = "agent link in both rows"

GUARDIANSHIP = kept_table(Guardianship)
_MEMBERSHIP, _ENROLMENT = kept_table(Membership), kept_table(Enrolment)
_AGENT, _USER, _ROLE = staging.AGENT.c, staging.USER.c, staging.ROLE.c
_KINDS = {rank: kind for kind, rank in GUARDIAN_ROLES.items()}


@dataclass(frozen=True, slots=True)
class Links:
    """The guardianships of one set; to be asked once memberships are merged."""

    connection: Connection
    stamp: Stamp
    modes: Mapping[str, str]

    @property
    def _whole(self) -> bool:
        return "bulk" in {self.modes.get("users"), self.modes.get("roles")}

    def merge(self) -> Tally:
        """Work out the links, and merge them."""
        scope = true() if self._whole else self._touched()
        if self.modes.get("users") != "bulk":
            self._add_carried(scope)
        self._find_adults()
        self._find_learners()
        staging.analyse(self.connection, staging.AGENT, staging.ADULT, staging.LEARNER)
        self._find_links()
        staging.analyse(self.connection, staging.LINK)
        return Merge(self.connection, GUARDIANSHIP, self._staged(), self.stamp).run(scope)

    def idle(self, file: str) -> Listing:
        """The agent links that gave nothing."""
        link = staging.LINK.c
        given = or_(
            exists().where(link.id == self._id(_AGENT.person, _AGENT.agent)),
            exists().where(link.id == self._id(_AGENT.agent, _AGENT.person)),
        )
        wrong = and_(_AGENT.line > 0, not_(_AGENT.ended), not_(given))
        found = select(_AGENT.line, _AGENT.person, _AGENT.agent).where(wrong)
        count = select(func.count()).select_from(staging.AGENT).where(wrong)
        total = self.connection.execute(count).scalar_one()
        rows = self.connection.execute(found.order_by(_AGENT.line).limit(CAP))
        why = "are no parent, guardian or relative with a student"
        return Listing(
            total,
            tuple(
                place(file, line, "agentSourcedIds", f"{short(person)} and {short(agent)} {why}")
                for line, person, agent in rows
            ),
        )

    def _touched(self) -> ColumnElement[bool]:
        """The links of the people whose rows a delta brings."""
        people = union(select(_USER.id), select(_ROLE.person)).subquery()
        some = select(people.c.id)
        return or_(GUARDIANSHIP.c.guardian.in_(some), GUARDIANSHIP.c.student.in_(some))

    def _add_carried(self, scope: ColumnElement[bool]) -> None:
        """What is on file, carried by the row of somebody whose row the set does not bring."""
        kept = GUARDIANSHIP.c
        mine = and_(kept.origin == self.stamp.origin, kept.ended_at.is_(None), scope)
        for person, agent, carriers in (
            (kept.student, kept.guardian, (BY_STUDENT, BY_BOTH)),
            (kept.guardian, kept.student, (BY_GUARDIAN, BY_BOTH)),
        ):
            brought = exists().where(_USER.id == person)
            rows = select(literal(0), person, agent, literal(value=False), literal(value=False))
            rows = rows.where(mine, kept.recorded_because.in_(carriers), not_(brought))
            names = ["line", "person", "agent", "ended", "skip"]
            self.connection.execute(insert(staging.AGENT).from_select(names, rows))

    def _linked(self, person: ColumnElement[Any]) -> ColumnElement[bool]:
        return person.in_(union(select(_AGENT.person), select(_AGENT.agent)))

    def _roles(self) -> Any:
        """Who holds which role, by the set and by what is on file."""
        brought = select(_USER.id.label("person"), _USER.role, *_none()).where(
            _USER.role.is_not(None), not_(_USER.ended)
        )
        kept = _MEMBERSHIP.c
        on_file = select(kept.person, kept.role, kept.valid_from, kept.valid_until).where(
            kept.origin == self.stamp.origin, kept.ended_at.is_(None)
        )
        return union_all(brought, on_file).subquery("roles")

    def _find_adults(self) -> None:
        """Each adult with the weakest of their roles, and the dates of it."""
        roles = self._roles()
        in_time = or_(roles.c.valid_until.is_(None), roles.c.valid_until > self.stamp.moment)
        rank = case(GUARDIAN_ROLES, value=roles.c.role)
        order = func.rank().over(partition_by=roles.c.person, order_by=rank)
        held = (
            select(
                roles.c.person,
                rank.label("rank"),
                roles.c.valid_from,
                roles.c.valid_until,
                order.label("place"),
            )
            .where(roles.c.role.in_(list(GUARDIAN_ROLES)), in_time, self._linked(roles.c.person))
            .subquery("held")
        )
        begin, end = held.c.valid_from, held.c.valid_until
        adults = (
            select(
                held.c.person,
                held.c.rank,
                case((func.count() == func.count(begin), func.min(begin))),
                case((func.count() == func.count(end), func.max(end))),
            )
            .where(held.c.place == 1)
            .group_by(held.c.person, held.c.rank)
        )
        names = ["person", "rank", *_DATES]
        self.connection.execute(insert(staging.ADULT).from_select(names, adults))

    def _find_learners(self) -> None:
        """The students among the linked people: by role, else by an enrolment as student."""
        roles = self._roles()
        by_role = select(roles.c.person).where(
            roles.c.role == "student", self._linked(roles.c.person)
        )
        linked = union(select(_AGENT.person), select(_AGENT.agent)).subquery()
        enrolled = exists().where(
            _ENROLMENT.c.person == linked.c.person,
            _ENROLMENT.c.role == "student",
            _ENROLMENT.c.origin == self.stamp.origin,
            _ENROLMENT.c.ended_at.is_(None),
        )
        adult = exists().where(staging.ADULT.c.person == linked.c.person)
        by_enrolment = select(linked.c.person).where(not_(adult), enrolled)
        found = union(by_role, by_enrolment)
        self.connection.execute(insert(staging.LEARNER).from_select(["person"], found))

    def _find_links(self) -> None:
        link = staging.LINK
        self.connection.execute(delete(link))
        usable = not_(_AGENT.ended)
        directions = union_all(
            select(_AGENT.agent.label("guardian"), _AGENT.person.label("student"),
                   literal(1).label("by_student"), literal(0).label("by_guardian")).where(usable),
            select(_AGENT.person, _AGENT.agent, literal(0), literal(1)).where(usable),
        ).subquery("directions")  # fmt: skip
        found, adult = directions.c, staging.ADULT.c
        both = and_(func.max(found.by_student) == 1, func.max(found.by_guardian) == 1)
        because = case(
            (both, literal(BY_BOTH)),
            (func.max(found.by_student) == 1, literal(BY_STUDENT)),
            else_=literal(BY_GUARDIAN),
        )
        rows = (
            select(
                self._id(found.guardian, found.student), found.guardian, found.student,
                case(_KINDS, value=adult.rank), adult.valid_from, adult.valid_until,
                because, literal(value=False),
            )
            .join(staging.ADULT, adult.person == found.guardian)
            .join(staging.LEARNER, staging.LEARNER.c.person == found.student)
            .where(found.guardian != found.student)
            .group_by(
                found.guardian, found.student, adult.rank, adult.valid_from, adult.valid_until
            )
        )  # fmt: skip
        names = ["id", "guardian", "student", "kind", *_DATES, "recorded_because", "ended"]
        self.connection.execute(insert(link).from_select(names, rows))

    def _staged(self) -> Any:
        link = staging.LINK.c
        return select(
            link.id, link.guardian, link.student, link.kind, link.valid_from, link.valid_until,
            link.recorded_because, link.ended,
        ).subquery("links")  # fmt: skip

    def _id(self, guardian: Any, student: Any) -> ColumnElement[str]:
        """An id of the pair that no other pair has, whatever characters are in theirs."""
        length = cast(func.length(guardian), String)
        parts: ColumnElement[str] = literal(f"{self.stamp.origin} ") + length
        return parts.concat(":").concat(guardian).concat(":").concat(student)


_DATES = ("valid_from", "valid_until")


def _none() -> list[Any]:
    return [cast(null(), UtcTime()).label(name) for name in _DATES]
