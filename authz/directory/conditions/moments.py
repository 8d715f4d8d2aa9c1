"""Which starts have come to their end by now: exact cut-offs, for conditions in SQL.

The decision adds years to a start and compares the sum with now (:mod:`authz.clock`). A list
cannot add calendar years in SQL, so it compares the start with a cut-off. That sum does not
grow with its start everywhere: 29 February falls back to the 28th, so that one who left on
the 29th at 10:00 is through before one who left on the 28th at 18:00, and an hour that
a zone has twice does the same. So the starts that are through are several intervals.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache

from authz import clock

TICK = timedelta(microseconds=1)
STEP = timedelta(minutes=15)
"""Every change of a zone's offset, and every local midnight, falls on such a step in UTC."""
MARGIN = timedelta(hours=48)
LEAP = ((2, 25), (3, 4))
"""The days around 29 February."""
WINDOWS = 4
FIRST = datetime.min.replace(tzinfo=UTC) + timedelta(days=3)
Window = tuple[datetime, datetime]
NEVER: Window = (FIRST, FIRST)


@lru_cache(maxsize=64)
def through(now: datetime, years: int, local: tzinfo) -> tuple[Window, ...]:
    """The starts whose end, so many years on, has come: half-open intervals, always four."""
    try:
        there = now.astimezone(local)
        guess = clock.add_years(now, -years, local)
        begin = _floor(guess - MARGIN)
    except (ValueError, OverflowError):
        return (NEVER,) * WINDOWS
    if _even(guess, there, local):
        found = [(FIRST, guess + TICK)]
    else:
        found = list(_joined(FIRST, begin, _steps(begin, now, years, local)))
    if len(found) > WINDOWS:
        raise AssertionError("a zone changes more often than is thought of")
    return (*found, *(NEVER,) * (WINDOWS - len(found)))


def count(now: datetime, years: Iterable[int], local: tzinfo) -> int:
    """How many intervals the cut-offs of these years need now; nearly always one."""
    found = (through(now, each, local) for each in years)
    return max((WINDOWS - windows.count(NEVER) for windows in found), default=1) or 1


def _even(guess: datetime, there: datetime, local: tzinfo) -> bool:
    """Whether a year is the same shift all around: no leap day, no change of the offset."""
    near = [moment + way * MARGIN for moment in (guess, there) for way in (-1, 0, 1)]
    days = [moment.astimezone(local) for moment in (guess, there)]
    leap = any(LEAP[0] <= (day.month, day.day) <= LEAP[1] for day in days)
    offsets = [moment.astimezone(local).utcoffset() for moment in near]
    return not leap and len(set(offsets[:3])) == 1 and len(set(offsets[3:])) == 1


def _floor(moment: datetime) -> datetime:
    moment = moment.astimezone(UTC)
    return moment.replace(minute=0, second=0, microsecond=0)


def _steps(begin: datetime, now: datetime, years: int, local: tzinfo) -> Iterator[Window]:
    """Within a step the sum grows with its start, so that its part is known by its begin."""
    for number in range(int(2 * MARGIN / STEP) + 8):
        start = begin + number * STEP
        end = clock.add_years(start, years, local)
        if end <= now:
            yield start, min(start + STEP, start + (now - end) + TICK)


def _joined(first: datetime, until: datetime, parts: Iterator[Window]) -> Iterator[Window]:
    for begin, end in parts:
        if begin != until:
            yield first, until
            first = begin
        until = end
    yield first, until


def today(now: datetime, local: tzinfo) -> date:
    """The last local day whose midnight has come."""
    day = now.astimezone(local).date()
    return day if clock.midnight(day, local) <= now else day - timedelta(days=1)


def of_age(now: datetime, age: int, local: tzinfo) -> date:
    """The last birth date of somebody who has reached this age by now (2.4).

    Born on 29 February, one reaches it on the 28th where the year has no 29th.
    """
    day = today(now, local)
    if day.year <= age:
        return date.min
    born = clock.birthday(day, -age)
    following = born + timedelta(days=1)
    return following if clock.birthday(following, age) <= day else born


def received_before(now: datetime, days: int, local: tzinfo) -> datetime:
    """Goods received before this moment came more than so many local days ago (2.4)."""
    try:
        return clock.midnight(today(now, local) - timedelta(days=days - 1), local)
    except OverflowError:
        return FIRST


@lru_cache(maxsize=16)
def steady(local: tzinfo) -> bool:
    """Whether a day always has 24 hours there, so that SQL can add days exactly."""
    months = (datetime(y, m, 1, tzinfo=UTC) for y in range(1990, 2101) for m in range(1, 13))
    return len({moment.astimezone(local).utcoffset() for moment in months}) == 1
