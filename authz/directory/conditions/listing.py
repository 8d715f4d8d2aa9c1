"""One statement that lists whom a question is answered yes for; made once, asked often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Select,
    bindparam,
    func,
    literal_column,
    select,
)

from authz.decision.catalogue import Catalogue
from authz.decision.request import Question
from authz.directory import tables as t
from authz.directory.conditions.render import Renderer
from authz.directory.conditions.sources import ids, sources
from authz.directory.conditions.view import Given, Outer, View, parameter
from authz.directory.facts import Place
from authz.engine.formula import Atom, Formula, Holds, some
from authz.vocabulary import Relation

FEW = 20_000
"""From more people than this on it is quicker to go through everybody, page by page."""
_BROAD = frozenset({Relation.SAME_SCHOOL, Relation.ELEVATED})
_AFTER: BindParameter[str] = bindparam("after")
_LIMIT: BindParameter[int] = bindparam("limit")


@dataclass(frozen=True)
class Listing:
    """Ids in their order after ``after``, at most ``limit``.

    ``narrow`` looks only where the question leads to, ``wide`` goes through everybody;
    ``size`` says, up to :data:`FEW`, how many are looked at the narrow way. Where it is not
    ``exact`` it finds more than it should, and each one is to be decided on its own.
    """

    narrow: Select[Any]
    wide: Select[Any]
    size: Select[Any] | None
    names: frozenset[str]
    exact: bool

    def page(self, connection: Connection, given: Given, after: str, limit: int) -> list[str]:
        """The next ids."""
        values = self._values(given)
        narrow = self.size is None or connection.execute(self.size, values).scalar_one() <= FEW
        statement = self.narrow if narrow else self.wide
        return list(connection.scalars(statement, {**values, "after": after, "limit": limit}))

    def _values(self, given: Given) -> Mapping[str, Any]:
        request = given.question.request
        known = {"subject": request.subject.id, "person": request.resource.id}
        return {**known, **{name: given[name] for name in self.names}}


def listing(
    formulas: tuple[Formula, ...],
    question: Question,
    place: Place,
    catalogue: Catalogue,
    *,
    people: bool,
) -> Listing:
    """The list of people for the question's subject, or of subjects for its person."""
    names: set[str] = set()

    def bind(name: str) -> ColumnElement[Any]:
        names.add(name)
        return parameter(name)

    kind = question.request.subject.type
    listed = _everybody(kind, people=people)
    fixed: BindParameter[str] = bindparam("subject" if people else "person")
    view = View(
        subject=fixed if people else Outer(listed),
        person=Outer(listed) if people else fixed,
        kind=kind,
        one_subject=people,
        question=question,
        place=place,
        catalogue=catalogue,
        binds=bind,
    )
    renderer = Renderer(view)
    condition = renderer.condition(some(formulas))
    wide = select(listed).where(condition, listed > _AFTER).order_by(listed).limit(_LIMIT)
    atoms = sources(formulas, people=people)
    if atoms is None:
        return Listing(wide, wide, None, frozenset(names), renderer.exact)
    found = ids(view, atoms, people=people) if atoms else select(listed).where(listed.is_(None))
    size = _size(found) if any(map(_broad, atoms)) else None
    return Listing(wide.where(listed.in_(found)), wide, size, frozenset(names), renderer.exact)


def _everybody(kind: str, *, people: bool) -> ColumnElement[Any]:
    """The column of everybody who could be on the list."""
    if people or kind != "service":
        return t.Person.__table__.c.id
    members = select(t.RecipientMember.subject.label("id")).distinct().subquery("acting")
    return members.c.id


def _broad(atom: Atom) -> bool:
    return isinstance(atom, Holds) or getattr(atom, "name", "") in _BROAD


def _size(found: Any) -> Select[Any]:
    some_of_them = found.subquery()
    one: Select[Any] = (
        select(literal_column("1").label("one")).select_from(some_of_them).limit(FEW + 1)
    )
    return select(func.count()).select_from(one.subquery())
