"""People on file, page by page in the order of their names, as far as the viewer may look.

Whom the list shows is a condition of the console's decision point, in the statement itself:
nobody is filtered afterwards. A page is a range of an index, however many people there are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select, union

from authz import clock
from authz.directory import tables as t
from authz.directory.collation import name_order
from authz.directory.relations import CARING
from authz.service import shown
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.shown import Viewer
from authz.service.visible import Visible
from authz.vocabulary import GRANTABLE_ROLES, Role

PAGE: Final = 50
WORDS: Final = 5
MOST_FOUND: Final = 20
KINDS: Final = ("student", "teacher", "parent", "school_admin", "staff")
STATUSES: Final = ("active", "suspended", "deregistered")
_STAFF: Final = sorted(GRANTABLE_ROLES - {Role.SCHOOL_ADMIN})
_ENROLLED: Final = {"student": "student", "teacher": "teacher", "aide": "teacher",
                    "proctor": "teacher"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for; an empty text is anything."""

    text: str = ""
    school: str = ""
    kind: str = ""
    status: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """A person of a list."""

    id: str
    given_name: str
    family_name: str
    status: str
    schools: tuple[str, ...]
    kinds: tuple[str, ...]

    @property
    def name(self) -> str:
        """The whole name, or the id where there is none."""
        return f"{self.given_name} {self.family_name}".strip() or self.id


@dataclass(frozen=True, slots=True)
class People:
    """A page of people. ``after`` asks for those that follow, and is empty after the last."""

    people: tuple[Listed, ...]
    after: str


def people(own: DecisionPoint, viewer: Viewer, wanted: Wanted, after: str = "") -> People:
    """A page of the people whom the viewer may open; recorded with their ids (N-49)."""
    place, now = shown.place(after), clock.now()
    with reading(own.store) as connection:
        seen = Visible.to(connection, own, viewer)
        query = seen.only(select(t.Person), t.Person.id).where(*_asked(wanted, now))
        rows = _page(connection, query, place)
        listed = tuple(_listed(connection, rows[:PAGE], now))
    last = rows[PAGE - 1] if len(rows) > PAGE else None
    token = shown.after((last["name_order"], last["id"]) if last else None)
    asked = {name: value for name, value in (("school", wanted.school), ("kind", wanted.kind),
             ("status", wanted.status)) if value}  # fmt: skip
    idents = [each.id for each in listed]
    shown.record(own.store, viewer, "people", viewer.person, idents, asked=asked)
    return People(listed, token)


def find(
    own: DecisionPoint, viewer: Viewer, text: str, *, leave_out: str = ""
) -> list[tuple[str, str]]:
    """Active people by parts of their name, or by id, whom the viewer may open: ids and names.

    At most :data:`MOST_FOUND`, in the order of their names. Whoever shows them records them.
    """
    p = t.Person
    if not text.strip():
        return []
    query = cast("Select[Any]", select(p.id, p.given_name, p.family_name))
    query = query.where(*_named(text), p.id != leave_out, p.status == "active")
    with reading(own.store) as connection:
        query = Visible.to(connection, own, viewer).only(query, p.id)
        rows = connection.execute(query.order_by(p.name_order, p.id).limit(MOST_FOUND))
        return [(row[0], f"{row[1]} {row[2]}".strip() or row[0]) for row in rows]


def schools(own: DecisionPoint, viewer: Viewer) -> list[tuple[str, str]]:
    """The organisations, by id and name, in which the viewer may see somebody."""
    o, m = t.Organisation, t.Membership
    query = select(o.id, o.name).where(o.ended_at.is_(None))
    with reading(own.store) as connection:
        seen = Visible.to(connection, own, viewer).at(o.id, m.organisation, m.person)
        return named(connection.execute(query.where(seen)))


def named(rows: Iterable[Any]) -> list[tuple[str, str]]:
    """Places by id and name, in the order of a Thai dictionary; what has no name has its id."""
    found = [(row[0], row[1] or row[0]) for row in rows]
    return sorted(found, key=lambda each: (name_order(each[1], ""), each[0]))


