"""One statement that lists whom a question is answered yes for; made once, asked often."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Dialect,
    Integer,
    Select,
    String,
    bindparam,
    false,
    func,
    literal_column,
    select,
)
from sqlalchemy.dialects import sqlite

from authz.decision.catalogue import Catalogue
from authz.decision.request import Question
from authz.directory import tables as t
from authz.directory.conditions.render import Renderer
from authz.directory.conditions.sources import ids, sources
from authz.directory.conditions.view import Given, Outer, View, parameter, type_of
from authz.directory.facts import Place
from authz.engine.formula import Atom, Formula, Holds, some
from authz.vocabulary import Relation

FEW = 20_000
"""From more people than this on it is quicker to go through everybody, page by page."""
_BROAD = frozenset({Relation.SAME_SCHOOL, Relation.ELEVATED})
_AFTER: BindParameter[str] = bindparam("after", None, String())
KNOWN = frozenset({"subject", "person", "after", "limit"})
_LIMIT: BindParameter[int] = bindparam("limit", None, Integer())


@dataclass(frozen=True)
class Listing:
    """Ids in their order after ``after``, at most ``limit``.

    ``narrow`` looks only where the question leads to, ``wide`` goes through everybody.
    ``size`` says, up to :data:`FEW`, how many a broad source brings up; where it is none,
    ``lean`` leaves that source out, so that a database that cannot know takes no account of
    it in its plan. What is not ``exact`` finds more than it should, and each one is to be
    decided on its own.
    """

    wide: Prepared
    exact: bool
    narrow: Prepared | None = None
    lean: Prepared | None = None
    size: Prepared | None = None

    def page(self, connection: Connection, given: Given, after: str, limit: int) -> list[str]:
        """The next ids."""
        request = given.question.request
        people = {"subject": request.subject.id, "person": request.resource.id}
        known = {**people, "after": after, "limit": limit}
        size = self.size.ids(connection, given, known)[0] if self.size else 0
        way = (self.narrow if size else self.lean) if size <= FEW else None
        return (way or self.wide).ids(connection, given, known)


@dataclass(frozen=True)
class Prepared:
    """A statement as the driver takes it, compiled once for each kind of database.

    It names each value once, however often the text does, and so costs a tenth of what it
    costs to bind a statement with hundreds of parameters anew.
    """

    statement: Select[Any]
    names: frozenset[str]
    made: dict[str, Text] = field(default_factory=dict)

    def ids(self, connection: Connection, given: Given, known: Mapping[str, Any]) -> list[Any]:
        """The first column of what it finds."""
        dialect = connection.dialect
        text = self.made.get(dialect.name) or self._compiled(dialect)
        values = {name: text.spell(name, given[name]) for name in self.names}
        found = connection.exec_driver_sql(text.sql, {**text.constants, **known, **values})
        return [row[0] for row in found.all()]

    def _compiled(self, dialect: Dialect) -> Text:
        # SQLite's driver takes names where its dialect is told to.
        named = sqlite.dialect(paramstyle="named") if dialect.name == "sqlite" else dialect
        made = self.statement.compile(dialect=named, compile_kwargs={"render_postcompile": True})
        own = self.names | KNOWN
        constants = {
            name: value
            for name, value in made.construct_params(_check=False).items()
            if name not in own
        }
        spell = {
            name: type_of(name).dialect_impl(dialect).bind_processor(dialect) for name in self.names
        }
        self.made[dialect.name] = text = Text(str(made), constants, spell)
        return text


@dataclass(frozen=True)
class Text:
    """SQL with its constants, and how its values are spelt for the driver."""

    sql: str
    constants: Mapping[str, Any]
    spelling: Mapping[str, Callable[[Any], Any] | None]

    def spell(self, name: str, value: object) -> object:
        """The value as the driver takes it."""
        how = self.spelling[name]
        return value if how is None else how(value)


def listing(
    formulas: tuple[Formula, ...],
    question: Question,
    place: Place,
    catalogue: Catalogue,
    *,
    people: bool,
    windows: int,
) -> Listing:
    """The list of people for the question's subject, or of subjects for its person."""
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
        row=t.Person.__table__ if people else None,
    )
    renderer = Renderer(view)
    condition = renderer.condition(some(formulas))
    wide = select(listed).where(condition, listed > _AFTER).order_by(listed).limit(_LIMIT)
    atoms = sources(formulas, people=people)

    def found_by(some_atoms: Iterable[Atom]) -> Prepared:
        kept = tuple(some_atoms)
        found = ids(view, kept, people=people) if kept else select(listed).where(false())
        return Prepared(wide.where(listed.in_(found)), frozenset(names))

    if atoms is None:
        return Listing(wide=Prepared(wide, frozenset(names)), exact=renderer.exact)
    broad = [atom for atom in atoms if _broad(atom)]
    size = Prepared(_size(ids(view, broad, people=people)), frozenset(names)) if broad else None
    return Listing(
        wide=Prepared(wide, frozenset(names)),
        narrow=found_by(atoms),
        lean=found_by(atom for atom in atoms if atom not in broad),
        size=size,
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
