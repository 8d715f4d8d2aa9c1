"""Objects as the members that they have, each read only when it is wanted.

A dataclass, a Pydantic model, and an object or row of SQLAlchemy are known by what they carry,
so that none of these libraries is needed here. A member that nobody may see is never read: a
column that was not loaded stays in the database.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, time, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, Final, Protocol
from uuid import UUID


class ByName(Protocol):
    """Whatever gives the value of a member by its name."""

    def __getitem__(self, name: Any, /) -> Any:
        """The value."""


Members = tuple[tuple[Any, ...], ByName]
"""The names of an object's members, and what gives the value of one."""
PLAIN: Final = (str, int, float, bool, type(None), date, time, timedelta, Decimal, UUID, Enum)
"""What has no members and can be given as it is."""


def members(value: object) -> Members | None:
    """The members of an object of a known kind; None of any other."""
    if type(value) is dict or isinstance(value, Mapping):
        return tuple(value), value
    row = getattr(value, "_mapping", None)
    if isinstance(row, Mapping):  # a row of SQLAlchemy
        return tuple(row), row
    names = _names(value)
    return None if names is None else (tuple(names), _Attributes(value))


class _Attributes:
    """The attributes of an object, by their names."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __getitem__(self, name: str, /) -> Any:
        return getattr(self._value, name)


def _names(value: object) -> Iterable[Any] | None:
    """The attributes that hold the data of an object."""
    kind: Any = type(value)
    mapper = getattr(kind, "__mapper__", None)
    if mapper is not None:  # an object of SQLAlchemy
        return list(mapper.all_orm_descriptors.keys())
    if isinstance(value, tuple) and hasattr(kind, "_fields"):  # a named tuple
        return tuple(kind._fields)
    declared = getattr(kind, "model_fields", None)
    if isinstance(declared, Mapping):  # a model of Pydantic
        extra = getattr(value, "model_extra", None) or {}
        return [*declared, *getattr(kind, "model_computed_fields", {}), *extra]
    return [each.name for each in fields(value)] if is_dataclass(value) else None
