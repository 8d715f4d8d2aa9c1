"""Where the people of a list are found: few rows to look at, and nobody left out.

A condition alone would be tried on everybody. So each formula is asked which of its parts
can be enumerated by an index (a teacher's classes, an administrator's members), and only who
comes up there is looked at. A source may find too many, never too few: dates, custody,
retention and all else are the condition's business. Where a formula has none, as for an
analyst who may see everybody, people are gone through in the order of their ids.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any as Row

from sqlalchemy import ColumnElement, Select, select, union

from authz.directory import tables as t
from authz.directory.conditions.among import among
from authz.directory.conditions.schools import below, classmates, memberships
from authz.directory.conditions.view import View
from authz.directory.relations import ASSISTING
from authz.engine.formula import All, Any, Atom, Formula, Holds, Related
from authz.vocabulary import Relation, Role

Found = Select[Row]
Source = Callable[[View], Found]


def sources(formulas: Iterable[Formula], *, people: bool) -> tuple[Atom, ...] | None:
    """Atoms of which one is so of everybody whom a formula holds for; None where there are none.

    ``people`` says that people are listed; otherwise it is subjects.
    """
    known: tuple[str, ...] = tuple(PEOPLE if people else SUBJECTS)
    found: dict[Atom, None] = {}
    for formula in formulas:
        some = _of(formula, known)
        if some is None:
            return None
        found.update(dict.fromkeys(some))
    return tuple(found)


def _of(formula: Formula, known: tuple[str, ...]) -> tuple[Atom, ...] | None:
    if formula is False:
        return ()
    if isinstance(formula, Related | Holds):
        return (formula,) if _name(formula) in known else None
    if isinstance(formula, All):
        some = [each for each in (_of(part, known) for part in formula.parts) if each is not None]
        return min(some, key=lambda atoms: _cost(atoms, known), default=None)
    if isinstance(formula, Any):
        parts = [_of(part, known) for part in formula.parts]
        return None if None in parts else tuple(a for part in parts for a in part or ())
    return None


def _cost(atoms: tuple[Atom, ...], known: tuple[str, ...]) -> int:
    """The narrowest kind first, as the tables below are ordered."""
    return max((known.index(_name(atom)) for atom in atoms), default=-1)


def _name(atom: Atom) -> str:
    return atom.role if isinstance(atom, Holds) else getattr(atom, "name", "")


def ids(view: View, atoms: Iterable[Atom], *, people: bool) -> Row:
    """The ids that these atoms bring up, as one query."""
    table = PEOPLE if people else SUBJECTS
    found = [table[_name(atom)](view) for atom in atoms]
    return union(*found) if len(found) > 1 else found[0]


def _themselves(one: Callable[[View], ColumnElement[Row]]) -> Source:
    def find(v: View) -> Found:
        p = v.fresh(t.Person)
        return select(p.id).where(p.id == one(v))

    return find


def _linked(model: Row, mine: str, theirs: str) -> Source:
    """The other side of a table of two people."""

    def find(v: View) -> Found:
        row = v.fresh(model)
        return select(getattr(row, theirs)).where(getattr(row, mine) == _known(v, mine))

    return find


def _known(v: View, column: str) -> ColumnElement[Row]:
    return v.person if column in ("person", "student") else v.subject


def _classmates(roles: Iterable[str]) -> Source:
    """Who is in a class with them: students of a teacher, teachers of a student."""
    running = tuple(roles)
    return lambda v: select(classmates(v, running).c.person)


def _members(v: View) -> Found:
    """Members of the organisations that the subject's grants of administration reach."""
    m = v.fresh(t.Membership)
    return select(m.person).where(among(m.organisation, below(v, Role.SCHOOL_ADMIN)))


def _of_elevations(v: View) -> Found:
    m, e = v.fresh(t.Membership), v.fresh(t.Elevation)
    return select(m.person).join(e, e.school == m.organisation).where(e.person == v.subject)


def _elevated(v: View) -> Found:
    e = v.fresh(t.Elevation)
    return select(e.person).where(e.school.in_(memberships(v)))


def _named(model: Row, name: str, who: Callable[[Row], Row]) -> Source:
    """Whom a piece of work is about or with, by the id that the caller gave."""

    def find(v: View) -> Found:
        row = v.fresh(model)
        key = row.order if name == "order" and model is t.OrderPerson else None
        key = row.case if model is t.CasePerson else key
        return select(who(row)).where((row.id if key is None else key) == v.binds(name))

    return find


def _acting(kind: str) -> Source:
    def find(v: View) -> Found:
        m = v.fresh(t.RecipientMember)
        return select(m.subject).where(m.kind == kind)

    return find


def _granted(role: str) -> Source:
    def find(v: View) -> Found:
        g = v.fresh(t.Grant)
        return select(g.person).where(g.role == role)

    return find


PEOPLE: Mapping[str, Source] = {
    Relation.SELF: _themselves(lambda v: v.subject),
    Relation.TICKETED: _named(t.Ticket, "ticket", lambda row: row.person),
    Relation.ORDERED: _named(t.OrderPerson, "order", lambda row: row.person),
    Relation.ON_CASE: _named(t.CasePerson, "case", lambda row: row.person),
    Relation.ON_RIGHTS_REQUEST: _named(t.CasePerson, "case", lambda row: row.person),
    Relation.MENTORS: _linked(t.Mentoring, "mentor", "person"),
    Relation.GUARDIAN: _linked(t.Guardianship, "guardian", "student"),
    Relation.FULFILLING: _linked(t.Purchase, "assignee", "person"),
    Relation.TEACHES: _classmates(["teacher"]),
    Relation.ASSISTS: _classmates(ASSISTING),
    Relation.ELEVATED: _of_elevations,
    Relation.SAME_SCHOOL: _members,
}
"""How people are found from a subject; the narrowest first."""

SUBJECTS: Mapping[str, Source] = {
    Relation.SELF: _themselves(lambda v: v.person),
    Relation.TICKETED: _named(t.Ticket, "ticket", lambda row: row.assignee),
    Relation.ON_CASE: _named(t.Case, "case", lambda row: row.assignee),
    Relation.ON_RIGHTS_REQUEST: _named(t.Case, "case", lambda row: row.assignee),
    Relation.MENTORS: _linked(t.Mentoring, "person", "mentor"),
    Relation.GUARDIAN: _linked(t.Guardianship, "student", "guardian"),
    Relation.FULFILLING: _linked(t.Purchase, "person", "assignee"),
    Relation.TEACHES: _classmates(["teacher"]),
    Relation.ASSISTS: _classmates(ASSISTING),
    Relation.ELEVATED: _elevated,
    Role.AUTHORITY: _acting(Role.AUTHORITY),
    Role.PROCESSOR: _acting(Role.PROCESSOR),
    Role.SUPPORT_AGENT: _granted(Role.SUPPORT_AGENT),
    Role.ORDER_CLERK: _granted(Role.ORDER_CLERK),
    Role.MENTOR: _granted(Role.MENTOR),
    Role.ANALYST: _granted(Role.ANALYST),
    Role.DPO: _granted(Role.DPO),
    Role.SCHOOL_ADMIN: _granted(Role.SCHOOL_ADMIN),
    Role.PLATFORM_ADMIN: _granted(Role.PLATFORM_ADMIN),
}
"""How subjects are found from a person; the narrowest first."""
