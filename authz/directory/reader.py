"""The only reader of facts: from the tables to :class:`Facts` for one question (3.1).

Every statement is asked by key and built once; what only matters under a condition (a
ticket, an order, a contract) is asked only where the question or the subject's roles can
need it. An ended row comes with its end put into its interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Row, Select, and_, bindparam, or_, select
from sqlalchemy.orm import aliased

from authz.decision.request import Question
from authz.directory import tables as t
from authz.directory.facts import (
    Account,
    Assignment,
    Consented,
    Elevated,
    Enrolled,
    Facts,
    Goods,
    HeldRole,
    Link,
    Member,
    Objected,
    OrderTerms,
    Span,
    Terms,
)
from authz.vocabulary import Role

FACT = "fact"


def read_people(connection: Connection, question: Question) -> Facts:
    """The facts that bear on a question about a person of the directory."""
    subject, person = question.request.subject.id, question.person
    ask = _Asking(connection, {"subject": subject, "person": person})
    accounts = {row.id: _account(row) for row in ask.all(_accounts())}
    recipients = [(row.kind, row.recipient) for row in ask.all(_recipients())]
    kinds = frozenset(kind for kind, _ in recipients)
    grants = ask.all(_grants())
    held = {row.role for row in grants if row.person == subject}
    return Facts(
        revision=revision(connection),
        subject=accounts.get(subject),
        person=accounts.get(person),
        recipients=kinds,
        grants=_roles(grants, subject),
        person_grants=_roles(grants, person),
        memberships=_memberships(ask),
        **_enrolments(ask, subject, person),
        links=tuple(
            Link(row.kind, row.origin == FACT, _span(row)) for row in ask.all(_links())
        ),
        custody=tuple(_span(row) for row in ask.all(_custody())),
        emancipated=next((_since(row) for row in ask.all(_emancipation())), None),
        contracts=_contracts(ask, recipients) if Role.PROCESSOR in kinds else (),
        order=_order(ask, question, recipients),
        ticket=_assigned(ask, _ticket(), question.ticket),
        case=_assigned(ask, _case(), question.case),
        goods=_goods(ask),
        mentoring=tuple(_span(r) for r in ask.all(_mentoring())) if Role.MENTOR in held else (),
        elevations=(
            tuple(
                Elevated(r.id, r.school, r.approved_by is not None, _span(r))
                for r in ask.all(_elevations())
            )
            if Role.SCHOOL_ADMIN in held
            else ()
        ),
        consents=_consents(ask),
        objections=tuple(Objected(r.purpose, _span(r)) for r in ask.all(_objections())),
        restrictions=tuple(_span(r) for r in ask.all(_restrictions()))
        + tuple(_from(r.approved_at, r.ended_at) for r in ask.all(_erasures()) if r.approved_at),
    )


def read_entities(connection: Connection, question: Question) -> Facts:
    """The stored properties of a generic subject and resource (3.3)."""
    request = question.request
    found: dict[tuple[str, str], Mapping[str, Any]] = {
        (row.type, row.id): row.properties
        for row in connection.execute(
            _entities(),
            {
                "subject_type": request.subject.type,
                "subject": request.subject.id,
                "resource_type": request.resource.type,
                "resource": request.resource.id,
            },
        )
    }
    return Facts(
        revision=revision(connection),
        subject_entity=found.get((request.subject.type, request.subject.id)),
        resource_entity=found.get((request.resource.type, request.resource.id)),
    )


def revision(connection: Connection) -> int:
    """The directory's revision: one more with each change."""
    return connection.execute(_revision()).scalar_one_or_none() or 0


class _Asking:
    """A connection and the two people that every statement is about."""

    def __init__(self, connection: Connection, people: Mapping[str, str]) -> None:
        self.connection = connection
        self.people = people

    def all(self, statement: Select[Any], **more: object) -> Sequence[Row[Any]]:
        """Every row, as a list, so that no cursor stays open."""
        return self.connection.execute(statement, {**self.people, **more}).all()


def _span(row: Row[Any]) -> Span:
    return Span(row.valid_from, _earlier(row.valid_until, row.ended_at))


def _since(row: Row[Any]) -> Span:
    return Span(row.valid_from, row.ended_at)


def _from(since: datetime | None, until: datetime | None) -> Span:
    return Span(since, until)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)


def _account(row: Row[Any]) -> Account:
    return Account(
        id=row.id,
        status=row.status,
        birth_date=row.birth_date,
        cancelled_at=row.cancelled_at,
        ended_at=row.ended_at,
        last_used_at=row.last_used_at,
    )


