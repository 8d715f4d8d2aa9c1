"""What a condition is about: who, whom, when, and what the question says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from typing import Any, ClassVar, Protocol

from sqlalchemy import ColumnElement, Date, String, and_, bindparam, literal, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeEngine

from authz.decision.catalogue import Catalogue
from authz.decision.request import Question
from authz.directory.conditions import moments
from authz.directory.facts import Place
from authz.directory.relations import FULFILLING_DAYS
from authz.directory.tables import UtcTime

Sql = ColumnElement[bool]
Id = ColumnElement[Any]


class Outer(ColumnElement[Any]):
    """A column of the statement around, named at any depth of what is within.

    SQLAlchemy takes a column of a table as a reason to put that table into the nearest
    FROM; this one only says its name.
    """

    __visit_name__ = "outer"
    inherit_cache = True
    _traverse_internals = [("column", InternalTraversal.dp_clauseelement)]  # noqa: RUF012
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


@dataclass(frozen=True)
class Given:
    """The values of one question at one moment, by the names that conditions use."""

    question: Question
    now: datetime
    place: Place

    def __getitem__(self, name: str) -> object:
        """The value of that name."""
        found = self._values.get(name)
        return self._window(name) if found is None and name.startswith("years_") else found

    @cached_property
    def _values(self) -> Mapping[str, object]:
        question, local = self.question, self.place.local
        return {
            "now": self.now,
            "of_age": moments.of_age(self.now, self.place.age_of_majority, local),
            "received": moments.received_before(self.now, FULFILLING_DAYS, local),
            "class": question.class_id,
            "record": question.record,
            "ticket": question.ticket,
            "order": question.order,
            "case": question.case,
        }

    def _window(self, name: str) -> datetime:
        """``years_10_0_1`` is the end of the first interval of ten years."""
        _, years, number, end = name.split("_")
        return moments.through(self.now, int(years), self.place.local)[int(number)][int(end)]


def parameter(name: str) -> ColumnElement[Any]:
    """A parameter of that name, for a statement that is made once and asked often."""
    return bindparam(name, type_=_type(name))


def values(given: Given) -> Binds:
    """The values themselves, for a statement that is somebody else's."""
    return lambda name: literal(given[name], _type(name))


def _type(name: str) -> TypeEngine[Any]:
    if name == "of_age":
        return Date()
    return UtcTime() if name in {"now", "received"} or name.startswith("years_") else String()


@dataclass(frozen=True)
class View:
    """A subject and a person, one of whom may be a column, at one moment.

    ``one_subject`` says that the subject is a value and not a column: what the subject
    alone decides, such as the organisations below theirs, is then found ``once``. ``kind`` is
    the subject's type.
    """

    subject: Id
    person: Id
    kind: str
    one_subject: bool
    question: Question
    place: Place
    catalogue: Catalogue
    binds: Binds
    once: dict[str, Any] = field(default_factory=dict)

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
            for number in range(moments.WINDOWS)
        ]
        return and_(start.is_not(None), or_(*windows))

    def covers(self, row: Any) -> Sql:
        """That a row with an interval is in force (2.1)."""
        return self.within(row.valid_from, row.valid_until, row.ended_at)

    def within(self, since: Any, *untils: Any) -> Sql:
        """``since <= now`` and now before each end; what is missing is unbounded."""
        begun = or_(since.is_(None), since <= self.now)
        return and_(begun, *(or_(end.is_(None), self.now < end) for end in untils))
