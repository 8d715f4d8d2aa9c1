"""A clock that stands until a test moves it."""

from __future__ import annotations


class Time:
    """In the place of :func:`authz.clock.monotonic`."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now