def _roles(rows: Iterable[Row[Any]], person: str) -> tuple[HeldRole, ...]:
    return tuple(
        HeldRole(row.role, row.organisation, _span(row)) for row in rows if row.person == person
    )


def _memberships(ask: _Asking) -> tuple[Member, ...]:
    """The person's memberships; an organisation that has ended conducts nothing (page 5)."""
    rows = ask.all(_members())
    above = _above(ask, {row.organisation for row in rows})
    return tuple(
        Member(row.organisation, above[row.organisation], _span(row))
        for row in rows
        if above[row.organisation]
    )


def _above(ask: _Asking, organisations: set[str]) -> dict[str, frozenset[str]]:
    """Each organisation with all living ones above it; empty where it has itself ended."""
    if not organisations:
        return {}
    parents: dict[str, str | None] = {
        row.id: row.parent for row in ask.all(_ancestry(), organisations=sorted(organisations))
    }
    found: dict[str, frozenset[str]] = {}
    for organisation in organisations:
        chain: list[str] = []
        step: str | None = organisation
        while step in parents and step not in chain:
            chain.append(step)
            step = parents[step]
        found[organisation] = frozenset(chain)
    return found


def _enrolments(ask: _Asking, subject: str, person: str) -> dict[str, tuple[Enrolled, ...]]:
    """The enrolments of both, with the dates that a class's terms lend them (2.4)."""
    rows = ask.all(_enrolled())
    named = {term for row in rows for term in row.terms}
    terms = {row.id: row for row in ask.all(_terms(), terms=sorted(named))} if named else {}
    return {
        "subject_enrolments": _dated(rows, subject, terms),
        "person_enrolments": _dated(rows, person, terms),
    }


def _dated(
    rows: Iterable[Row[Any]], person: str, terms: Mapping[str, Row[Any]]
) -> tuple[Enrolled, ...]:
    found = []
    for row in rows:
        if row.person != person or not all(term in terms for term in row.terms):
            continue
        begins = [terms[term].begins for term in row.terms]
        ends = [terms[term].ends for term in row.terms]
        since = row.valid_from or (None if None in begins else min(begins, default=None))
        until = row.valid_until or (None if None in ends else max(ends, default=None))
        found.append(Enrolled(row.class_id, row.role, Span(since, _earlier(until, row.ended_at))))
    return tuple(found)


def _contracts(ask: _Asking, recipients: list[tuple[str, str]]) -> tuple[Terms, ...]:
    processors = sorted({name for kind, name in recipients if kind == Role.PROCESSOR})
    return tuple(
        Terms(
            purposes=frozenset(row.purposes),
            categories={name: tuple(names) for name, names in row.categories.items()},
            actions=frozenset(row.actions),
            schools=None if row.schools is None else frozenset(row.schools),
            transfer=row.transfer,
            country=row.country,
            sub_processing=row.sub_processing,
            span=_span(row),
        )
        for row in ask.all(_contract(), processors=processors)
    )


def _order(
    ask: _Asking, question: Question, recipients: list[tuple[str, str]]
) -> OrderTerms | None:
    authorities = sorted({name for kind, name in recipients if kind == Role.AUTHORITY})
    if question.order is None or not authorities:
        return None
    rows = ask.all(_legal_order(), order=question.order, authorities=authorities)
    return next((OrderTerms(frozenset(row.categories), _span(row)) for row in rows), None)


def _assigned(ask: _Asking, statement: Select[Any], named: str | None) -> Assignment | None:
    if named is None:
        return None
    rows = ask.all(statement, named=named)
    return next(
        (
            Assignment(row.kind, Span(row.opened_at, _earlier(row.closed_at, row.ended_at)))
            for row in rows
        ),
        None,
    )


def _goods(ask: _Asking) -> tuple[Goods, ...]:
    return tuple(
        Goods(row.id, row.assignee, row.received_at, Span(row.ordered_at, row.ended_at))
        for row in ask.all(_purchases())
    )


def _consents(ask: _Asking) -> tuple[Consented, ...]:
    return tuple(
        Consented(
            purpose=row.purpose,
            span=Span(row.given_at, _earlier(row.withdrawn_at, row.ended_at)),
            project=row.project,
            project_ended_at=row.project_ended_at,
            retention_days=row.retention_days,
        )
        for row in ask.all(_consent())
    )


# The statements. Parameters: ``subject`` and ``person`` are ids of the question.

SUBJECT = bindparam("subject")
PERSON = bindparam("person")
BOTH = (SUBJECT, PERSON)


@cache
def _revision() -> Select[Any]:
    return select(t.Revision.revision)


@cache
def _accounts() -> Select[Any]:
    p = t.Person
    return select(
        p.id, p.status, p.birth_date, p.cancelled_at, p.ended_at, p.last_used_at
    ).where(p.id.in_(BOTH))


