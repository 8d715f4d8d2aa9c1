"""Who stands out: floor, own habit, peers' habit, and this hour's peers (N-48)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.privacy.habit import Habit, Measure, limit, middle, stands_out, usual

M = Measure(floor=100, factor=3, quantile=0.95, fewest=8)
HOURS = st.lists(st.integers(0, 10_000), max_size=100)


@pytest.mark.parametrize(
    ("habit", "most"),
    [
        (Habit(None, None, None), 300),
        (Habit(10, None, None), 100),
        (Habit(50, 20, None), 150),
        (Habit(50, 200, None), 600),
        (Habit(50, 60, 120), 360),
        (Habit(0, 0, 0), 100),
    ],
)
def test_the_limit_is_the_greatest_habit_or_the_floor(habit: Habit, most: int) -> None:
    assert limit(habit, M) == most
    assert not stands_out(most, habit, M)
    assert stands_out(most + 1, habit, M)


def test_a_busy_hour_is_the_busiest_but_one_in_twenty() -> None:
    assert usual([*range(1, 101)], M) == 95
    assert usual([30] * 19 + [9000], M) == 30
    assert usual([30] * 7, M) is None
    assert middle([1, 2, 3, 4, 5000, 5000, 5000, 2], M) == 4
    assert middle([1], M) is None


@given(HOURS, st.integers(0, 10_000))
def test_more_reading_never_makes_somebody_stand_out_less(hours: list[int], people: int) -> None:
    habit = Habit(usual(hours, M), None, None)
    assert stands_out(people, habit, M) <= stands_out(people + 1, habit, M)
    assert limit(habit, M) >= M.floor
    assert usual(sorted(hours), M) == usual(sorted(hours, reverse=True), M)
