"""Local calendar days, years and moments, at their edges (2.1, 2.3)."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz import clock
from tests.oracle import moments
from tests.world import BANGKOK

local_times = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1))  # noqa: DTZ001 (local)


def test_a_date_is_its_local_midnight() -> None:
    """2.1."""
    assert clock.parse("2026-11-15", BANGKOK) == datetime(2026, 11, 14, 17, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["2026-11-15T08:00", "2026-11-15T08:00:00+07:00", "2026-11-15T01:00:00Z"]
)
def test_a_time_without_an_offset_is_local(text: str) -> None:
    """2.4."""
    assert clock.parse(text, BANGKOK) == datetime(2026, 11, 15, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-02-29", "2026-13-01", "0001-01-01", "9999-12-31T23:59-12:00"]
)
def test_what_names_no_moment_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        clock.parse(text, BANGKOK)


@pytest.mark.parametrize(
    ("start", "years", "end"),
    [
        ("2024-02-29T08:00", 1, "2025-02-28T08:00"), ("2024-02-29T08:00", 4, "2028-02-29T08:00"),
        ("2025-11-15", 1, "2026-11-15"), ("2016-11-15T09:30", 10, "2026-11-15T09:30"),
    ],
)  # fmt: skip
def test_years_are_calendar_years_in_local_time(start: str, years: int, end: str) -> None:
    """2.3 (N-12)."""
    found = clock.add_years(clock.parse(start, BANGKOK), years, BANGKOK)
    assert found == clock.parse(end, BANGKOK)


@given(local_times, st.integers(0, 20))
def test_years_days_and_midnights_are_the_oracles(there: datetime, count: int) -> None:
    """Two programs of the same page agree (N-12, E-02)."""
    text = there.isoformat()
    start = clock.parse(text, BANGKOK)
    assert clock.add_years(start, count, BANGKOK) == moments.years_after(text, count, BANGKOK)
    assert clock.add_days(start, count, BANGKOK) == moments.days_after(text, count, BANGKOK)
    assert clock.day_after(start, count, BANGKOK) == moments.midnight_after(text, count, BANGKOK)


@pytest.mark.parametrize(
    ("born", "age", "day"),
    [
        (date(2006, 11, 15), 20, date(2026, 11, 15)), (date(2008, 2, 29), 20, date(2028, 2, 29)),
        (date(2008, 2, 29), 18, date(2026, 2, 28)), (date(2080, 2, 29), 20, date(2100, 2, 28)),
    ],
)  # fmt: skip
def test_a_birthday_of_29_february_falls_back_to_the_28th(born: date, age: int, day: date) -> None:
    """Page 5 "Birth dates" (N-22)."""
    assert clock.birthday(born, age) == day


def test_beyond_the_end_of_time_is_its_end() -> None:
    late = datetime(9998, 1, 1, tzinfo=UTC)
    for found in (
        clock.add_years(late, 10, BANGKOK),
        clock.add_days(late, 1000, BANGKOK),
        clock.day_after(late, 1000, BANGKOK),
    ):
        assert found > late + timedelta(days=700)
