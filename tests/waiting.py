"""Waiting in tests: for what is to come, never for a time. A busy machine is no failure."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 180.0
"""Seconds, far more than anything takes: who waits this long waits for what never comes."""

Found = TypeVar("Found")


def until(
    condition: Callable[[], Found], *, seconds: float = PATIENCE, every: float = 0.02
) -> Found:
    """What ``condition`` returned when it first was true.

    Whoever goes on with what was seen takes it from here: a second look may see something else.
    """
    last = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < last, f"not within {seconds:g} seconds"
        time.sleep(every)
    return found
