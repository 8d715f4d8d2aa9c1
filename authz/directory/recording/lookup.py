"""Tables, keys and references of facts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Table, or_, tuple_
from sqlalchemy.sql.elements import ColumnElement

from authz.directory import tables as t
from authz.directory.recording.change import Key
from authz.directory.recording.lines import Fact


def table_of(mapped: type[t.Base]) -> Table:
    """The table of a mapped class."""
    table = mapped.__table__
    assert isinstance(table, Table)  # noqa: S101 (narrowing for the type checker)
    return table


def column_of(mapped: type[t.Base], attribute: str) -> Any:
    """The column of an attribute, which may have another name."""
    return mapped.__mapper__.columns[attribute]


def key_of(table: Table, fact: Fact) -> Key:
    """The primary key of the row that a fact is."""
    return (fact.kind.name, fact.key) if table is table_of(t.Recipient) else (fact.key,)


def references(fact: Fact) -> Iterable[tuple[str, str]]:
    """What a fact refers to: the kind, and the id."""
    for name, member in fact.kind.members.items():
        value = fact.values.get(name)
        if not member.refers or value is None:
            continue
        for each in value if isinstance(value, list) else [value]:
            yield member.refers, each


def is_one(columns: list[Any], keys: Sequence[Key]) -> ColumnElement[bool]:
    """That the columns are one of the keys."""
    if len(columns) == 1:
        return columns[0].in_([key[0] for key in keys])  # type: ignore[no-any-return]  # columns of any type
    if len(keys) < 2:  # noqa: PLR2004 (one key, or none)
        return or_(*(tuple_(*columns) == key for key in keys))
    return tuple_(*columns).in_(list(keys))


def slices(items: Sequence[Any], size: int = 500) -> Iterable[Sequence[Any]]:
    """The items, so many at a time as one statement can name."""
    return (items[start : start + size] for start in range(0, len(items), size))
