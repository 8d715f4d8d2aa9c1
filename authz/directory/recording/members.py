"""The members that a fact may carry, and how each is read (4.4, page 5 "Values")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, tzinfo
from typing import Any

from authz import clock
from authz.decision.catalogue import Catalogue
from authz.directory.era import MEANT, is_buddhist
from authz.directory.storable import storable

LONGEST_ID = 255
LONGEST_TEXT = 4000
LATEST_YEAR = 9000
"""Beyond it, somebody's coming of age could not be said."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What a value is read against: the local zone and the words of the pack."""

    local: tzinfo
    catalogue: Catalogue


Reader = Callable[[Any, Reading], Any]


@dataclass(frozen=True, slots=True)
class Member:
    """A member: how it is read, whether it must be there, what it refers to.

    ``column`` is the attribute of the row, where it has another name; ``refers`` is the
    kind of row that must exist (``person``, ``organisation``, ``processor``, …).
    """

    read: Reader
    required: bool = False
    refers: str = ""
    column: str = ""
    stored: bool = True


def text(value: Any, _: Reading) -> str:
    """Free text of a person or a register."""
    if not isinstance(value, str):
        raise ValueError("must be a text")
    if len(value) > LONGEST_TEXT or not storable(value):
        raise ValueError(f"must be a text of at most {LONGEST_TEXT} characters")
    return value


def filled(value: Any, reading: Reading) -> str:
    """Text that says something."""
    found = text(value, reading)
    if not found.strip():
        raise ValueError("must not be empty")
    return found


def identifier(value: Any, _: Reading) -> str:
    """An opaque id, kept byte for byte (3.5)."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID or not storable(value):
        raise ValueError(f"must be an id of 1 to {LONGEST_ID} characters")
    return value


def identifiers(value: Any, reading: Reading) -> list[str]:
    """A list of ids, each once."""
    if not isinstance(value, list):
        raise ValueError("must be a list of ids")
    return list(dict.fromkeys(identifier(each, reading) for each in value))


def some(value: Any, reading: Reading) -> list[str]:
    """A list of at least one id."""
    found = identifiers(value, reading)
    if not found:
        raise ValueError("must name at least one")
    return found


def moment(value: Any, reading: Reading) -> datetime:
    """An ISO date (its local midnight) or time (local without an offset)."""
    if not isinstance(value, str):
        raise ValueError("must be an ISO date or time")
    try:
        found = clock.parse(value, reading.local)
    except ValueError as error:
        raise ValueError(f"must be an ISO date or time; {str(value)[:40]!r} is none") from error
    if is_buddhist(found):
        raise ValueError(f"must be of the common era; {value[:40]!r} {MEANT}")
    return found


def day(value: Any, _: Reading) -> date:
    """An ISO date."""
    try:
        found = date.fromisoformat(value)
    except (TypeError, ValueError) as error:
        raise ValueError("must be an ISO date, such as 2010-05-03") from error
    if found.year > LATEST_YEAR:
        raise ValueError(f"must be a date up to the year {LATEST_YEAR}")
    if is_buddhist(found):
        raise ValueError(f"must be of the common era; {value[:40]!r} {MEANT}")
    return found


def truth(value: Any, _: Reading) -> bool:
    """JSON true or false."""
    if not isinstance(value, bool):
        raise ValueError("must be true or false")
    return value


def count(value: Any, _: Reading) -> int:
    """A whole number of days, not negative."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 36_600:  # noqa: PLR2004 (days: a hundred years)
        raise ValueError("must be a whole number from 0 to 36600")
    return value


def one_of(*names: str) -> Reader:
    """One of these words."""

    def read(value: Any, _: Reading) -> str:
        if value not in names:
            raise ValueError(f"must be one of {', '.join(names)}")
        return str(value)

    return read


def purpose(value: Any, reading: Reading) -> str:
    """A purpose of the catalogue."""
    return _word(value, reading.catalogue.purposes, "purpose")


def purposes(value: Any, reading: Reading) -> list[str]:
    """Purposes of the catalogue, at least one."""
    return [_word(each, reading.catalogue.purposes, "purpose") for each in some(value, reading)]


def actions(value: Any, reading: Reading) -> list[str]:
    """Actions of the catalogue, at least one."""
    known = dict.fromkeys(reading.catalogue.actions)
    return [_word(each, known, "action") for each in some(value, reading)]


def categories(value: Any, reading: Reading) -> list[str]:
    """Categories of the catalogue, at least one."""
    return [_word(each, reading.catalogue.categories, "category") for each in some(value, reading)]


def fields_by_category(value: Any, reading: Reading) -> dict[str, list[str]]:
    """Categories with the fields named, where an empty list is all of them (4.4)."""
    if not isinstance(value, dict) or not value:
        raise ValueError("must name at least one category with its fields")
    known = reading.catalogue.categories
    found = {}
    for name, fields in value.items():
        _word(name, known, "category")
        words = dict.fromkeys(known[name].fields)
        found[name] = [_word(f, words, f"field of {name}") for f in identifiers(fields, reading)]
    return found


def schools(value: Any, reading: Reading) -> list[str] | None:
    """A list of schools, or ``"all"``, which is kept as None."""
    if value == "all":
        return None
    try:
        return some(value, reading)
    except ValueError as error:
        raise ValueError('must be a list of schools or "all"') from error


def _word(value: Any, known: Mapping[str, Any], what: str) -> str:
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"names the {what} {str(value)[:40]!r}, which the catalogue has not")
    return value