@cache
def _recipients() -> Select[Any]:
    member, recipient = t.RecipientMember, t.Recipient
    same = and_(recipient.kind == member.kind, recipient.id == member.recipient)
    return (
        select(member.kind, member.recipient)
        .join(recipient, same)
        .where(member.subject == SUBJECT, recipient.ended_at.is_(None))
    )


@cache
def _grants() -> Select[Any]:
    g = t.Grant
    return select(
        g.person, g.role, g.organisation, g.valid_from, g.valid_until, g.ended_at
    ).where(g.person.in_(BOTH))


@cache
def _members() -> Select[Any]:
    m = t.Membership
    return select(m.organisation, m.valid_from, m.valid_until, m.ended_at).where(m.person == PERSON)


@cache
def _ancestry() -> Select[Any]:
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
def _enrolled() -> Select[Any]:
    e, c = t.Enrolment, t.Class
    return (
        select(
            e.person, e.class_id.label("class_id"), e.role, e.valid_from, e.valid_until, e.ended_at,
            c.terms,
        )
        .join(c, c.id == e.class_id)
        .where(e.person.in_(BOTH), c.ended_at.is_(None))
    )


@cache
def _terms() -> Select[Any]:
    s = t.Term
    return select(s.id, s.begins, s.ends).where(
        s.id.in_(bindparam("terms", expanding=True)), s.ended_at.is_(None)
    )


@cache
def _links() -> Select[Any]:
    g = t.Guardianship
    return select(g.kind, g.origin, g.valid_from, g.valid_until, g.ended_at).where(
        g.guardian == SUBJECT, g.student == PERSON
    )


@cache
def _custody() -> Select[Any]:
    c = t.CustodyRestriction
    return select(c.valid_from, c.valid_until, c.ended_at).where(
        c.subject == SUBJECT, c.person == PERSON
    )


@cache
def _emancipation() -> Select[Any]:
    e = t.Emancipation
    return select(e.valid_from, e.ended_at).where(e.person == PERSON)


@cache
def _contract() -> Select[Any]:
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
def _legal_order() -> Select[Any]:
    o, covered = t.Order, t.OrderPerson
    return (
        select(o.categories, o.valid_from, o.valid_until, o.ended_at)
        .join(covered, and_(covered.order == o.id, covered.person == PERSON))
        .where(
            o.id == bindparam("order"), o.authority.in_(bindparam("authorities", expanding=True))
        )
    )


@cache
def _ticket() -> Select[Any]:
    k = t.Ticket
    return select(
        k.id.label("kind"), k.opened_at, k.closed_at, k.ended_at
    ).where(k.id == bindparam("named"), k.person == PERSON, k.assignee == SUBJECT)


@cache
def _case() -> Select[Any]:
    c, covered = t.Case, t.CasePerson
    return (
        select(c.kind, c.opened_at, c.closed_at, c.ended_at)
        .join(covered, and_(covered.case == c.id, covered.person == PERSON))
        .where(c.id == bindparam("named"), c.assignee == SUBJECT)
    )


@cache
def _purchases() -> Select[Any]:
    p = t.Purchase
    return select(p.id, p.assignee, p.received_at, p.ordered_at, p.ended_at).where(
        p.person == PERSON
    )


@cache
def _mentoring() -> Select[Any]:
    m = t.Mentoring
    return select(m.valid_from, m.valid_until, m.ended_at).where(
        m.mentor == SUBJECT, m.person == PERSON
    )


@cache
def _elevations() -> Select[Any]:
    e = t.Elevation
    return select(
        e.id, e.school, e.approved_by, e.valid_from, e.valid_until, e.ended_at
    ).where(e.person == SUBJECT)


@cache
def _consent() -> Select[Any]:
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
def _objections() -> Select[Any]:
    o = t.Objection
    return select(o.purpose, o.valid_from, o.valid_until, o.ended_at).where(o.person == PERSON)


@cache
def _restrictions() -> Select[Any]:
    r = t.Restriction
    return select(r.valid_from, r.valid_until, r.ended_at).where(r.person == PERSON)


@cache
def _erasures() -> Select[Any]:
    e = t.Erasure
    return select(e.approved_at, e.ended_at).where(e.person == PERSON)


@cache
def _entities() -> Select[Any]:
    e = t.Entity
    return select(e.type, e.id, e.properties).where(
        e.ended_at.is_(None),
        or_(
            and_(e.type == bindparam("subject_type"), e.id == bindparam("subject")),
            and_(e.type == bindparam("resource_type"), e.id == bindparam("resource")),
        ),
    )
