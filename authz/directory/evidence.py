"""What is on file about the two people of a question, whole rows of it, for explanations.

A decision reads no more than it needs (:mod:`authz.directory.reader`); an explanation also
names the rows, and those that did *not* count: what ended, what was superseded, the ticket
of somebody else. So it reads for itself, in the same snapshot as the decision, and never
decides: :mod:`authz.directory.behind` only says why each row did or did not count, and
tests hold it equal to the relations (3.4).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
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
    return read_all(connection, [question])[0]


def read_all(connection: Connection, questions: Sequence[Question]) -> list[OnFile]:
    """The same for each of many questions, by as many statements as for one."""
    ask = _Asking(connection, questions)
    both = sorted({*ask.subjects, *ask.persons})
    ask.keep(t.Person, t.Person.id.in_(both))
    link, custody, mentoring = t.Guardianship, t.CustodyRestriction, t.Mentoring
    ask.keep(link, link.guardian.in_(ask.subjects), link.student.in_(ask.persons))
    ask.keep(custody, custody.subject.in_(ask.subjects), custody.person.in_(ask.persons))
    ask.keep(mentoring, mentoring.mentor.in_(ask.subjects), mentoring.person.in_(ask.persons))
    ask.keep(t.Elevation, t.Elevation.person.in_(ask.subjects))
    ask.keep(t.Grant, t.Grant.person.in_(both))
    for table in _OF_PERSON:
        ask.keep(table, table.person.in_(ask.persons))
    _classes(ask, both)
    _recipients(ask)
    _assignments(ask)
    ask.keep(t.Organisation, t.Organisation.id.in_(sorted(_organisations(ask.rows))))
    return [_of_one(ask, each) for each in questions]


class _Asking:
    """Collects whole rows, table by table."""

    def __init__(self, connection: Connection, questions: Sequence[Question]) -> None:
        self.connection = connection
        self.questions = questions
        self.subjects = sorted({each.request.subject.id for each in questions})
        self.persons = sorted({each.person for each in questions})
        self.rows: dict[type[t.Base], Rows] = {}
        self.covered: dict[type[t.Base], set[tuple[str, str]]] = {}

    def keep(self, table: type[t.Base], *where: ColumnElement[bool]) -> Rows:
        """The rows of a table, kept in the order of their keys."""
        columns = table.__table__
        statement = select(columns).where(*where).order_by(*columns.primary_key)
        self.rows[table] = [dict(row) for row in self.connection.execute(statement).mappings()]
        return self.rows[table]

    def named(self, name: str) -> list[str]:
        """The tickets, orders or cases that the callers named."""
        return sorted({getattr(each, name) for each in self.questions} - {None})

    def cover(self, table: type[t.Base], ident: Any, person: Any) -> list[str]:
        """The ids of the orders or cases that cover one of the persons."""
        chosen = select(ident, person).where(person.in_(self.persons))
        found = {(name, about) for name, about in self.connection.execute(chosen)}
        self.covered[table] = found
        return sorted({name for name, _ in found})


_OF_PERSON: Any = (
    *(t.Membership, t.Emancipation, t.Purchase, t.Consent, t.Objection, t.Restriction),
    t.Erasure,
)
"""The tables whose rows are about the person alone."""


def _classes(ask: _Asking, both: list[str]) -> None:
    rows = ask.keep(t.Enrolment, t.Enrolment.person.in_(both))
    groups = ask.keep(t.Class, t.Class.id.in_(sorted({row["class"] for row in rows})))
    ask.keep(t.Term, t.Term.id.in_(sorted({term for row in groups for term in row["terms"]})))


def _recipients(ask: _Asking) -> None:
    """What the subjects act for, and the contracts and orders of those."""
    member, recipient, order, covered = t.RecipientMember, t.Recipient, t.Order, t.OrderPerson
    rows = ask.keep(member, member.subject.in_(ask.subjects))
    ids = sorted({row["recipient"] for row in rows})
    ask.keep(recipient, recipient.id.in_(ids))
    ask.keep(t.Contract, t.Contract.processor.in_(ids))
    here = and_(
        order.authority.in_(ids), order.id.in_(ask.cover(order, covered.order, covered.person))
    )
    ask.keep(order, or_(order.id.in_(ask.named("order")), here))


def _assignments(ask: _Asking) -> None:
    """The tickets and cases that callers named, and those that could have been named."""
    ticket, case, covered = t.Ticket, t.Case, t.CasePerson
    own = and_(ticket.person.in_(ask.persons), ticket.assignee.in_(ask.subjects))
    ask.keep(ticket, or_(ticket.id.in_(ask.named("ticket")), own))
    cases = ask.cover(case, covered.case, covered.person)
    assigned = and_(case.id.in_(cases), case.assignee.in_(ask.subjects))
    ask.keep(case, or_(case.id.in_(ask.named("case")), assigned))
    projects = {row["project"] for row in ask.rows[t.Consent] if row["project"]}
    ask.keep(t.Project, t.Project.id.in_(sorted(projects)))


def _of_one(ask: _Asking, question: Question) -> OnFile:
    """Of all the rows, those about the two people of one question."""
    covered = frozenset(
        (table, name)
        for table, pairs in ask.covered.items()
        for name, about in pairs
        if about == question.person
    )
    belongs = {**_between(question), **_acting(ask, question, covered)}
    rows = {
        table: [row for row in found if table not in belongs or belongs[table](row)]
        for table, found in ask.rows.items()
    }
    return OnFile(rows, covered)


Belongs = dict[type[t.Base], Callable[[Row], bool]]


def _between(question: Question) -> Belongs:
    """Whether a row is about these two."""
    subject, person = both = question.request.subject.id, question.person

    def about(row: Row) -> bool:
        return bool(row["person"] == person)

    return {
        **dict.fromkeys(_OF_PERSON, about),
        t.Person: lambda row: row["id"] in both,
        t.Guardianship: lambda row: (row["guardian"], row["student"]) == (subject, person),
        t.CustodyRestriction: lambda row: (row["subject"], row["person"]) == (subject, person),
        t.Mentoring: lambda row: (row["mentor"], row["person"]) == (subject, person),
        t.Elevation: lambda row: row["person"] == subject,
        t.Grant: lambda row: row["person"] in both,
        t.Enrolment: lambda row: row["person"] in both,
        t.Ticket: lambda row: (
            row["id"] == question.ticket or (row["assignee"], row["person"]) == (subject, person)
        ),
    }


def _acting(
    ask: _Asking, question: Question, covered: frozenset[tuple[type[t.Base], str]]
) -> Belongs:
    """Whether a row is of what the subject acts for, or of a case that is theirs."""
    subject = question.request.subject.id
    members = [row for row in ask.rows[t.RecipientMember] if row["subject"] == subject]
    same = {(row["kind"], row["recipient"]) for row in members}
    found = [row for row in ask.rows[t.Recipient] if (row["kind"], row["id"]) in same]
    acts = {row["id"] for row in found if row["ended_at"] is None}
    return {
        t.RecipientMember: lambda row: row["subject"] == subject,
        t.Recipient: lambda row: (row["kind"], row["id"]) in same,
        t.Contract: lambda row: row["processor"] in acts,
        t.Order: lambda row: (
            row["id"] == question.order
            or (row["authority"] in acts and (t.Order, row["id"]) in covered)
        ),
        t.Case: lambda row: (
            row["id"] == question.case
            or (row["assignee"] == subject and (t.Case, row["id"]) in covered)
        ),
    }


def _organisations(rows: Mapping[type[t.Base], Rows]) -> Iterable[str]:
    found = {row["organisation"] for name in (t.Grant, t.Membership, t.Class) for row in rows[name]}
    return found - {None}
