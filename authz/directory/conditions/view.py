"""What a condition is about: who, whom, when, and what the question says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cache, cached_property
from typing import Any, ClassVar, Protocol

from sqlalchemy import (
    ColumnElement,
    Date,
    FromClause,
    Select,
    String,
    and_,
    bindparam,
    exists,
    literal,
    or_,
    select,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.orm import aliased
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeEngine

from authz.decision.catalogue import Catalogue
from authz.decision.request import Question
from authz.directory.conditions import moments
from authz.directory.facts import Place
from authz.directory.relations import FULFILLING_DAYS
from authz.directory.storable import storable
from authz.directory.tables import Base, Person, UtcTime

Sql = ColumnElement[bool]
Id = ColumnElement[Any]


class Outer(ColumnElement[Any]):
    """A column of the statement around, named at any depth of what is within.

    SQLAlchemy takes a column of a table as a reason to put that table into the nearest
    FROM; this one only says its name.
    """

    __visit_name__ = "outer"
    inherit_cache = True
    _traverse_internals = [("column", InternalTraversal.dp_clauseelement)]  # noqa: RUF012 (as SQLAlchemy looks for it)
    _from_objects: ClassVar = []

    def __init__(self, column: ColumnElement[Any]) -> None:
        self.column = column
        self.type = column.type


@compiles(Outer)
def _(element: Outer, compiler: SQLCompiler, **kw: Any) -> str:
    return compiler.process(element.column, **kw)


class Binds(Protocol):
    """Puts a named value into a statement."""

    def __call__(self, name: str) -> ColumnElement[Any]:
        """The value, or a parameter of its name."""


_ASKED: Mapping[str, str] = {
    "class": "class_id",
    "record": "record",
    "ticket": "ticket",
    "order": "order",
    "case": "case",
}
"""What of a question a condition asks by value, by the name it has there."""


@dataclass(frozen=True)
class Given:
    """The values of one question at one moment, by the names that conditions use."""

    question: Question
    now: datetime
    place: Place

    @property
    def people(self) -> dict[str, str]:
        """The ids of the two, of whom one is empty where it is looked for."""
        request = self.question.request
        return {"subject": request.subject.id, "person": request.resource.id}

    def __getitem__(self, name: str) -> object:
        """The value of that name; what no database can hold is nobody's, as in a decision."""
        if name in _ASKED:
            named = getattr(self.question, _ASKED[name])
            return None if named is None or not storable(named) else named
        return self.now if name == "now" else self._cutoff(name)

    def _cutoff(self, name: str) -> object:
        if name == "of_age":
            return moments.of_age(self.now, self.place.age_of_majority, self.place.local)
        if name == "received":
            return moments.received_before(self.now, FULFILLING_DAYS, self.place.local)
        return self._window(name)

    def _window(self, name: str) -> datetime:
        """``years_10_0_1`` is the end of the first interval of ten years."""
        _, years, number, end = name.split("_")
        return moments.through(self.now, int(years), self.place.local)[int(number)][int(end)]


def parameter(name: str) -> ColumnElement[Any]:
    """A parameter of that name, for a statement that is made once and asked often."""
    return bindparam(name, None, type_of(name))


def values(given: Given) -> Binds:
    """The values themselves, for a statement that is somebody else's; each is one parameter."""
    return cache(lambda name: literal(given[name], type_of(name)))


def shape(asked: Question) -> tuple[Any, ...]:
    """What of a question a statement is made of; all else is a value of it."""
    named = (asked.class_id, asked.record, asked.ticket, asked.order, asked.case)
    return (
        asked.request.subject.type,
        asked.action,
        asked.category,
        asked.purpose,
        asked.fields,
        asked.justified,
        asked.mfa,
        *(each is None for each in named),
    )


_DAY, _MOMENT, _TEXT = Date(), UtcTime(), String()
"""Shared: SQLAlchemy keeps with each what it is known by."""


def type_of(name: str) -> TypeEngine[Any]:
    """What kind of value a name stands for."""
    if name == "of_age":
        return _DAY
    return _MOMENT if name in {"now", "received"} or name.startswith("years_") else _TEXT


@cache
def _stocked(model: type[Base], number: int) -> Any:  # noqa: ARG001 (tells aliases apart)
    return aliased(model)


class _Columns:
    """The columns of a row of the statement around, by the names of the mapped class."""

    def __init__(self, row: FromClause) -> None:
        self._row = row

    def __getattr__(self, name: str) -> Outer:
        return Outer(self._row.c[name])


@dataclass(frozen=True)
class View:
    """A subject and a person, one of whom may be a column, at one moment.

    ``one_subject`` says that the subject is a value and not a column: what the subject
    alone decides, such as the organisations below theirs, is then found ``once``. ``kind`` is
    the subject's type. ``row`` is the person's own row, where the statement around has it;
    ``windows`` is how many intervals a cut-off needs at this moment. ``told`` are the traces
    of the subject (:mod:`.traces`), where somebody looked.
    """

    subject: Id
    person: Id
    kind: str
    one_subject: bool
    question: Question
    place: Place
    catalogue: Catalogue
    binds: Binds
    windows: int = moments.WINDOWS
    row: FromClause | None = None
    once: dict[str, Any] = field(default_factory=dict)
    told: frozenset[str] | None = None

    def possible(self, trace: str) -> bool:
        """Whether the subject may have such rows: nobody looked, or there are some."""
        return self.told is None or trace in self.told

    @cached_property
    def now(self) -> ColumnElement[datetime]:
        """This moment."""
        return self.binds("now")

    @cached_property
    def of_age(self) -> ColumnElement[date]:
        """The last birth date of somebody of age."""
        return self.binds("of_age")

    def through(self, start: ColumnElement[Any], years: int) -> Sql:
        """That so many years have passed since a start; false without a start."""
        windows = [
            and_(
                start >= self.binds(f"years_{years}_{number}_0"),
                start < self.binds(f"years_{years}_{number}_1"),
            )
            for number in range(self.windows)
        ]
        return and_(start.is_not(None), or_(*windows))

    def fresh(self, model: type[Base]) -> Any:
        """Another alias of a table than any that this view has given out.

        They are taken from a stock that all views share: an alias takes longer to make than
        to use, and a statement is full of them.
        """
        number = self.once.get(model.__tablename__, 0)
        self.once[model.__tablename__] = number + 1
        return _stocked(model, number)

    def of_person(self, test: Callable[[Any], Sql]) -> Sql:
        """That there is such a person, and this is so of their row."""
        if self.row is not None:
            return test(_Columns(self.row))
        p = self.fresh(Person)
        return exists(select(p.id).where(p.id == self.person, test(p)))

    def links(self, found: Select[Any], subject: Any, person: Any) -> Sql:
        """That a row found links the two, looked up once from the one who is a value."""
        if self.one_subject:
            linked = found.with_only_columns(person, maintain_column_froms=True).where(
                subject == self.subject
            )
            return self.person.in_(linked)
        linked = found.with_only_columns(subject, maintain_column_froms=True)
        return self.subject.in_(linked.where(person == self.person))

    def covers(self, row: Any) -> Sql:
        """That a row with an interval is in force (2.1)."""
        return self.within(row.valid_from, row.valid_until, row.ended_at)

    def within(self, since: Any, *untils: Any) -> Sql:
        """``since <= now`` and now before each end; what is missing is unbounded."""
        begun = or_(since.is_(None), since <= self.now)
        return and_(begun, *(or_(end.is_(None), self.now < end) for end in untils))
