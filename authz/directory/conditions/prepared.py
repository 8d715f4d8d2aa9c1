"""A statement as the driver takes it: compiled once, its values put in by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import CompoundSelect, Connection, Dialect, Select
from sqlalchemy.dialects import sqlite

from authz.directory.conditions.view import Given, type_of

KNOWN = frozenset({"subject", "person", "after", "limit"})


@dataclass(frozen=True)
class Prepared:
    """A statement as the driver takes it, compiled once for each kind of database.

    It names each value once, however often the text does, and so costs a tenth of what it
    costs to bind a statement with hundreds of parameters anew.
    """

    statement: Select[Any] | CompoundSelect[Any]
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
