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

from sqlalchemy import Connection, Row
from sqlalchemy.orm import InstrumentedAttribute

from authz.decision.request import Question
from authz.directory import statements as ask_for
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
from authz.directory.recording.members import storable
from authz.vocabulary import Role

FACT = "fact"
Attribute = InstrumentedAttribute[str | None]


def read_people(connection: Connection, question: Question) -> Facts:
    """The facts that bear on a question about a person of the directory."""
    subject, person = question.request.subject.id, question.person
    ask = _Asking(connection, {"subject": subject, "person": person})
    accounts = {row.id: _account(row) for row in ask.all(ask_for.accounts())}
    recipients = [(row.kind, row.recipient) for row in ask.all(ask_for.recipients())]
    kinds = frozenset(kind for kind, _ in recipients)
    grants = ask.all(_grants())
    held = {row.role for row in grants if row.person == subject}
    enrolments = _enrolments(ask, (subject, person))
    return Facts(
        revision=revision(connection),
        subject=accounts.get(subject),
        person=accounts.get(person),
        recipients=kinds,
        grants=_roles(grants, subject),
        person_grants=_roles(grants, person),
        memberships=_memberships(ask),
        subject_enrolments=enrolments[subject],
        person_enrolments=enrolments[person],
        links=tuple(
            Link(row.kind, row.origin == FACT, _span(row)) for row in ask.all(ask_for.links())
        ),
        custody=tuple(_span(row) for row in ask.all(ask_for.custody())),
        emancipated=next((_since(row) for row in ask.all(ask_for.emancipation())), None),
        contracts=_contracts(ask, recipients) if Role.PROCESSOR in kinds else (),
        order=_order(ask, question, recipients),
        ticket=_assigned(ask, ask_for.ticket(), question.ticket),
        case=_assigned(ask, ask_for.case(), question.case),
        goods=_goods(ask),
        mentoring=tuple(_span(r) for r in ask.all(ask_for.mentoring()))
        if Role.MENTOR in held
        else (),
        elevations=(
            tuple(
                Elevated(r.id, r.school, r.approved_by is not None, _span(r))
                for r in ask.all(ask_for.elevations())
            )
            if Role.SCHOOL_ADMIN in held
            else ()
        ),
        consents=_consents(ask),
        objections=tuple(Objected(r.purpose, _span(r)) for r in ask.all(ask_for.objections())),
        restrictions=tuple(_span(r) for r in ask.all(ask_for.restrictions()))
        + tuple(
            _from(r.approved_at, r.ended_at) for r in ask.all(ask_for.erasures()) if r.approved_at
        ),
    )


def read_entities(connection: Connection, question: Question) -> Facts:
    """The stored properties of a generic subject and resource (3.3)."""
    request = question.request
    found: dict[tuple[str, str], Mapping[str, Any]] = {
        (row.type, row.id): row.properties
        for row in connection.execute(
            ask_for.entities(),
            _askable(
                {
                    "subject_type": request.subject.type,
                    "subject": request.subject.id,
                    "resource_type": request.resource.type,
                    "resource": request.resource.id,
                }
            ),
        )
    }
    return Facts(
        revision=revision(connection),
        subject_entity=found.get((request.subject.type, request.subject.id)),
        resource_entity=found.get((request.resource.type, request.resource.id)),
    )


def revision(connection: Connection) -> int:
    """The directory's revision: one more with each change."""
    return connection.execute(ask_for.revision()).scalar_one_or_none() or 0


class _Asking:
    """A connection and the two people that every statement is about."""

    def __init__(self, connection: Connection, people: Mapping[str, str]) -> None:
        self.connection = connection
        self.people = people

    def all(self, statement: ask_for.Statement, **more: object) -> Sequence[Row[Any]]:
        """Every row, as a list, so that no cursor stays open."""
        return self.connection.execute(statement, _askable({**self.people, **more})).all()


def _askable(values: Mapping[str, object]) -> dict[str, object]:
    """The values as a database can be asked; an id that it cannot hold is nobody's (N-51)."""
    return {
        name: None if isinstance(value, str) and not storable(value) else value
        for name, value in values.items()
    }


@cache
def _grants() -> ask_for.Statement:
    return _standing(ask_for.grants(), t.Grant.organisation)


@cache
def _enrolled() -> ask_for.Statement:
    return _standing(ask_for.enrolled(), t.Class.organisation)


def _standing(statement: ask_for.Statement, organisation: Attribute) -> ask_for.Statement:
    """Only rows that hang on no organisation that has ended: those have no effect (page 5)."""
    o = t.Organisation
    return statement.outerjoin(o, o.id == organisation).where(o.ended_at.is_(None))


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
    rows = ask.all(ask_for.members())
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
        row.id: row.parent
        for row in ask.all(ask_for.ancestry(), organisations=sorted(organisations))
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


def _enrolments(ask: _Asking, people: Iterable[str]) -> dict[str, tuple[Enrolled, ...]]:
    """The enrolments of both, with the dates that a class's terms lend them (2.4)."""
    rows = ask.all(_enrolled())
    named = {term for row in rows for term in row.terms}
    terms = {row.id: row for row in ask.all(ask_for.terms(), terms=sorted(named))} if named else {}
    return {person: _dated(rows, person, terms) for person in people}


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
        for row in ask.all(ask_for.contract(), processors=processors)
    )


def _order(
    ask: _Asking, question: Question, recipients: list[tuple[str, str]]
) -> OrderTerms | None:
    authorities = sorted({name for kind, name in recipients if kind == Role.AUTHORITY})
    if question.order is None or not authorities:
        return None
    rows = ask.all(ask_for.legal_order(), order=question.order, authorities=authorities)
    return next((OrderTerms(frozenset(row.categories), _span(row)) for row in rows), None)


def _assigned(ask: _Asking, statement: ask_for.Statement, named: str | None) -> Assignment | None:
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
        for row in ask.all(ask_for.purchases())
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
        for row in ask.all(ask_for.consent())
    )
