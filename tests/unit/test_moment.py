"""The moment of a decision notes what it is compared with, and can be nothing else."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authz.directory.moment import Moment

NOW = datetime(2026, 11, 15, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)
COMPARISONS = [operator.lt, operator.le, operator.gt, operator.ge]


@pytest.mark.parametrize("compare", COMPARISONS)
@pytest.mark.parametrize("other", [NOW - SECOND, NOW, NOW + SECOND])
@pytest.mark.parametrize("turned", [False, True])
def test_it_compares_as_any_moment_and_notes_the_other(
    compare: Callable[[Any, Any], bool], other: datetime, *, turned: bool
) -> None:
    asked = Moment.of(NOW)
    pair = (other, asked) if turned else (asked, other)
    assert compare(*pair) is compare(*((other, NOW) if turned else (NOW, other)))
    assert (asked.since, asked.until) == ((None, other) if other > NOW else (other, None))


def test_the_nearest_of_each_side_are_kept() -> None:
    asked = Moment.of(NOW)
    for far in (3, 1, 2):
        assert NOW - far * SECOND < asked < NOW + far * SECOND
    assert (asked.since, asked.until) == (NOW - SECOND, NOW + SECOND)


def test_what_was_compared_with_itself_stands_from_there_on() -> None:
    asked = Moment.of(NOW)
    assert asked >= NOW
    assert (asked.since, asked.until) == (NOW, None)


@pytest.mark.parametrize(
    "use",
    [
        lambda m: m == NOW,
        lambda m: m != NOW,
        lambda m: {m},
        lambda m: m + SECOND,
        lambda m: m - NOW,
        lambda m: NOW - m,
        lambda m: m.date(),
        lambda m: m.astimezone(UTC),
        lambda m: m.timestamp(),
        lambda m: m.replace(year=2030),
        lambda m: m.isoformat(),
    ],
)
def test_whoever_computes_with_it_is_refused(use: Callable[[Moment], object]) -> None:
    with pytest.raises(TypeError, match="compared, and nothing else"):
        use(Moment.of(NOW))
