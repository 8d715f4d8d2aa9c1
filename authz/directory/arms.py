"""One arm for each part of the statement about two people.

Parameters: ``subject`` and ``person`` are ids of the question; ``ticket``, ``order`` and
``case`` are what its context names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Select, String, and_, cast, func, select, true
from sqlalchemy.orm import aliased

from authz.directory import tables as t
from authz.directory.shape import BOTH, PERSON, SUBJECT, Part, acting, arm, dated, text
from authz.vocabulary import Role


def _revision(_: str) -> Select[Any]:
    return arm(Part.REVISION, {"number": t.Revision.revision})


def _account(_: str) -> Select[Any]:
    p = t.Person
    filled = {
        "who": p.id,
        "a": p.status,
        "ended": p.ended_at,
        "first": p.cancelled_at,
        "last": p.last_used_at,
        "day": p.birth_date,
    }
    return arm(Part.ACCOUNT, filled).where(p.id.in_(BOTH))


def _recipient(_: str) -> Select[Any]:
    kinds = acting().subquery()
    return arm(Part.RECIPIENT, {"a": kinds.c.kind})


def _grant(_: str) -> Select[Any]:
    """A grant at an organisation that has ended is without effect (page 5)."""
    g, o = t.Grant, t.Organisation
    filled = {"who": g.person, "a": g.role, "b": g.organisation, **dated(g)}
    return (
        arm(Part.GRANT, filled)
        .outerjoin(o, o.id == g.organisation)
        .where(g.person.in_(BOTH), o.ended_at.is_(None))
    )


def _enrolment(dialect: str) -> Select[Any]:
    return _enrolled(Part.ENROLMENT, dialect).where(t.Enrolment.person == SUBJECT)


def _attended(dialect: str) -> Select[Any]:
    return _enrolled(Part.ATTENDED, dialect).where(t.Enrolment.person == PERSON)


def _attendance(dialect: str) -> Select[Any]:
    """The person's enrolments, in the classes of the subject."""
    mine = aliased(t.Enrolment)
    shared = select(mine.class_id).where(mine.person == SUBJECT)
    return _enrolled(Part.ATTENDANCE, dialect).where(
        t.Enrolment.person == PERSON, t.Enrolment.class_id.in_(shared)
    )


def _enrolled(part: Part, dialect: str) -> Select[Any]:
    """Enrolments in living classes, a row for each term that the class names (2.4).

    ``c`` is the name of the term, ``who`` the same where it is known and has not ended.
    """
    e, c, s, o = t.Enrolment, t.Class, t.Term, t.Organisation
    named = _elements(c.terms, dialect)
    filled = {
        "key": e.id,
        "who": s.id,
        "a": e.role,
        "b": e.class_id,
        "c": named.c.value,
        **dated(e),
        "first": s.begins,
        "last": s.ends,
    }
    return (
        arm(part, filled)
        .select_from(e)
        .join(c, c.id == e.class_id)
        .outerjoin(o, o.id == c.organisation)
        .outerjoin(named, true())
        .outerjoin(s, and_(s.id == named.c.value, s.ended_at.is_(None)))
        .where(c.ended_at.is_(None), o.ended_at.is_(None))
    )


def _elements(names: Any, dialect: str) -> Any:
    """The texts of a JSON list, as rows."""
    if dialect == "postgresql":
        elements = func.json_array_elements_text(names).table_valued("value", name="named")
        return elements.render_derived().lateral()
    return func.json_each(names).table_valued("value", name="named")


def _link(_: str) -> Select[Any]:
    g = t.Guardianship
    filled = {"a": g.kind, "b": g.origin, **dated(g)}
    return arm(Part.LINK, filled).where(g.guardian == SUBJECT, g.student == PERSON)


def _custody(_: str) -> Select[Any]:
    c = t.CustodyRestriction
    return arm(Part.CUSTODY, dated(c)).where(c.subject == SUBJECT, c.person == PERSON)


def _emancipation(_: str) -> Select[Any]:
    e = t.Emancipation
    filled = {"since": e.valid_from, "ended": e.ended_at}
    return arm(Part.EMANCIPATION, filled).where(e.person == PERSON)


def _order(_: str) -> Select[Any]:
    """The order named, of an authority that the subject acts for, if it covers the person."""
    o, covered = t.Order, t.OrderPerson
    return (
        arm(Part.ORDER, {"a": cast(o.categories, String), **dated(o)})
        .join(covered, and_(covered.order == o.id, covered.person == PERSON))
        .where(o.id == text("order"), o.authority.in_(acting(Role.AUTHORITY)))
    )