def within(dated: Any, now: datetime) -> ColumnElement[bool]:
    """That the row's interval covers the moment."""
    return and_(
        or_(dated.valid_from.is_(None), dated.valid_from <= now),
        or_(dated.valid_until.is_(None), dated.valid_until > now),
        or_(dated.ended_at.is_(None), dated.ended_at > now),
    )


def _asked(wanted: Wanted, now: datetime) -> Iterable[ColumnElement[bool]]:
    p, m = t.Person, t.Membership
    yield from _named(wanted.text)
    if wanted.status in STATUSES:
        yield p.status == wanted.status
    if wanted.school:
        yield p.id.in_(select(m.person).where(m.organisation == wanted.school, within(m, now)))
    if wanted.kind in KINDS:
        yield p.id.in_(_of_kind(wanted.kind, now))


def _named(text: str) -> Iterable[ColumnElement[bool]]:
    p = t.Person
    for word in text.split()[:WORDS]:
        found = [name.icontains(word, autoescape=True) for name in (p.given_name, p.family_name)]
        yield or_(*found, p.id == word)


def _of_kind(kind: str, now: datetime) -> Select[Any]:
    """Who is of this kind; the dates of a class's terms are not looked at."""
    e, g, r = t.Enrolment, t.Guardianship, t.Grant
    if kind == "parent":
        caring = g.kind.in_(sorted(CARING))
        return select(g.guardian).where(caring, within(g, now))
    if kind in {"student", "teacher"}:
        own = [name for name, what in _ENROLLED.items() if what == kind]
        return select(e.person).where(e.role.in_(own), within(e, now))
    roles = [Role.SCHOOL_ADMIN] if kind == "school_admin" else _STAFF
    return select(r.person).where(r.role.in_(roles), within(r, now))


def _page(
    connection: Connection, query: Select[Any], place: tuple[str, str] | None
) -> list[Mapping[str, Any]]:
    p = t.Person
    columns = (p.id, p.given_name, p.family_name, p.status, p.name_order)
    query = cast("Select[Any]", query.with_only_columns(*columns))
    query = query.where(shown.following(p.name_order, p.id, place))
    query = query.order_by(p.name_order, p.id).limit(PAGE + 1)
    return [dict(row) for row in connection.execute(query).mappings()]


def _listed(
    connection: Connection, rows: list[Mapping[str, Any]], now: datetime
) -> Iterable[Listed]:
    idents = [row["id"] for row in rows]
    at, kinds = _schools_of(connection, idents, now), _kinds_of(connection, idents, now)
    for row in rows:
        yield Listed(
            id=row["id"],
            given_name=row["given_name"],
            family_name=row["family_name"],
            status=row["status"],
            schools=tuple(at.get(row["id"], ())),
            kinds=tuple(each for each in KINDS if each in kinds.get(row["id"], ())),
        )


def _schools_of(connection: Connection, idents: list[str], now: datetime) -> dict[str, list[str]]:
    m, o = t.Membership, t.Organisation
    query = (
        select(m.person, o.name, o.id)
        .join(o, o.id == m.organisation)
        .where(m.person.in_(idents), within(m, now), o.ended_at.is_(None))
        .distinct()
        .order_by(m.person, o.name)
    )
    found: dict[str, list[str]] = {}
    for person, name, ident in connection.execute(query):
        found.setdefault(person, []).append(name or ident)
    return found


def _kinds_of(connection: Connection, idents: list[str], now: datetime) -> dict[str, set[str]]:
    e, g, r = t.Enrolment, t.Guardianship, t.Grant
    query = union(
        select(e.person, e.role).where(e.person.in_(idents), within(e, now)),
        select(g.guardian, g.kind).where(g.guardian.in_(idents), within(g, now)),
        select(r.person, r.role).where(r.person.in_(idents), within(r, now)),
    )
    found: dict[str, set[str]] = {}
    for person, word in connection.execute(query):
        kind = _ENROLLED.get(word) or ("parent" if word in CARING else "")
        kind = kind or (word if word == Role.SCHOOL_ADMIN else "")
        kind = kind or ("staff" if word in _STAFF else "")
        found.setdefault(person, set()).add(kind)
    return found
