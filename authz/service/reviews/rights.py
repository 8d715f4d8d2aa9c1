"""The rights that a review is about: facts on file that give somebody access (N-43, N-46).

One statement for each kind, whatever their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, exists, func, null, or_, select
from sqlalchemy.orm import aliased

from authz.directory import tables as t
from authz.directory.collation import name_order
from authz.review.definition import Scope
from authz.review.words import Kind
from authz.service.reviews.right import Right, Where
from authz.service.reviews.schools import living
from authz.service.tables import SignIn

TEACHING = ("teacher", "aide", "proctor")


def collect(connection: Connection, scope: Scope, where: Where) -> list[Right]:
    """The rights in the scope, by the names of their holders as a Thai dictionary has them.

    When they were last used is not looked at.
    """
    found = [
        right
        for kind in scope.kinds
        for right in _READERS[kind](connection, where)
        if not scope.roles or right.role in scope.roles
    ]
    if scope.contract:
        found = [right for right in found if right.id == scope.contract]
    return sorted(found, key=lambda right: (right.order, right.holder, right.kind, right.id))


_HOLDER, _STUDENT = aliased(t.Person), aliased(t.Person)


def _name(person: Any) -> ColumnElement[str]:
    return func.trim(person.given_name + " " + person.family_name).label("name")


def _recorded(table: Any) -> tuple[Any, ...]:
    return (
        table.id.label("right_id"),
        table.valid_from.label("since"),
        table.valid_until.label("until"),
        table.recorded_by,
        table.recorded_because,
        table.recorded_at,
        table.origin,
        _HOLDER.name_order,
        _name(_HOLDER),
        (_HOLDER.status == "active").label("active"),
    )


def _homes(now: datetime) -> Any:
    """One organisation of each person: that of a membership in force."""
    member = t.Membership
    return (
        select(member.person, func.min(member.organisation).label("place"))
        .where(living(member, now))
        .group_by(member.person)
        .subquery()
    )


def _members(where: Where, person: Any) -> list[ColumnElement[bool]]:
    """That the person belongs to one of the organisations."""
    if where.organisations is None:
        return []
    member = t.Membership
    places = select(member.person).where(
        member.organisation.in_(where.organisations), living(member, where.now)
    )
    return [person.in_(places)]


def _right(kind: Kind, row: Any, **more: Any) -> Right:
    return Right(
        kind=kind,
        id=row.right_id,
        name=row.name or more.get("holder", ""),
        order=getattr(row, "name_order", "") or name_order(row.name, ""),
        active=bool(row.active),
        since=row.since,
        recorded_at=row.recorded_at,
        origin=row.origin,
        **{
            "until": row.until,
            "granted_by": row.recorded_by,
            "reason": row.recorded_because,
            **more,
        },
    )


def _grants(connection: Connection, where: Where) -> Iterator[Right]:
    grant = t.Grant
    asked = (
        select(grant.person, grant.role, grant.organisation, grant.granted_by, grant.reason)
        .add_columns(*_recorded(grant))
        .join(_HOLDER, _HOLDER.id == grant.person)
        .where(living(grant, where.now))
    )
    if where.organisations is not None:
        asked = asked.where(grant.organisation.in_(where.organisations))
    for row in connection.execute(asked):
        yield _right(
            Kind.GRANT,
            row,
            holder=row.person,
            role=row.role,
            organisation=row.organisation or "",
            granted_by=row.granted_by or row.recorded_by,
            reason=row.reason or row.recorded_because,
        )


def _enrolments(connection: Connection, where: Where) -> Iterator[Right]:
    enrolment, class_ = t.Enrolment, t.Class
    asked = (
        select(enrolment.person, enrolment.role, class_.organisation, class_.title, class_.terms)
        .add_columns(enrolment.class_id.label("class_id"), *_recorded(enrolment))
        .join(class_, class_.id == enrolment.class_id)
        .join(_HOLDER, _HOLDER.id == enrolment.person)
        .where(enrolment.role.in_(TEACHING), class_.ended_at.is_(None))
        .where(living(enrolment, where.now))
    )
    if where.organisations is not None:
        asked = asked.where(class_.organisation.in_(where.organisations))
    ends = {row.id: row.ends for row in connection.execute(select(t.Term.id, t.Term.ends))}
    for row in connection.execute(asked):
        terms = [ends.get(term) for term in row.terms]
        last = max((end for end in terms if end is not None), default=None)
        until = row.until or (None if None in terms else last)
        if until is None or until > where.now:
            yield _right(
                Kind.ENROLMENT,
                row,
                holder=row.person,
                role=row.role,
                organisation=row.organisation or "",
                until=until,
                detail={"class": row.class_id, "title": row.title},
            )


def _guardianships(connection: Connection, where: Where) -> Iterator[Right]:
    link, fact, restriction = t.Guardianship, aliased(t.Guardianship), t.CustodyRestriction
    homes = _homes(where.now)
    superseded = exists().where(
        fact.guardian == link.guardian, fact.student == link.student, fact.origin == "fact"
    )
    stopped = exists().where(
        restriction.subject == link.guardian,
        restriction.person == link.student,
        living(restriction, where.now),
    )
    asked = (
        select(link.guardian, link.student, link.kind, homes.c.place, _STUDENT.birth_date)
        .add_columns(stopped.label("restricted"), *_recorded(link))
        .join(_HOLDER, _HOLDER.id == link.guardian)
        .join(_STUDENT, _STUDENT.id == link.student)
        .outerjoin(homes, homes.c.person == link.student)
        .where(link.kind.in_(("parent", "guardian")), living(link, where.now))
        .where(or_(link.origin == "fact", ~superseded))
        .where(*_members(where, link.student))
    )
    for row in connection.execute(asked):
        yield _right(
            Kind.GUARDIANSHIP,
            row,
            holder=row.guardian,
            person=row.student,
            role=row.kind,
            organisation=row.place or "",
            born=row.birth_date,
            detail={"restricted": True} if row.restricted else {},
        )


def _mentorings(connection: Connection, where: Where) -> Iterator[Right]:
    pair, homes = t.Mentoring, _homes(where.now)
    asked = (
        select(pair.mentor, pair.person, homes.c.place)
        .add_columns(*_recorded(pair))
        .join(_HOLDER, _HOLDER.id == pair.mentor)
        .outerjoin(homes, homes.c.person == pair.person)
        .where(living(pair, where.now), *_members(where, pair.person))
    )
    for row in connection.execute(asked):
        yield _right(
            Kind.MENTORING,
            row,
            holder=row.mentor,
            person=row.person,
            role="mentor",
            organisation=row.place or "",
        )


def _contracts(connection: Connection, where: Where) -> Iterator[Right]:
    contract, firm = t.Contract, t.Recipient
    asked: Select[Any] = (
        select(contract.processor, contract.schools, contract.categories, contract.purposes)
        .add_columns(contract.actions, contract.transfer, contract.country)
        .add_columns(*_recorded(contract)[:-3], firm.name.label("name"))
        .add_columns((firm.ended_at.is_(None)).label("active"))
        .outerjoin(firm, and_(firm.kind == "processor", firm.id == contract.processor))
        .where(living(contract, where.now))
    )
    for row in connection.execute(asked):
        schools = frozenset(row.schools or ())
        if where.organisations is not None and not (schools and schools <= where.organisations):
            continue
        yield _right(
            Kind.CONTRACT,
            row,
            holder=row.processor,
            role="processor",
            organisation=min(schools) if len(schools) == 1 else "",
            detail={
                "categories": sorted(row.categories),
                "purposes": row.purposes,
                "actions": row.actions,
                "transfer": row.transfer,
                "country": row.country,
            },
        )


def _elevations(connection: Connection, where: Where) -> Iterator[Right]:
    lifted = t.Elevation
    asked = (
        select(lifted.person, lifted.school, lifted.justification, lifted.approved_by)
        .add_columns(*_recorded(lifted))
        .join(_HOLDER, _HOLDER.id == lifted.person)
        .where(living(lifted, where.now))
    )
    if where.organisations is not None:
        asked = asked.where(lifted.school.in_(where.organisations))
    for row in connection.execute(asked):
        yield _right(
            Kind.ELEVATION,
            row,
            holder=row.person,
            role="emergency",
            organisation=row.school,
            granted_by=row.approved_by or row.recorded_by,
            reason=row.justification,
        )


def _sign_ins(connection: Connection, where: Where) -> Iterator[Right]:
    homes = _homes(where.now)
    asked = (
        select(SignIn.name.label("right_id"), SignIn.person, homes.c.place)
        .add_columns(SignIn.created_at.label("since"), SignIn.created_at.label("recorded_at"))
        .add_columns(SignIn.created_by.label("recorded_by"), null().label("recorded_because"))
        .add_columns(null().label("until"), SignIn.name.label("origin"), _name(_HOLDER))
        .add_columns(_HOLDER.name_order, (_HOLDER.status == "active").label("active"))
        .join(_HOLDER, _HOLDER.id == SignIn.person)
        .outerjoin(homes, homes.c.person == SignIn.person)
        .where(SignIn.disabled_at.is_(None), *_members(where, SignIn.person))
    )
    for row in connection.execute(asked):
        yield _right(
            Kind.SIGN_IN,
            row,
            holder=row.person,
            role="sign_in",
            organisation=row.place or "",
            reason="",
        )


_READERS: dict[Kind, Callable[[Connection, Where], Iterator[Right]]] = {
    Kind.GRANT: _grants,
    Kind.ENROLMENT: _enrolments,
    Kind.GUARDIANSHIP: _guardianships,
    Kind.MENTORING: _mentorings,
    Kind.CONTRACT: _contracts,
    Kind.ELEVATION: _elevations,
    Kind.SIGN_IN: _sign_ins,
}
