"""What an import did to each row that was on file before, for the trail (N-49)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

ADDED, CHANGED, ENDED, RETURNED = "added", "changed", "ended", "returned"

PEOPLE: Final[Mapping[str, tuple[str, ...]]] = {
    "person": ("id",),
    "membership": ("person",),
    "enrolment": ("person",),
    "role_grant": ("person",),
    "guardianship": ("guardian", "student"),
}
"""The columns of each table that hold persons; of the other tables none."""

UNTOLD: Final = frozenset({"origin", "recorded_at", "recorded_by", "recorded_because"})
"""Columns that say who recorded a row, as the record itself does."""


@dataclass(frozen=True, slots=True)
class RowChange:
    """One row of a table of the directory: what became of it, and what it said before and after.

    Of a row that changed or returned only the columns that differ are told, of one that
    was added or ended all that are set.
    """

    table: str
    id: str
    how: str
    people: tuple[str, ...]
    before: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, Any] = field(default_factory=dict)


Tell = Callable[[RowChange], None]


def untold(_: RowChange) -> None:
    """Tell nobody."""


def people_of(table: str, row: Mapping[str, Any]) -> tuple[str, ...]:
    """The persons whom a row of that table is about."""
    return tuple(str(row[name]) for name in PEOPLE.get(table, ()) if row.get(name))


def filled(row: Mapping[str, Any]) -> dict[str, Any]:
    """The columns of a row that say something about it."""
    return {
        name: value
        for name, value in row.items()
        if value not in (None, "", []) and name not in UNTOLD and name != "id"
    }
