"""Time (2.1, 2.3, page 5): half-open intervals, local midnights, calendar years and days."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

Row = Mapping[str, Any]


@lru_cache(maxsize=200_000)
def _parsed(text: str, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def instant(value: str | date | None, zone: ZoneInfo) -> datetime | None:
    """2.1: a date is that day's local midnight; "times without an offset are local"."""
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else value.isoformat()
    return _parsed(text, zone).astimezone(UTC)


def between(begin: datetime | None, now: datetime, end: datetime | None) -> bool:
    """2.1: `from <= now < until`; a missing begin or end is unbounded."""
    return (begin is None or begin <= now) and (end is None or now < end)


def within(
    row: Row, now: datetime, zone: ZoneInfo, begin: str = "from", end: str = "until"
) -> bool:
    """2.1 for a row of the directory, whatever its two members are called."""
    return between(instant(row.get(begin), zone), now, instant(row.get(end), zone))


def day_plus_years(day: date, years: int) -> date:
    """2.3, page 5: calendar years; 29 February falls back to the 28th."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return day.replace(year=day.year + years, day=28)


def years_after(value: str | date, years: int, zone: ZoneInfo) -> datetime:
    """2.3: "years are calendar years in local time"; the time of day stays."""
    start = instant(value, zone)
    assert start is not None
    local = start.astimezone(zone)
    day = day_plus_years(local.date(), years)
    return datetime.combine(day, local.time(), tzinfo=zone).astimezone(UTC)


def days_after(value: str | date, days: int, zone: ZoneInfo) -> datetime:
    """2.3 `event`: a number of days later by the local calendar; the time of day stays."""
    start = instant(value, zone)
    assert start is not None
    local = start.astimezone(zone)
    return datetime.combine(
        local.date() + timedelta(days=days), local.time(), tzinfo=zone
    ).astimezone(UTC)


def midnight_after(value: str | date, days: int, zone: ZoneInfo) -> datetime:
    """Page 5: "local calendar days, half-open": the midnight that begins the first day without."""
    start = instant(value, zone)
    assert start is not None
    day = start.astimezone(zone).date() + timedelta(days=days)
    return datetime.combine(day, time(), tzinfo=zone).astimezone(UTC)


def birthday(value: str | date, age: int, zone: ZoneInfo) -> datetime:
    """2.4 `minor`: local midnight of the birthday on which `age` is reached."""
    born = value if isinstance(value, date) else date.fromisoformat(value[:10])
    return datetime.combine(day_plus_years(born, age), time(), tzinfo=zone).astimezone(UTC)
