"""When somebody reads more people's data in an hour than is their habit and their peers' (N-48).

The test is one that can be told to the person concerned. Somebody's hour stands out where
the number of distinct people in it is

- above a *floor*, under which nobody is looked at;
- more than ``factor`` times what they themselves reach in their busy hours; and
- more than ``factor`` times what their peers, who act in the same role, reach in theirs,
  or in this same hour: where all teachers open their new classes at once, none stands out.

A *busy hour* is a high quantile of the hours in which there was any reading. Where there are
too few hours to know a habit, that habit says nothing, and the others decide; with no habit
of either kind known, ``factor`` times the floor does.

This module is pure: it reads no clock, file, network or database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil


@dataclass(frozen=True, slots=True)
class Measure:
    """What counts as out of habit; each member is a setting."""

    floor: int = 100
    factor: float = 3.0
    quantile: float = 0.95
    fewest: int = 8
    """Hours below which a habit is not known."""


@dataclass(frozen=True, slots=True)
class Habit:
    """What was usual: the busy hours of the subject, of the peers, and of the peers just now.

    None where too few hours are known.
    """

    own: int | None
    peers: int | None
    now: int | None


def usual(hours: Sequence[int], measure: Measure) -> int | None:
    """The number of people in a busy hour, of the hours known; None where they are too few."""
    if len(hours) < measure.fewest:
        return None
    return sorted(hours)[min(ceil(len(hours) * measure.quantile), len(hours)) - 1]


def middle(hours: Sequence[int], measure: Measure) -> int | None:
    """The number of people in the middle one of the hours; None where they are too few.

    Of one and the same hour the middle is taken: a few who read everything do not move it.
    """
    return sorted(hours)[len(hours) // 2] if len(hours) >= measure.fewest else None


def limit(habit: Habit, measure: Measure) -> int:
    """How many distinct people in an hour are still nothing to ask about."""
    known = [each for each in (habit.own, habit.peers, habit.now) if each is not None]
    if not known:
        return ceil(measure.floor * measure.factor)
    return max(measure.floor, ceil(max(known) * measure.factor))


def stands_out(people: int, habit: Habit, measure: Measure) -> bool:
    """Whether this hour is one to ask about."""
    return people > limit(habit, measure)
