"""The statements that :mod:`authz.directory.reader` asks; each is built once.

Parameters: ``subject`` and ``person`` are ids of the question; others are named where
they stand.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Select, and_, bindparam, or_, select
from sqlalchemy.orm import aliased

from authz.directory import tables as t

Statement = Select[*tuple[Any, ...]]

SUBJECT: BindParameter[str] = bindparam("subject")
PERSON: BindParameter[str] = bindparam("person")
BOTH = (SUBJECT, PERSON)


@cache
def revision() -> Statement:
    """The directory's revision."""
    return select(t.Revision.revision)


@cache
def accounts() -> Statement:
    """The two people themselves."""
    p = t.Person
    return select(p.id, p.status, p.birth_date, p.cancelled_at, p.ended_at, p.last_used_at).where(
        p.id.in_(BOTH)
    )


@cache
def recipients() -> Statement:
    """What the subject acts for, where that still stands."""
    member, recipient = t.RecipientMember, t.Recipient
    same = and_(recipient.kind == member.kind, recipient.id == member.recipient)
    return (
        select(member.kind, member.recipient)
        .join(recipient, same)
        .where(member.subject == SUBJECT, recipient.ended_at.is_(None))
    )


@cache
def grants() -> Statement:
    """The roles granted to either."""
    g = t.Grant
    return select(g.person, g.role, g.organisation, g.valid_from, g.valid_until, g.ended_at).where(
        g.person.in_(BOTH)
    )


@cache
def members() -> Statement:
    """The person's memberships."""
    m = t.Membership
    return select(m.organisation, m.valid_from, m.valid_until, m.ended_at).where(m.person == PERSON)


@cache
def ancestry() -> Statement:
    """The organisations named and all above them that have not ended."""
    o, living = t.Organisation, t.Organisation.ended_at.is_(None)
    chain = (
        select(o.id, o.parent)
        .where(o.id.in_(bindparam("organisations", expanding=True)), living)
        .cte("chain", recursive=True)
    )
    parent = aliased(o)
    above = select(parent.id, parent.parent).join(chain, parent.id == chain.c.parent)
    # UNION, not UNION ALL: a loop in the tree ends by itself.
    chain = chain.union(above.where(parent.ended_at.is_(None)))
    return select(chain.c.id, chain.c.parent)


@cache
def enrolled() -> Statement:
    """The enrolments of both in classes that have not ended, with the terms' names."""
    e, c = t.Enrolment, t.Class
    return (
        select(
            e.person,
            e.class_id.label("class_id"),
            e.role,
            e.valid_from,
            e.valid_until,
            e.ended_at,
            c.terms,
        )
        .join(c, c.id == e.class_id)
        .where(e.person.in_(BOTH), c.ended_at.is_(None))
    )


@cache
def terms() -> Statement:
    """Terms by id that have not ended; ``terms`` lists them."""
    s = t.Term
    return select(s.id, s.begins, s.ends).where(
        s.id.in_(bindparam("terms", expanding=True)), s.ended_at.is_(None)
    )


@cache
def links() -> Statement:
    """The guardianships of the subject for the person."""
    g = t.Guardianship
    return select(g.kind, g.origin, g.valid_from, g.valid_until, g.ended_at).where(
        g.guardian == SUBJECT, g.student == PERSON
    )


@cache
def custody() -> Statement:
    """What stops the subject towards the person."""
    c = t.CustodyRestriction
    return select(c.valid_from, c.valid_until, c.ended_at).where(
        c.subject == SUBJECT, c.person == PERSON
    )


@cache
def emancipation() -> Statement:
    """The person's emancipation."""
    e = t.Emancipation
    return select(e.valid_from, e.ended_at).where(e.person == PERSON)


@cache
def contract() -> Statement:
    """The contracts of ``processors``."""
    c = t.Contract
    return select(
        c.purposes,
        c.categories,
        c.actions,
        c.schools,
        c.transfer,
        c.country,
        c.sub_processing,
        c.valid_from,
        c.valid_until,
        c.ended_at,
    ).where(c.processor.in_(bindparam("processors", expanding=True)))


@cache
def legal_order() -> Statement:
    """The order ``order`` of one of ``authorities``, where it covers the person."""
    o, covered = t.Order, t.OrderPerson
    return (
        select(o.categories, o.valid_from, o.valid_until, o.ended_at)
        .join(covered, and_(covered.order == o.id, covered.person == PERSON))
        .where(
            o.id == bindparam("order"), o.authority.in_(bindparam("authorities", expanding=True))
        )
    )


@cache
def ticket() -> Statement:
    """The ticket ``named``, of the person, assigned to the subject."""
    k = t.Ticket
    return select(k.id.label("kind"), k.opened_at, k.closed_at, k.ended_at).where(
        k.id == bindparam("named"), k.person == PERSON, k.assignee == SUBJECT
    )


@cache
def case() -> Statement:
    """The case ``named``, where it covers the person and is assigned to the subject."""
    c, covered = t.Case, t.CasePerson
    return (
        select(c.kind, c.opened_at, c.closed_at, c.ended_at)
        .join(covered, and_(covered.case == c.id, covered.person == PERSON))
        .where(c.id == bindparam("named"), c.assignee == SUBJECT)
    )


@cache
def purchases() -> Statement:
    """The person's orders of goods."""
    p = t.Purchase
    return select(p.id, p.assignee, p.received_at, p.ordered_at, p.ended_at).where(
        p.person == PERSON
    )


@cache
def mentoring() -> Statement:
    """The assignments of the subject as mentor of the person."""
    m = t.Mentoring
    return select(m.valid_from, m.valid_until, m.ended_at).where(
        m.mentor == SUBJECT, m.person == PERSON
    )


@cache
def elevations() -> Statement:
    """The subject's break-glass grants."""
    e = t.Elevation
    return select(e.id, e.school, e.approved_by, e.valid_from, e.valid_until, e.ended_at).where(
        e.person == SUBJECT
    )


@cache
def consent() -> Statement:
    """The person's consents, with what their projects say."""
    c, project = t.Consent, t.Project
    return (
        select(
            c.purpose,
            c.project,
            c.given_at,
            c.withdrawn_at,
            c.ended_at,
            project.project_ended_at,
            project.retention_days,
        )
        .outerjoin(project, project.id == c.project)
        .where(c.person == PERSON)
    )


@cache
def objections() -> Statement:
    """The person's objections."""
    o = t.Objection
    return select(o.purpose, o.valid_from, o.valid_until, o.ended_at).where(o.person == PERSON)


@cache
def restrictions() -> Statement:
    """The restrictions of the person's data."""
    r = t.Restriction
    return select(r.valid_from, r.valid_until, r.ended_at).where(r.person == PERSON)


@cache
def erasures() -> Statement:
    """The approved erasure of the person's data."""
    e = t.Erasure
    return select(e.approved_at, e.ended_at).where(e.person == PERSON)


@cache
def entities() -> Statement:
    """The subject and the resource as generic entities."""
    e = t.Entity
    return select(e.type, e.id, e.properties).where(
        e.ended_at.is_(None),
        or_(
            and_(e.type == bindparam("subject_type"), e.id == bindparam("subject")),
            and_(e.type == bindparam("resource_type"), e.id == bindparam("resource")),
        ),
    )
