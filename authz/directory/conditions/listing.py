"""One statement that lists whom a question is answered yes for; made once, asked often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Integer,
    Select,
    String,
    bindparam,
    func,
    literal_column,
    select,
)

from authz.decision.catalogue import Catalogue
from authz.decision.request import Question
from authz.directory import tables as t
from authz.directory.conditions.prepared import Prepared
from authz.directory.conditions.render import Renderer
from authz.directory.conditions.sources import ids, sources
from authz.directory.conditions.view import Given, Outer, View, parameter
from authz.directory.facts import Place
from authz.engine.formula import Atom, Formula, Holds, some
from authz.vocabulary import Relation

FEW = 20_000
"""From more people than this on it is quicker to go through everybody, page by page."""
_BROAD = frozenset({Relation.SAME_SCHOOL, Relation.ELEVATED})
_AFTER: BindParameter[str] = bindparam("after", None, String())
_LIMIT: BindParameter[int] = bindparam("limit", None, Integer())


@dataclass(frozen=True)
class Listing:
    """Ids in their order after ``after``, at most ``limit``.

    ``narrow`` looks only where the question leads to, ``wide`` goes through everybody.
    ``size`` says, up to :data:`FEW`, how many a broad source brings up. What is not ``exact``
    finds more than it should, and each one is to be decided on its own.
    """

    wide: Prepared
    exact: bool
    narrow: Prepared | None = None
    size: Prepared | None = None

    def page(self, connection: Connection, given: Given, after: str, limit: int) -> list[str]:
        """The next ids."""
        known = {**given.people, "after": after, "limit": limit}
        size = self.size.ids(connection, given, known)[0] if self.size else 0
        way = self.narrow if size <= FEW else None
        return (way or self.wide).ids(connection, given, known)


def listing(
    formulas: tuple[Formula, ...],
    question: Question,
    place: Place,
    catalogue: Catalogue,
    *,
    people: bool,
    windows: int,
    told: frozenset[str],
) -> Listing:
    """The list of people for the question's subject, or of subjects for its person.

    The traces ``told`` are of the one whom the question names.
    """
    names: set[str] = set()

    def bind(name: str) -> ColumnElement[Any]:
        names.add(name)
        return parameter(name)

    kind = question.request.subject.type
    listed = _everybody(kind, people=people)
    fixed: BindParameter[str] = bindparam("subject" if people else "person", None, String())
    view = View(
        subject=fixed if people else Outer(listed),
        person=Outer(listed) if people else fixed,
        kind=kind,
        one_subject=people,
        question=question,
        place=place,
        catalogue=catalogue,
        binds=bind,
        windows=windows,
        told=told if people else None,
        row=t.Person.__table__ if people else None,
    )
    renderer = Renderer(view)
    condition = renderer.condition(some(formulas))
    wide = select(listed).where(condition, listed > _AFTER).order_by(listed).limit(_LIMIT)
    atoms = sources(formulas, people=people)

    whole = Prepared(wide, frozenset(names))
    if atoms is None:
        return Listing(wide=whole, exact=renderer.exact)
    broad = [atom for atom in atoms if _broad(atom)]
    found = ids(view, atoms, people=people)
    size = _size(ids(view, broad, people=people)) if broad else None
    return Listing(
        wide=whole,
        narrow=Prepared(wide.where(listed.in_(found)), frozenset(names)),
        size=None if size is None else Prepared(size, frozenset(names)),
        exact=renderer.exact,
    )


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
