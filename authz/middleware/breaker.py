"""A circuit breaker: a point that fails is left alone for a while, and then tried once.

Closed, everything passes. After so many failures in a row it is open: nothing passes until the
rest is over. Then one exchange is let through to see; if it goes well the breaker is closed,
else it rests twice as long. The time is given by whoever asks.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from authz.middleware.options import Limits


@dataclass
class Breaker:
    """Safe for threads; one for each point."""

    limits: Limits
    _failed: int = 0
    _rest: float = 0.0
    _until: float = 0.0
    _trying: bool = False
    _guard: Lock = field(default_factory=Lock)

    def passes(self, now: float) -> bool:
        """Whether an exchange may begin; whoever begins one says how it went."""
        with self._guard:
            if self._failed < self.limits.failures:
                return True
            if now < self._until or self._trying:
                return False
            self._trying = True
            return True

    @property
    def closed(self) -> bool:
        """Whether exchanges pass."""
        return self._failed < self.limits.failures

    def went_well(self) -> None:
        """The point answered as it should."""
        if self._failed or self._trying:
            with self._guard:
                self._failed, self._rest, self._trying = 0, 0.0, False

    def failed(self, now: float) -> None:
        """The point did not."""
        with self._guard:
            self._trying = False
            self._failed += 1
            if self._failed >= self.limits.failures:
                longer = max(2 * self._rest, self.limits.rest)
                self._rest = min(longer, self.limits.longest_rest)
                self._until = now + self._rest

    def undecided(self) -> None:
        """The exchange ended without a word about the point."""
        with self._guard:
            self._trying = False
