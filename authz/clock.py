"""The only reader of the time, and the only arithmetic of local calendar days.

Time is the server's clock in UTC; dates are compared in a local zone (page 2.1). A date
means that day's local midnight, so that an end date is the first day without.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from time import monotonic as steady
from time import time_ns
from zoneinfo import ZoneInfo


def now() -> datetime:
    """The present moment, in UTC."""
    return datetime.now(UTC)


def microseconds() -> int:
    """The present moment in microseconds since 1970, for ids that begin with the time."""
    return time_ns() // 1000


def monotonic() -> float:
    """Seconds on a clock that nobody sets, for waiting and for the age of what is kept."""
    return steady()


def zone(name: str) -> tzinfo:
    """The time zone of that IANA name; ``ZoneInfoNotFoundError`` where there is none."""
    return ZoneInfo(name)


def midnight(day: date, local: tzinfo) -> datetime:
    """The local midnight that begins ``day``, in UTC; ``OverflowError`` at the ends of time."""
    return datetime.combine(day, time.min, local).astimezone(UTC)


def parse(text: str, local: tzinfo) -> datetime:
    """The moment an ISO date or time names, in UTC; ``ValueError`` where it names none.

    A date is its local midnight; a time without an offset is local (page 2.4).
    """
    try:
        if len(text) == len("2026-01-01") and "T" not in text:
            return midnight(date.fromisoformat(text), local)
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=local)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is outside the years that can be compared") from error


def add_years(moment: datetime, years: int, local: tzinfo) -> datetime:
    """The same local time ``years`` calendar years on; 29 February falls back to the 28th."""
    there = moment.astimezone(local)
    year = there.year + years
    if year > date.max.year:
        return datetime.max.replace(tzinfo=UTC)
    try:
        moved = there.replace(year=year)
    except ValueError:
        moved = there.replace(year=year, day=28)
    return moved.astimezone(UTC)


def add_days(moment: datetime, days: int, local: tzinfo) -> datetime:
    """The same local time ``days`` calendar days on."""
    try:
        return (moment.astimezone(local) + timedelta(days=days)).astimezone(UTC)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def day_after(moment: datetime, days: int, local: tzinfo) -> datetime:
    """The local midnight that ends the ``days``-th calendar day counted from that of ``moment``."""
    try:
        return midnight(moment.astimezone(local).date() + timedelta(days=days), local)
    except OverflowError:
        return datetime.max.replace(tzinfo=UTC)


def birthday(born: date, age: int) -> date:
    """The day on which somebody reaches ``age``; born on 29 February, it is the 28th."""
    try:
        return born.replace(year=born.year + age)
    except ValueError:
        return born.replace(year=born.year + age, day=28)


@lru_cache(maxsize=65536)
def of_age(born: date, age: int, local: tzinfo) -> datetime:
    """The local midnight that begins the day on which somebody reaches ``age``."""
    return midnight(birthday(born, age), local)
