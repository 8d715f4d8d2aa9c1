"""Relations by a piece of work: a contract, an order, a ticket, a case, a mentoring (2.4)."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import Select, and_, exists, false, or_, select

from authz.directory import tables as t
from authz.directory.conditions.among import one_of
from authz.directory.conditions.json import Has, HasIn, LengthOf, is_null
from authz.directory.conditions.people import between, registered
from authz.directory.conditions.schools import grants, memberships
from authz.directory.conditions.view import Sql, View
from authz.directory.facts import PROTECTED_TRANSFERS
from authz.vocabulary import Role


def contracted(v: View, purpose: str | None, fields: Collection[str] | None = None) -> Sql:
    """A contract of the subject's processor that covers the use (N-24, N-26).

    With ``fields`` it must allow one of them: several contracts permit together what any
    one permits, so that a field is left where one contract leaves it.
    """
    c = v.fresh(t.Contract)
    category = v.question.category
    tests = [v.covers(c), Has(c.actions, v.question.action), Has(c.categories, category)]
    if v.question.action == "disclose":
        tests.append(c.sub_processing.is_(True))
    if purpose is not None:
        tests.append(Has(c.purposes, purpose))
    if fields is not None:
        named = [HasIn(c.categories, category, name) for name in fields]
        tests.append(or_(LengthOf(c.categories, category) == 0, *named))
    m = memberships(v)
    school = m.where(Has(c.schools, m.selected_columns[0]))
    found = _of_recipient(v, select(c.id), Role.PROCESSOR, c.processor)
    at_school = and_(registered(v), exists(school))
    return between(
        v, exists(found.where(*tests, _protected(v, c), or_(is_null(c.schools), at_school)))
    )


def _protected(v: View, c: Any) -> Sql:
    """That the contract names a country, and the data stay as protected there (N-26)."""
    at_home = and_(c.transfer == "domestic", c.country == v.place.country)
    return and_(c.country != "", or_(at_home, one_of(c.transfer, PROTECTED_TRANSFERS)))


def _of_recipient(v: View, found: Select[Any], kind: str, recipient: Any) -> Select[Any]:
    """Only what belongs to a recipient that the subject acts for."""
    m, r = v.fresh(t.RecipientMember), v.fresh(t.Recipient)
    return (
        found.join(m, and_(m.kind == str(kind), m.recipient == recipient))
        .join(r, and_(r.kind == m.kind, r.id == m.recipient))
        .where(m.subject == v.subject, r.ended_at.is_(None))
    )


def ordered(v: View) -> Sql:
    """The order that the caller named, of the subject's authority, covers the person (N-25)."""
    if v.question.order is None:
        return false()
    o, covered = v.fresh(t.Order), v.fresh(t.OrderPerson)
    found = _of_recipient(v, select(o.id), Role.AUTHORITY, o.authority)
    return between(
        v,
        exists(
            found.join(covered, covered.order == o.id).where(
                o.id == v.binds("order"),
                covered.person == v.person,
                Has(o.categories, v.question.category),
                v.covers(o),
            )
        ),
    )


def ticketed(v: View) -> Sql:
    """The ticket that the caller named, of the person, is open and assigned to the subject."""
    if v.question.ticket is None:
        return false()
    k = v.fresh(t.Ticket)
    return between(
        v,
        v.links(
            select(k.id).where(
                k.id == v.binds("ticket"), v.within(k.opened_at, k.closed_at, k.ended_at)
            ),
            k.assignee,
            k.person,
        ),
    )


def on_case(v: View, kind: str | None = None) -> Sql:
    """The case that the caller named is open, covers the person and is the subject's."""
    if v.question.case is None:
        return false()
    c, covered = v.fresh(t.Case), v.fresh(t.CasePerson)
    found = (
        select(c.id)
        .join(covered, covered.case == c.id)
        .where(c.id == v.binds("case"), v.within(c.opened_at, c.closed_at, c.ended_at))
    )
    found = found if kind is None else found.where(c.kind == kind)
    return between(v, v.links(found, c.assignee, covered.person))


def fulfilling(v: View) -> Sql:
    """An order of goods is the subject's to send, until 90 local days after receipt (2.4)."""
    p = v.fresh(t.Purchase)
    found = select(p.id).where(
        v.within(p.ordered_at, p.ended_at),
        or_(p.received_at.is_(None), p.received_at >= v.binds("received")),
    )
    if v.question.record is not None:
        found = found.where(p.id == v.binds("record"))
    return between(v, v.links(found, p.assignee, p.person))


def mentors(v: View) -> Sql:
    """A mentoring in force, of somebody who was granted the role at all."""
    m = v.fresh(t.Mentoring)
    linked = v.links(select(m.id).where(v.covers(m)), m.mentor, m.person)
    granted = grants(v, Role.MENTOR, v.subject, dated=False)
    return between(v, and_(exists(granted), linked))
