"""The cut-offs of lists are exact: a start is through where the decision says that it is.

Calendar years are not monotone: 29 February falls back to the 28th, and an hour that a zone
has twice or not at all is moved. So every start near an edge is compared, by brute force.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from authz import clock
from authz.directory.conditions import moments

ZONES = ["Asia/Bangkok", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"]
EDGES = [
    "2024-02-28", "2024-02-29", "2024-03-01", "2025-02-28", "2025-03-01", "2028-02-28",
    "2028-02-29", "2029-02-28", "2026-03-08", "2026-03-29", "2026-10-25", "2026-11-01",
    "2025-03-30", "2025-10-26", "2026-04-05", "2026-10-04", "2027-10-31", "2026-11-22",
]  # fmt: skip
zones = st.sampled_from(ZONES).map(ZoneInfo)
seconds = st.integers(-60 * 3600, 60 * 3600)
nows = st.tuples(st.sampled_from(EDGES), st.integers(0, 86_400_000_000)).map(
    lambda parts: (
        datetime.fromisoformat(parts[0]).replace(tzinfo=UTC) + timedelta(microseconds=parts[1])
    )
)


def within(start: datetime, windows: tuple[moments.Window, ...]) -> bool:
    return any(begin <= start < end for begin, end in windows)


@given(now=nows, years=st.sampled_from([1, 4, 5, 10]), local=zones, away=seconds)
@example(now=datetime(2025, 2, 28, 10, tzinfo=UTC), years=1, local=ZoneInfo("UTC"), away=24 * 3600)
def test_a_start_is_through_where_its_years_are(
    now: datetime, years: int, local: ZoneInfo, away: int
) -> None:
    """E-02: the same for every start, to the microsecond."""
    windows = moments.through(now, years, local)
    assert len(windows) == moments.WINDOWS
    near = clock.add_years(now, -years, local) + timedelta(seconds=away)
    edges = [edge for window in windows for edge in window if edge != moments.FIRST]
    tick = timedelta(microseconds=1)
    for start in (near, *edges, *(e - tick for e in edges), *(e + tick for e in edges)):
        assert within(start, windows) is (clock.add_years(start, years, local) <= now), start


def test_who_left_on_a_leap_day_is_through_before_who_left_the_evening_before() -> None:
    """29 February 10:00 ends on 28 February 10:00; 28 February 18:00 ends at 18:00."""
    now = datetime(2025, 2, 28, 12, tzinfo=UTC)
    windows = moments.through(now, 1, UTC)
    assert within(datetime(2024, 2, 29, 10, tzinfo=UTC), windows)
    assert not within(datetime(2024, 2, 28, 18, tzinfo=UTC), windows)
    assert not within(datetime(2024, 2, 29, 13, tzinfo=UTC), windows)


def test_nothing_is_through_before_the_calendar_begins() -> None:
    now = datetime(5, 1, 1, tzinfo=UTC)
    assert moments.through(now, 10, UTC) == (moments.NEVER,) * moments.WINDOWS


@pytest.mark.parametrize("age", [18, 20])
@pytest.mark.parametrize("day", ["2024-02-28", "2024-02-29", "2025-02-28", "2025-03-01"])
def test_the_last_birth_date_of_age_is_exact(day: str, age: int) -> None:
    """2.4: born on 29 February, one is of age on the 28th where there is no 29th."""
    now = clock.midnight(date.fromisoformat(day), ZoneInfo("Asia/Bangkok"))
    local = ZoneInfo("Asia/Bangkok")
    last = moments.of_age(now, age, local)
    for days in range(-800, 800):
        born = last + timedelta(days=days)
        reached = clock.midnight(clock.birthday(born, age), local) <= now
        assert (born <= last) is reached, born


def test_before_the_age_itself_nobody_is_of_age() -> None:
    assert moments.of_age(datetime(15, 1, 1, tzinfo=UTC), 20, UTC) == date.min


@given(now=nows, local=zones, away=seconds)
def test_goods_are_long_received_where_their_days_are_over(
    now: datetime, local: ZoneInfo, away: int
) -> None:
    """2.4: 90 local calendar days."""
    edge = moments.received_before(now, 90, local)
    tick = timedelta(microseconds=1)
    for received in (edge, edge - tick, edge + timedelta(seconds=away)):
        assert (received < edge) is (clock.day_after(received, 90, local) <= now), received


def test_days_can_be_added_in_sql_where_the_clocks_never_change() -> None:
    assert moments.steady(ZoneInfo("Asia/Bangkok"))
    assert not moments.steady(ZoneInfo("Europe/Berlin"))