def _opened(table: Any) -> dict[str, Any]:
    return {"since": table.opened_at, "until": table.closed_at, "ended": table.ended_at}


def _ticket(_: str) -> Select[Any]:
    k = t.Ticket
    return arm(Part.TICKET, {"a": k.id, **_opened(k)}).where(
        k.id == text("ticket"), k.person == PERSON, k.assignee == SUBJECT
    )


def _case(_: str) -> Select[Any]:
    c, covered = t.Case, t.CasePerson
    return (
        arm(Part.CASE, {"a": c.kind, **_opened(c)})
        .join(covered, and_(covered.case == c.id, covered.person == PERSON))
        .where(c.id == text("case"), c.assignee == SUBJECT)
    )


def _goods(_: str) -> Select[Any]:
    p = t.Purchase
    filled = {
        "key": p.id,
        "who": p.assignee,
        "since": p.ordered_at,
        "ended": p.ended_at,
        "first": p.received_at,
    }
    return arm(Part.GOODS, filled).where(p.person == PERSON)


def _mentoring(_: str) -> Select[Any]:
    m = t.Mentoring
    return arm(Part.MENTORING, dated(m)).where(m.mentor == SUBJECT, m.person == PERSON)


def _elevation(_: str) -> Select[Any]:
    e = t.Elevation
    filled = {"key": e.id, "a": e.school, "b": e.approved_by, **dated(e)}
    return arm(Part.ELEVATION, filled).where(e.person == SUBJECT)


def _consent(_: str) -> Select[Any]:
    c, project = t.Consent, t.Project
    filled = {
        "a": c.purpose,
        "b": c.project,
        "since": c.given_at,
        "until": c.withdrawn_at,
        "ended": c.ended_at,
        "first": project.project_ended_at,
        "number": project.retention_days,
    }
    return (
        arm(Part.CONSENT, filled)
        .outerjoin(project, project.id == c.project)
        .where(c.person == PERSON)
    )


def _objection(_: str) -> Select[Any]:
    o = t.Objection
    return arm(Part.OBJECTION, {"a": o.purpose, **dated(o)}).where(o.person == PERSON)


def _restriction(_: str) -> Select[Any]:
    r = t.Restriction
    return arm(Part.RESTRICTION, dated(r)).where(r.person == PERSON)


def _erasure(_: str) -> Select[Any]:
    e = t.Erasure
    filled = {"since": e.approved_at, "ended": e.ended_at}
    return arm(Part.ERASURE, filled).where(e.person == PERSON, e.approved_at.is_not(None))


def _member(_: str) -> Select[Any]:
    m = t.Membership
    return arm(Part.MEMBER, {"a": m.organisation, **dated(m)}).where(m.person == PERSON)


def _organisation(_: str) -> Select[Any]:
    """The living organisations of the person, and all living ones above them."""
    o, m, living = t.Organisation, t.Membership, t.Organisation.ended_at.is_(None)
    own = select(m.organisation).where(m.person == PERSON)
    chain = select(o.id, o.parent).where(o.id.in_(own), living).cte("chain", recursive=True)
    parent = aliased(o)
    above = select(parent.id, parent.parent).join(chain, parent.id == chain.c.parent)
    # UNION, not UNION ALL: a loop in the tree ends by itself.
    chain = chain.union(above.where(parent.ended_at.is_(None)))
    return arm(Part.ORGANISATION, {"a": chain.c.id, "b": chain.c.parent})


ARMS: Mapping[Part, Callable[[str], Select[Any]]] = {
    Part.REVISION: _revision,
    Part.ACCOUNT: _account,
    Part.RECIPIENT: _recipient,
    Part.GRANT: _grant,
    Part.ENROLMENT: _enrolment,
    Part.ATTENDANCE: _attendance,
    Part.ATTENDED: _attended,
    Part.LINK: _link,
    Part.CUSTODY: _custody,
    Part.EMANCIPATION: _emancipation,
    Part.ORDER: _order,
    Part.TICKET: _ticket,
    Part.CASE: _case,
    Part.GOODS: _goods,
    Part.MENTORING: _mentoring,
    Part.ELEVATION: _elevation,
    Part.CONSENT: _consent,
    Part.OBJECTION: _objection,
    Part.RESTRICTION: _restriction,
    Part.ERASURE: _erasure,
    Part.MEMBER: _member,
    Part.ORGANISATION: _organisation,
}
