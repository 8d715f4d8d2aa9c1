"""What is on file of one person, section by section; each is a decision of its own (E-01)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from authz import clock
from authz.directory import tables as t
from authz.errors import NotFoundError
from authz.service.database import reading
from authz.service.decide import DecisionPoint

Row = Mapping[str, Any]
Section = Sequence[Row]
MOST: Final = 200
"""How many rows of a section are shown; a class's teacher of many years may have more."""


def person(own: DecisionPoint, ident: str, categories: Sequence[str]) -> dict[str, Any]:
    """The person's own row as ``person``, and the sections of these categories.

    NotFoundError where the directory does not know the person.
    """
    with reading(own.store) as connection:
        found: dict[str, Any] = {"person": _own(connection, ident)}
        for category in categories:
            for name, read in SECTIONS[category].items():
                found[name] = read(connection, ident)
    return found


def state(row: Row, now: datetime | None = None) -> str:
    """Whether a dated row is in force: ``current``, ``future`` or ``ended``."""
    at = now or clock.now()
    until = [row[name] for name in ("valid_until", "ended_at") if row.get(name) is not None]
    if until and min(until) <= at:
        return "ended"
    since = row.get("valid_from")
    return "future" if since is not None and since > at else "current"


def _rows(connection: Connection, query: Any) -> Section:
    rows = [dict(row) for row in connection.execute(query.limit(MOST)).mappings()]
    dated = [{**row, "state": state(row)} if "ended_at" in row else row for row in rows]
    order = ("current", "future", "ended", None)
    return sorted(dated, key=lambda row: order.index(row.get("state")))


def _own(connection: Connection, ident: str) -> Row:
    found = connection.execute(select(t.Person.__table__).where(t.Person.id == ident)).mappings()
    row = found.first()
    if row is None:
        raise NotFoundError("There is no such person in the directory.", where=ident)
    return {**row, "name": f"{row['given_name']} {row['family_name']}".strip() or row["id"]}


def _memberships(connection: Connection, ident: str) -> Section:
    m, o = t.Membership, t.Organisation
    columns = (o.name, o.id, m.role, m.valid_from, m.valid_until, m.ended_at, m.origin)
    joined = select(*columns).join(o, o.id == m.organisation)
    return _rows(connection, joined.where(m.person == ident).order_by(o.name, m.id))


def _classes(connection: Connection, ident: str) -> Section:
    e, c, o = t.Enrolment, t.Class, t.Organisation
    columns = (c.id, c.title, o.name.label("school"), e.role, e.valid_from, e.valid_until)
    joined = select(*columns, e.ended_at, c.ended_at.label("class_ended_at"), e.origin).join(
        c, c.id == e.class_id
    )
    joined = joined.outerjoin(o, o.id == c.organisation)
    return _rows(connection, joined.where(e.person == ident).order_by(c.title, e.id))


def _links(own: Any, other: Any) -> Callable[[Connection, str], Section]:
    def read(connection: Connection, ident: str) -> Section:
        g, p = t.Guardianship, t.Person
        columns = (p.id, p.given_name, p.family_name, g.kind, g.valid_from, g.valid_until)
        joined = select(*columns, g.ended_at, g.origin).join(p, p.id == other)
        return _rows(connection, joined.where(own == ident).order_by(p.name_order, g.id))

    return read


def _restrictions(connection: Connection, ident: str) -> Section:
    c, p = t.CustodyRestriction, t.Person
    columns = (c.subject.label("id"), p.given_name, p.family_name, c.basis, c.valid_from)
    joined = select(*columns, c.valid_until, c.ended_at).outerjoin(p, p.id == c.subject)
    return _rows(connection, joined.where(c.person == ident).order_by(c.id))


def _grants(connection: Connection, ident: str) -> Section:
    g, o = t.Grant, t.Organisation
    columns = (g.id, g.role, o.name.label("organisation"), g.valid_from, g.valid_until)
    joined = select(*columns, g.ended_at, g.granted_by, g.reason, g.origin)
    joined = joined.outerjoin(o, o.id == g.organisation)
    return _rows(connection, joined.where(g.person == ident).order_by(g.role, g.id))


def _consents(connection: Connection, ident: str) -> Section:
    c = t.Consent
    columns = (c.purpose, c.project, c.given_at.label("valid_from"))
    query = select(*columns, c.withdrawn_at.label("valid_until"), c.ended_at)
    return _rows(connection, query.where(c.person == ident).order_by(c.given_at.desc(), c.id))


def _objections(connection: Connection, ident: str) -> Section:
    o = t.Objection
    query = select(o.purpose, o.valid_from, o.valid_until, o.ended_at)
    return _rows(connection, query.where(o.person == ident).order_by(o.id))


def _limits(connection: Connection, ident: str) -> Section:
    r = t.Restriction
    query = select(r.valid_from, r.valid_until, r.ended_at).where(r.person == ident)
    return _rows(connection, query)


def _requests(connection: Connection, ident: str) -> Section:
    c, covered = t.Case, t.CasePerson
    columns = (c.id, c.assignee, c.opened_at.label("valid_from"))
    joined = select(*columns, c.closed_at.label("valid_until"), c.ended_at).join(
        covered, covered.case == c.id
    )
    asked = joined.where(covered.person == ident, c.kind == "rights_request")
    return _rows(connection, asked.order_by(c.opened_at.desc(), c.id))


SECTIONS: Final[Mapping[str, Mapping[str, Callable[[Connection, str], Section]]]] = {
    "person": {"schools": _memberships, "classes": _classes},
    "guardianship": {
        "guardians": _links(t.Guardianship.student, t.Guardianship.guardian),
        "children": _links(t.Guardianship.guardian, t.Guardianship.student),
        "restrictions": _restrictions,
    },
    "grant": {"grants": _grants},
    "consent": {"consents": _consents, "objections": _objections, "limits": _limits},
    "rights_request": {"requests": _requests},
}
"""What each category of the console pack shows of a person."""
