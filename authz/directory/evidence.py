"""What is on file about the two people of a question, whole rows of it, for explanations.

A decision reads no more than it needs (:mod:`authz.directory.reader`); an explanation also
names the rows, and those that did *not* count: what ended, what was superseded, the ticket
of somebody else. So it reads for itself, in the same snapshot as the decision, and never
decides: :mod:`authz.directory.behind` only says why each row did or did not count, and
tests hold it equal to the relations (3.4).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from authz.decision.request import Question
from authz.directory import tables as t
from authz.directory.facts import Span

Row = Mapping[str, Any]
Rows = Sequence[Row]


@dataclass(frozen=True)
class OnFile:
    """The rows by their table, in the order of their keys."""

    rows: Mapping[type[t.Base], Rows]
    covered: frozenset[tuple[type[t.Base], str]] = frozenset()

    def of(self, table: type[t.Base]) -> Rows:
        """The rows of one table."""
        return self.rows.get(table, ())

    def one(self, table: type[t.Base], ident: str | None) -> Row | None:
        """The row of that id."""
        return next((row for row in self.of(table) if row["id"] == ident), None)

    def gone(self, organisation: str | None) -> bool:
        """Whether the organisation has ended: what hangs on it has no effect (page 5)."""
        found = self.one(t.Organisation, organisation)
        return found is not None and found["ended_at"] is not None

    def covers(self, table: type[t.Base], ident: str) -> bool:
        """Whether that order or case covers the person."""
        return (table, ident) in self.covered

    def enrolled(self, row: Row) -> Span | None:
        """The dates of an enrolment, lent by its class's terms; None where it has no effect."""
        group = self.one(t.Class, row["class"])
        if group is None or group["ended_at"] is not None or self.gone(group["organisation"]):
            return None
        terms = [self.one(t.Term, name) for name in group["terms"]]
        known = [term for term in terms if term is not None and term["ended_at"] is None]
        if len(known) < len(terms):
            return None
        begins, ends = [term["begins"] for term in known], [term["ends"] for term in known]
        since = row["valid_from"] or (None if None in begins else min(begins, default=None))
        until = row["valid_until"] or (None if None in ends else max(ends, default=None))
        return Span(since, earlier(until, row["ended_at"]))


def earlier(*moments: datetime | None) -> datetime | None:
    """The first of them; None where none is known."""
    return min((moment for moment in moments if moment is not None), default=None)


def later(*moments: datetime | None) -> datetime | None:
    """The last of them; None where none is known."""
    return max((moment for moment in moments if moment is not None), default=None)


def span(row: Row, begin: str = "valid_from", end: str = "valid_until") -> Span:
    """The interval of a row, with the end of the row itself put in."""
    return Span(row.get(begin), earlier(row.get(end), row["ended_at"]))


def read(connection: Connection, question: Question) -> OnFile:
    """Everything on file that a rule could ask about these two people."""
    ask = _Asking(connection)
    subject, person = question.request.subject.id, question.person
    both = (subject, person)
    ask.keep(t.Person, t.Person.id.in_(both))
    ask.keep(t.Guardianship, t.Guardianship.guardian == subject, t.Guardianship.student == person)
    custody = t.CustodyRestriction
    ask.keep(custody, custody.subject == subject, custody.person == person)
    ask.keep(t.Mentoring, t.Mentoring.mentor == subject, t.Mentoring.person == person)
    ask.keep(t.Elevation, t.Elevation.person == subject)
    ask.keep(t.Grant, t.Grant.person.in_(both))
    for table in (t.Membership, t.Emancipation, t.Purchase, t.Consent, t.Objection, t.Restriction):
        ask.keep(table, table.person == person)
    ask.keep(t.Erasure, t.Erasure.person == person)
    _classes(ask, both)
    _recipients(ask, question)
    _assignments(ask, question)
    ask.keep(t.Organisation, t.Organisation.id.in_(sorted(_organisations(ask.rows))))
    return OnFile(ask.rows, frozenset(ask.covered))


class _Asking:
    """Collects whole rows, table by table."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.rows: dict[type[t.Base], Rows] = {}
        self.covered: set[tuple[type[t.Base], str]] = set()

    def keep(self, table: type[t.Base], *where: ColumnElement[bool]) -> Rows:
        """The rows of a table, kept in the order of their keys."""
        columns = table.__table__
        statement = select(columns).where(*where).order_by(*columns.primary_key)
        self.rows[table] = [dict(row) for row in self.connection.execute(statement).mappings()]
        return self.rows[table]

    def names(self, column: Any, *where: ColumnElement[bool]) -> list[str]:
        """The values of one column."""
        return sorted(set(self.connection.execute(select(column).where(*where)).scalars()))


def _classes(ask: _Asking, both: tuple[str, str]) -> None:
    rows = ask.keep(t.Enrolment, t.Enrolment.person.in_(both))
    groups = ask.keep(t.Class, t.Class.id.in_(sorted({row["class"] for row in rows})))
    ask.keep(t.Term, t.Term.id.in_(sorted({term for row in groups for term in row["terms"]})))


def _recipients(ask: _Asking, question: Question) -> None:
    """What the subject acts for, and the contracts and orders of those."""
    member, recipient, order, covered = t.RecipientMember, t.Recipient, t.Order, t.OrderPerson
    subject, person = question.request.subject.id, question.person
    same = [(row["kind"], row["recipient"]) for row in ask.keep(member, member.subject == subject)]
    ids = sorted({name for _, name in same})
    ask.keep(recipient, recipient.id.in_(ids))
    ask.rows[recipient] = [r for r in ask.rows[recipient] if (r["kind"], r["id"]) in same]
    acting = [row["id"] for row in ask.rows[recipient] if row["ended_at"] is None]
    ask.keep(t.Contract, t.Contract.processor.in_(acting))
    orders = ask.names(covered.order, covered.person == person)
    ask.covered |= {(order, name) for name in orders}
    here = and_(order.authority.in_(acting), order.id.in_(orders))
    ask.keep(order, or_(order.id == question.order, here))


def _assignments(ask: _Asking, question: Question) -> None:
    """The ticket and case that the caller named, and those that could have been named."""
    subject, person = question.request.subject.id, question.person
    ticket, case, covered = t.Ticket, t.Case, t.CasePerson
    own = and_(ticket.person == person, ticket.assignee == subject)
    ask.keep(ticket, or_(ticket.id == question.ticket, own))
    cases = ask.names(covered.case, covered.person == person)
    ask.covered |= {(case, name) for name in cases}
    assigned = and_(case.id.in_(cases), case.assignee == subject)
    ask.keep(case, or_(case.id == question.case, assigned))
    projects = {row["project"] for row in ask.rows[t.Consent] if row["project"]}
    ask.keep(t.Project, t.Project.id.in_(sorted(projects)))


def _organisations(rows: Mapping[type[t.Base], Rows]) -> Iterable[str]:
    found = {row["organisation"] for name in (t.Grant, t.Membership, t.Class) for row in rows[name]}
    return found - {None}
