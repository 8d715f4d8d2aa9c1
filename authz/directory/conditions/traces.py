"""What the directory holds of somebody at all, so that a list asks only what can be so (3.4).

Most rules of a pack cannot hold for most subjects: whoever has no grant is no administrator,
whoever runs no class teaches nobody. One short statement tells which kinds of rows there are
of the one whom the question names; an atom that none of them can make true is false, and with
it goes its part of the condition. A trace says nothing of dates: what is there may have ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any as Row

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    String,
    bindparam,
    literal_column,
    select,
    union,
)

from authz.directory import tables as t
from authz.directory.conditions.prepared import Prepared
from authz.directory.conditions.view import Given
from authz.directory.relations import ASSISTING, ENROLMENT_ROLES
from authz.engine.formula import Atom, Contracted, Formula, Holds, Related, atoms, without
from authz.vocabulary import Relation, Role

Traces = frozenset[str]
USER = "user"
GUARDIAN, MENTORING, PURCHASE, TICKET = "guardianship", "mentoring", "purchase", "ticket"
CASE, ORDER, ELEVATION, CUSTODY = "privacy_case", "legal_order", "elevation", "custody"
MEMBERSHIP, GRANT, CONSENT, OBJECTION = "membership", "grant", "consent", "objection"
RESTRICTION, ERASURE = "restriction", "erasure"
ACTIVE = "active"
"""A ``user`` is an active person; of a ``service`` no trace tells it (2.6)."""


def granted(role: str) -> str:
    """The trace of a grant of this role, at an organisation or everywhere."""
    return f"grant {role}"


def enrolled(role: str) -> str:
    """The trace of an enrolment in this role."""
    return f"enrolment {role}"


def member(kind: str) -> str:
    """The trace of acting for a recipient of this kind."""
    return f"member {kind}"


OF_SUBJECT: Mapping[str, Traces] = {
    Relation.SUBJECT_ACTIVE: frozenset({ACTIVE}),
    Relation.GUARDIAN: frozenset({GUARDIAN}),
    Relation.CUSTODY_RESTRICTED: frozenset({CUSTODY}),
    Relation.TEACHES: frozenset({enrolled("teacher")}),
    Relation.ASSISTS: frozenset(map(enrolled, ASSISTING)),
    Relation.SAME_SCHOOL: frozenset({granted(Role.SCHOOL_ADMIN)}),
    Relation.CONTRACTED: frozenset({member(Role.PROCESSOR)}),
    Relation.ORDERED: frozenset({member(Role.AUTHORITY)}),
    Relation.TICKETED: frozenset({TICKET}),
    Relation.FULFILLING: frozenset({PURCHASE}),
    Relation.MENTORS: frozenset({MENTORING}),
    Relation.ON_CASE: frozenset({CASE}),
    Relation.ON_RIGHTS_REQUEST: frozenset({CASE}),
    Relation.ELEVATED: frozenset({ELEVATION}),
}
"""Without one of these rows of the subject the relation holds to nobody."""

OF_PERSON: Mapping[str, Traces] = {
    Relation.GUARDIAN: frozenset({GUARDIAN}),
    Relation.CUSTODY_RESTRICTED: frozenset({CUSTODY}),
    Relation.TEACHES: frozenset({enrolled("student")}),
    Relation.ASSISTS: frozenset({enrolled("student")}),
    Relation.SAME_SCHOOL: frozenset({MEMBERSHIP}),
    Relation.ORDERED: frozenset({ORDER}),
    Relation.TICKETED: frozenset({TICKET}),
    Relation.FULFILLING: frozenset({PURCHASE}),
    Relation.MENTORS: frozenset({MENTORING}),
    Relation.ON_CASE: frozenset({CASE}),
    Relation.ON_RIGHTS_REQUEST: frozenset({CASE}),
    Relation.ELEVATED: frozenset({MEMBERSHIP}),
    Relation.OBJECTED: frozenset({OBJECTION}),
    Relation.CONSENTED: frozenset({CONSENT}),
    Relation.PROCESSING_RESTRICTED: frozenset({RESTRICTION, ERASURE}),
    Relation.HOLDS_GRANTED_ROLE: frozenset(map(granted, Role)),
}
"""Without one of these rows of the person nobody has the relation to them."""


def needed(atom: Atom, kind: str, *, people: bool) -> Traces | None:
    """The traces of which the atom needs one; None where it may be so without any.

    ``people`` says that people are listed, and so the traces of a subject of this kind are known.
    """
    if isinstance(atom, Holds):
        return _of_role(atom.role) if people else None
    if isinstance(atom, Contracted):
        return OF_SUBJECT[Relation.CONTRACTED] if people else None
    if not isinstance(atom, Related) or (atom.name == Relation.SUBJECT_ACTIVE and kind != USER):
        return None
    return (OF_SUBJECT if people else OF_PERSON).get(atom.name)


def _of_role(role: str) -> Traces | None:
    if role == Role.PUBLIC:
        return None
    ways = {enrolled(name) for name, follows in ENROLMENT_ROLES.items() if follows == role}
    if role == Role.PARENT:
        ways.add(GUARDIAN)
    return frozenset({*ways, member(role), granted(role)})


def that_matter(formulas: Iterable[Formula], kind: str, *, people: bool) -> Traces:
    """The traces that can make a difference to these formulas."""
    asked = {atom for formula in formulas for atom in atoms(formula)}
    some = (needed(atom, kind, people=people) or () for atom in asked)
    always = {ACTIVE} if people and kind == USER else ()
    return frozenset(always).union(*some)


def left(
    formulas: Iterable[Formula], found: Traces, kind: str, *, people: bool
) -> tuple[Formula, ...]:
    """What is left of the formulas where only these traces were found."""
    made = []
    for formula in formulas:
        ways = ((atom, needed(atom, kind, people=people)) for atom in atoms(formula))
        absent = {atom for atom, some in ways if some is not None and not some & found}
        made.append(without(formula, absent))
    return tuple(formula for formula in made if formula is not False)


def found(connection: Connection, given: Given, *, people: bool) -> Traces:
    """The traces of the subject where people are listed, else of the person."""
    return frozenset(_statement(people=people).ids(connection, given, given.people))


@cache
def _statement(*, people: bool) -> Prepared:
    return Prepared(union(*(_of_subject() if people else _of_person())), frozenset())


def _of_subject() -> Iterator[Select[Row]]:
    known: ColumnElement[str] = bindparam("subject", None, String())
    yield _one(ACTIVE, (t.Person.id == known) & (t.Person.status == "active"))
    yield _rows("'grant ' || role", t.Grant.person == known)
    yield _rows("'enrolment ' || role", t.Enrolment.person == known)
    yield _rows("'member ' || kind", t.RecipientMember.subject == known)
    yield _one(GUARDIAN, t.Guardianship.guardian == known)
    yield _one(CUSTODY, t.CustodyRestriction.subject == known)
    yield _one(TICKET, t.Ticket.assignee == known)
    yield _one(PURCHASE, t.Purchase.assignee == known)
    yield _one(MENTORING, t.Mentoring.mentor == known)
    yield _one(CASE, t.Case.assignee == known)
    yield _one(ELEVATION, t.Elevation.person == known)


def _of_person() -> Iterator[Select[Row]]:
    known: ColumnElement[str] = bindparam("person", None, String())
    yield _rows("'grant ' || role", t.Grant.person == known)
    yield _rows("'enrolment ' || role", t.Enrolment.person == known)
    yield _one(MEMBERSHIP, t.Membership.person == known)
    yield _one(GUARDIAN, t.Guardianship.student == known)
    yield _one(CUSTODY, t.CustodyRestriction.person == known)
    yield _one(ORDER, t.OrderPerson.person == known)
    yield _one(TICKET, t.Ticket.person == known)
    yield _one(PURCHASE, t.Purchase.person == known)
    yield _one(MENTORING, t.Mentoring.person == known)
    yield _one(CASE, t.CasePerson.person == known)
    yield _one(OBJECTION, t.Objection.person == known)
    yield _one(CONSENT, t.Consent.person == known)
    yield _one(RESTRICTION, t.Restriction.person == known)
    yield _one(ERASURE, t.Erasure.person == known)


def _rows(text: str, of: ColumnElement[bool]) -> Select[Row]:
    return select(literal_column(text).label("trace")).where(of)


def _one(name: str, of: ColumnElement[bool]) -> Select[Row]:
    """The name for each row; the union keeps one, and costs less than a test of its own."""
    return select(literal_column(f"'{name}'").label("trace")).where(of)
