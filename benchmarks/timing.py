"""How calls are timed: by turns, in passes over the same questions.

A pass asks every question once; its mean is one sample. The contestants take turns, so that
what else the machine does strikes all alike, and the number shown is the median of the samples
with the tenth and ninetieth percentile beside it. What only computes is timed by the processor
time of its thread: on an idle machine that is the time on the wall, and on a busy one a long
pass is interrupted more often than a short one, which would bend the ratios. What waits for a
disk is timed by the wall. Only the ratios of one run mean something on another machine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter, thread_time
from typing import Any

ROUNDS = 8
LEAST = 3
"""Samples of a contestant at the least, however slow it is."""

Clock = Callable[[], float]
Pass = Callable[[], int]
"""Asks every question once, and says how many there were."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Microseconds of one call: the median of the samples, and how they spread."""

    p50: float
    low: float
    high: float
    samples: int

    def json(self) -> dict[str, Any]:
        """For the file of the results."""
        return asdict(self)

    def shown(self) -> str:
        """The median for a table."""
        return number(self.p50)

    def spread(self) -> str:
        """From the tenth to the ninetieth percentile."""
        return f"{number(self.low)} – {number(self.high)}"


def number(value: float) -> str:
    """Three figures, thousands set apart."""
    if value >= 100:  # noqa: PLR2004 (three figures)
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"  # noqa: PLR2004 (three figures)


def over(call: Callable[..., object], asked: Sequence[tuple[Any, ...]]) -> Pass:
    """A pass of this call over these arguments."""

    def run() -> int:
        for arguments in asked:
            call(*arguments)
        return len(asked)

    return run


def once(call: Callable[[], object]) -> Pass:
    """A pass of one call."""

    def run() -> int:
        call()
        return 1

    return run


def in_turn(
    works: Mapping[str, Pass], seconds: float, clock: Clock = thread_time
) -> dict[str, Timing]:
    """Each contestant's timing, with so many seconds for each, in rounds that take turns."""
    samples: dict[str, list[float]] = {name: [] for name in works}
    for work in works.values():
        work()  # what is made at the first call is not counted
    for turn in range(ROUNDS):
        for name, work in works.items():
            own, end = samples[name], perf_counter() + seconds / ROUNDS
            # One that takes longer than its turn is let off the later ones.
            if turn >= LEAST and len(own) <= turn and sum(own[-1:]) > seconds * 1e6:
                continue
            while True:
                begin = clock()
                asked = work()
                own.append((clock() - begin) / asked * 1e6)
                if perf_counter() >= end:
                    break
    return {name: timing(own) for name, own in samples.items()}


def timing(samples: Sequence[float]) -> Timing:
    """The median and the spread of these samples."""
    ranked = sorted(samples)
    last = len(ranked) - 1
    return Timing(median(ranked), ranked[round(last * 0.1)], ranked[round(last * 0.9)], len(ranked))
