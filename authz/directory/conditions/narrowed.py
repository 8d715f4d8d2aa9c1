"""The condition of a list within somebody else's statement: worked out once, then only told who.

To write such a condition takes some ten milliseconds, and what a statement is kept under by
SQLAlchemy is as long as its tree. So a statement holds one element that says of what kind the
question is and which values it has. It is written out only when SQLAlchemy compiles a statement
of a form that it has not compiled before; from then on, the values alone are put in.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, and_, bindparam, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal

from authz.decision.catalogue import Catalogue
from authz.decision.request import Question
from authz.directory.conditions.render import Renderer
from authz.directory.conditions.sources import ids, sources
from authz.directory.conditions.view import Binds, Given, Outer, View, type_of
from authz.directory.facts import Place
from authz.directory.storable import storable
from authz.engine.formula import Formula, some

SUBJECT = "subject"


class Narrowing:
    """What a question of one shape asks of a person: made once, for all subjects and moments.

    ``exact`` says that SQL can tell all of it; ``names`` are the values that it has.
    """

    def __init__(
        self, formulas: tuple[Formula, ...], question: Question, place: Place, catalogue: Catalogue
    ) -> None:
        """``question`` stands for all of its shape (:func:`~.view.shape`)."""
        self.formulas = formulas
        self._question = question
        self._place = place
        self._catalogue = catalogue
        self._atoms = sources(formulas, people=True)
        asked: dict[str, ColumnElement[Any]] = {}
        _, self.exact = self._written(literal(""), _noting(asked))
        self.names = tuple(asked)

    def of(self, person: ColumnElement[Any], given: Given) -> ColumnElement[bool]:
        """The condition that ``person`` is one whom these values' question is permitted for."""
        values: list[ColumnElement[Any]] = [
            literal(_subject(given) if name == SUBJECT else given[name], type_of(name))
            for name in self.names
        ]
        return _Narrowed(self, person, values)

    def written(self, person: ColumnElement[Any], values: list[Any]) -> ColumnElement[bool]:
        """The same, written out."""
        known = dict(zip(self.names, values, strict=True))
        return self._written(person, lambda name: known[name])[0]

    def _written(
        self, person: ColumnElement[Any], binds: Binds
    ) -> tuple[ColumnElement[bool], bool]:
        """The condition, and whether it says all."""
        view = View(
            subject=binds(SUBJECT),
            person=Outer(person),
            kind=self._question.request.subject.type,
            one_subject=True,
            question=self._question,
            place=self._place,
            catalogue=self._catalogue,
            binds=binds,
        )
        renderer = Renderer(view)
        found = renderer.condition(some(self.formulas))
        if self._atoms:
            found = and_(found, Outer(person).in_(ids(view, self._atoms, people=True)))
        return found, renderer.exact


def _subject(given: Given) -> str | None:
    """Who asks; nobody, where no database can hold the id."""
    subject = given.question.request.subject.id
    return subject if storable(subject) else None


def _noting(asked: dict[str, ColumnElement[Any]]) -> Binds:
    """Gives a parameter for each value that is asked for, and so knows which are."""
    return lambda name: asked.setdefault(name, bindparam(name, None, type_of(name)))


class _Narrowed(ColumnElement[bool]):
    """A condition that is written out when a statement with it is compiled.

    SQLAlchemy keeps the statement under what is named here: the narrowing itself, the column and
    the values, of which the last may differ. What is written has these very values.
    """

    __visit_name__ = "narrowed"
    inherit_cache = True
    type = Boolean()
    _traverse_internals = [  # noqa: RUF012 (as SQLAlchemy looks for it)
        ("narrowing", InternalTraversal.dp_plain_obj),
        ("person", InternalTraversal.dp_clauseelement),
        ("values", InternalTraversal.dp_clauseelement_list),
    ]

    def __init__(
        self, narrowing: Narrowing, person: ColumnElement[Any], values: list[ColumnElement[Any]]
    ) -> None:
        self.narrowing = narrowing
        self.person = person
        self.values = values

    def self_group(self, against: Any = None) -> _Narrowed:  # noqa: ARG002 (as SQLAlchemy calls it)
        """As it is: it is a condition, and no column of truth values to be compared with one."""
        return self

    @property
    def _from_objects(self) -> Any:
        return self.person._from_objects  # noqa: SLF001 (the table is asked, as by any condition)


@compiles(_Narrowed)
def _(element: _Narrowed, compiler: SQLCompiler, **kw: Any) -> str:
    """For people: SQLAlchemy writes statements without a database to show them, or to look."""
    return f"permitted({compiler.process(element.person, **kw)})"


@compiles(_Narrowed, "sqlite")
@compiles(_Narrowed, "postgresql")
def _(element: _Narrowed, compiler: SQLCompiler, **kw: Any) -> str:
    written = element.narrowing.written(element.person, element.values)
    return compiler.process(written.self_group(), **kw)
