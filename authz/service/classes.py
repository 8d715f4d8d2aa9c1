"""Classes, page by page, and who takes part in one; as far as the viewer may look (N-21).

A class is shown to whoever may open the page of one of its people, and of its people those.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Connection, Select, case, func, or_, select

from authz import clock
from authz.directory import tables as t
from authz.errors import NotFoundError
from authz.service import shown
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.people import PAGE, WORDS, within
from authz.service.shown import Viewer
from authz.service.visible import Visible

Row = Mapping[str, Any]
ROLES: Final = ("teacher", "aide", "proctor", "student")


@dataclass(frozen=True, slots=True)
class Classes:
    """A page of classes, each with its school and how many take part."""

    classes: tuple[Row, ...]
    after: str


@dataclass(frozen=True, slots=True)
class ClassPage:
    """One class with its terms, and a page of its people."""

    about: Row
    terms: tuple[Row, ...]
    people: tuple[Row, ...]
    after: str


def classes(
    own: DecisionPoint, viewer: Viewer, *, text: str = "", school: str = "", after: str = ""
) -> Classes:
    """A page of living classes, by title."""
    c, o = t.Class, t.Organisation
    query = select(c.id, c.title, o.name.label("school")).outerjoin(o, o.id == c.organisation)
    query = query.where(c.ended_at.is_(None))
    for word in text.split()[:WORDS]:
        query = query.where(or_(c.title.icontains(word, autoescape=True), c.id == word))
    if school:
        query = query.where(c.organisation == school)
    query = query.where(shown.following(c.title, c.id, shown.place(after)))
    with reading(own.store) as connection:
        query = query.where(_mine(Visible.to(connection, own, viewer)))
        rows = list(connection.execute(query.order_by(c.title, c.id).limit(PAGE + 1)).mappings())
        counts = _counts(connection, [row["id"] for row in rows[:PAGE]], clock.now())
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    told = tuple({**row, **counts.get(row["id"], {})} for row in rows[:PAGE])
    return Classes(told, shown.after((last["title"], last["id"]) if last else None))


def one(own: DecisionPoint, viewer: Viewer, ident: str, after: str = "") -> ClassPage:
    """A class and a page of its people; NotFoundError where none of them is for the viewer."""
    c, o = t.Class, t.Organisation
    query = select(c.__table__, o.name.label("school")).outerjoin(o, o.id == c.organisation)
    with reading(own.store) as connection:
        seen = Visible.to(connection, own, viewer)
        found = connection.execute(query.where(c.id == ident, _mine(seen))).mappings().first()
        if found is None:
            raise NotFoundError("There is no such class.", where=ident)
        s = t.Term
        terms = select(s.title, s.id, s.begins, s.ends).where(s.id.in_(found["terms"]))
        rows = _members(connection, seen, ident, after)
        told = tuple(map(dict, connection.execute(terms.order_by(s.begins)).mappings()))
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    people = tuple(rows[:PAGE])
    shown.record(own.store, viewer, "classes", viewer.person, [row["id"] for row in people],
                 asked={"class": ident})  # fmt: skip
    token = shown.after((last["order"], last["enrolment"]) if last else None)
    return ClassPage(dict(found), told, people, token)


def _mine(seen: Visible) -> ColumnElement[bool]:
    e = t.Enrolment
    return seen.at(t.Class.id, e.class_id, e.person)


def _counts(
    connection: Connection, idents: Sequence[str], now: datetime
) -> dict[str, dict[str, int]]:
    e = t.Enrolment
    query = select(e.class_id, e.role, func.count()).where(e.class_id.in_(idents), within(e, now))
    found: dict[str, dict[str, int]] = {}
    for ident, role, count in connection.execute(query.group_by(e.class_id, e.role)):
        found.setdefault(ident, {})[role] = count
    return found


def _members(connection: Connection, seen: Visible, ident: str, after: str) -> list[Row]:
    """Teachers before students, each by name."""
    e, p = t.Enrolment, t.Person
    order = cast("ColumnElement[str]", _rank(e)).concat(p.name_order)
    columns = (
        *(p.id, p.given_name, p.family_name, p.status, e.role, e.valid_from, e.valid_until),
        *(e.ended_at, e.id.label("enrolment"), order.label("order")),
    )
    query = cast("Select[Any]", select(*columns).join(p, p.id == e.person))
    query = query.where(e.class_id == ident, within(e, clock.now()))
    query = query.where(shown.following(order, e.id, shown.place(after)))
    query = seen.only(query, p.id).order_by(order, e.id).limit(PAGE + 1)
    return [dict(row) for row in connection.execute(query).mappings()]


def _rank(enrolment: Any) -> Any:
    ranks = {role: str(number) for number, role in enumerate(ROLES)}
    return case(ranks, value=enrolment.role, else_=str(len(ROLES)))
