"""Whether a value is among the few that a query finds, looked up by an index."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select
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


@compiles(Among, "sqlite")
def _(element: Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, few = element.clauses
    return compiler.process(column.in_(few), **kw)


@compiles(Among, "postgresql")
def _(element: Among, compiler: SQLCompiler, **kw: Any) -> str:
    column, few = (compiler.process(each, **kw) for each in element.clauses)
    return f"({column} = ANY (ARRAY{few}))"
