"""Whether a value is among a few: those that a query finds, looked up by an index, or names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import ColumnElement, Select, String, literal
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType


class Among(FunctionElement[Any]):
    """``column IN (query)``, where the query is run first and finds few.

    PostgreSQL takes a recursive query for thousands of rows and then reads the whole table
    beside it; of an array it knows that it is short.
    """

    type = NullType()
    """Of a Boolean function SQLite is asked whether it equals 1, and then uses no index."""
    inherit_cache = True


def among(column: ColumnElement[Any], few: Select[Any]) -> ColumnElement[bool]:
    """That the column is one of the few."""
    return Among(column, few.scalar_subquery())


def one_of(column: ColumnElement[Any], names: Iterable[str]) -> ColumnElement[bool]:
    """That the column has one of these names, each of them a parameter of its own.

    A list of values SQLAlchemy writes anew into the text of the statement, at every execution.
    """
    return column.in_([literal(name, String()) for name in sorted(names)])


@compiles(Among, "sqlite")
def _(element: Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, few = element.clauses
    return compiler.process(column.in_(few), **kw)


@compiles(Among, "postgresql")
def _(element: Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, few = (compiler.process(each, **kw) for each in element.clauses)
    return f"({column} = ANY (ARRAY{few}))"
