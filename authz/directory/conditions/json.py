"""JSON columns in SQL: the same question in SQLite's words and in PostgreSQL's."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Integer, String, cast, or_
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement


class Has(FunctionElement[bool]):
    """Whether a list has this text, or an object this member."""

    type = Boolean()
    inherit_cache = True


class Values(FunctionElement[str]):
    """The texts of a list, as rows with one column, ``value``."""

    type = String()
    inherit_cache = True


class LengthOf(FunctionElement[int]):
    """How long the list is that an object has under a name."""

    type = Integer()
    inherit_cache = True


class HasIn(FunctionElement[bool]):
    """Whether the list that an object has under a name has this text."""

    type = Boolean()
    inherit_cache = True


def is_null(column: Any) -> ColumnElement[bool]:
    """Whether nothing is there: SQL's null, or JSON's."""
    return or_(column.is_(None), cast(column, String) == "null")


def _arguments(element: FunctionElement[Any], compiler: SQLCompiler, **kw: Any) -> list[str]:
    return [compiler.process(each, **kw) for each in element.clauses]


@compiles(Has, "sqlite")
def _(element: Has, compiler: SQLCompiler, **kw: Any) -> str:
    column, text = _arguments(element, compiler, **kw)
    which = f"CASE json_type({column}) WHEN 'object' THEN j.key ELSE j.value END"
    return f"EXISTS (SELECT 1 FROM json_each({column}) AS j WHERE {which} = {text})"  # noqa: S608 (compiled SQL)


@compiles(Has, "postgresql")
def _(element: Has, compiler: SQLCompiler, **kw: Any) -> str:
    column, text = _arguments(element, compiler, **kw)
    return f"jsonb_exists(CAST({column} AS JSONB), CAST({text} AS TEXT))"


@compiles(Values, "sqlite")
def _(element: Values, compiler: SQLCompiler, **kw: Any) -> str:
    (column,) = _arguments(element, compiler, **kw)
    return f"json_each({column})"


@compiles(Values, "postgresql")
def _(element: Values, compiler: SQLCompiler, **kw: Any) -> str:
    (column,) = _arguments(element, compiler, **kw)
    return f"json_array_elements_text({column})"


@compiles(LengthOf, "sqlite")
def _(element: LengthOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, name = _arguments(element, compiler, **kw)
    each = f"json_each({column}) AS j"
    return f"(SELECT json_array_length(j.value) FROM {each} WHERE j.key = {name})"  # noqa: S608 (as above)


@compiles(LengthOf, "postgresql")
def _(element: LengthOf, compiler: SQLCompiler, **kw: Any) -> str:
    column, name = _arguments(element, compiler, **kw)
    return f"json_array_length({column} -> CAST({name} AS TEXT))"


@compiles(HasIn, "sqlite")
def _(element: HasIn, compiler: SQLCompiler, **kw: Any) -> str:
    column, name, text = _arguments(element, compiler, **kw)
    each = f"json_each({column}) AS j, json_each(j.value) AS k"
    return f"EXISTS (SELECT 1 FROM {each} WHERE j.key = {name} AND k.value = {text})"  # noqa: S608 (as above)


@compiles(HasIn, "postgresql")
def _(element: HasIn, compiler: SQLCompiler, **kw: Any) -> str:
    column, name, text = _arguments(element, compiler, **kw)
    inner = f"CAST({column} AS JSONB) -> CAST({name} AS TEXT)"
    return f"jsonb_exists({inner}, CAST({text} AS TEXT))"
