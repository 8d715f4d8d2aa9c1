"""What a kind of fact is, and what its members must keep together."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from authz.directory import tables as t
from authz.directory.recording.members import Member

LONGEST_ELEVATION = timedelta(hours=24)
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of fact. ``about`` names the member whose person the audit record is about.

    ``key`` are the members whose values name one fact; a table whose primary key is a
    single person or id has that member's value as its key. ``children`` maps a member that
    is a list to the table, and the columns, that its items stand in. ``check`` raises
    ValueError where members do not fit each other.
    """

    name: str
    table: type[t.Base]
    key: tuple[str, ...]
    members: Mapping[str, Member]
    about: str = "person"
    fixed: Mapping[str, Any] = field(default_factory=dict)
    children: tuple[str, type[t.Base], str, str] | None = None
    check: Callable[[Values], None] = lambda _: None
    first: bool = False


def interval(begin: str, end: str) -> Callable[[Values], None]:
    """That one member is before another, where both are there."""

    def check(values: Values) -> None:
        since, until = values.get(begin), values.get(end)
        if since is not None and until is not None and since >= until:
            raise ValueError(f"{begin} must be before {end}: the interval is empty")

    return check


def dated(values: Values) -> None:
    """That the interval of the fact is not empty."""
    interval("from", "until")(values)


def two_people(one: str, other: str) -> Callable[[Values], None]:
    """That two members name two people, in an interval."""

    def check(values: Values) -> None:
        dated(values)
        if values[one] == values[other]:
            raise ValueError(f"{one} and {other} must be two people")

    return check


def elevation(values: Values) -> None:
    """That it lasts 24 hours at most, and that somebody else approved it (N-44)."""
    dated(values)
    if values["until"] - values["from"] > LONGEST_ELEVATION:
        raise ValueError("an elevation lasts at most 24 hours (N-44)")
    if values.get("approved_by") == values["person"]:
        raise ValueError("approved_by must be another person (N-44)")
