"""How the point is: faults counted by their reason, and told to the log once.

A point that is away refuses every request; a line for each would bury all else. The first fault
is a line, so is the recovery, and neither comes more often than every few seconds.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

APART: Final = 10.0
"""Seconds between two lines at least."""
log: Final = logging.getLogger("authz.middleware")


@dataclass
class Health:
    """Counts for one point; safe for threads."""

    name: str
    _refused: Counter[str] = field(default_factory=Counter)
    _exchanges: int = 0
    _told: bool = False
    _said: float = float("-inf")
    _odd: float = float("-inf")
    _since: int = 0
    _guard: Lock = field(default_factory=Lock)

    def refused(self, faults: Mapping[str, int]) -> None:
        """So many questions were refused, by the fault."""
        with self._guard:
            self._refused.update(faults)
            self._since += sum(faults.values())

    def failed(self, reason: str, detail: str, now: float) -> None:
        """An exchange failed; the log hears of it if it has not yet."""
        with self._guard:
            self._exchanges += 1
            if self._told or now - self._said < APART:
                return
            self._told, self._said = True, now
        log.error("%s: %s (%s); everything is refused until it answers", self.name, reason, detail)

    def odd(self, detail: str, now: float) -> None:
        """The point does not accept what this application asks, and is well itself."""
        with self._guard:
            if now - self._odd < APART:
                return
            self._odd = now
        log.warning("%s: %s", self.name, detail)

    def went_well(self) -> None:
        """An exchange went well."""
        with self._guard:
            self._exchanges += 1
            if not self._told:
                return
            self._told, refused, self._since = False, self._since, 0
        log.warning("%s: answers again; %d questions were refused", self.name, refused)

    def counts(self) -> dict[str, int]:
        """How many exchanges there were, and how many questions each fault refused."""
        with self._guard:
            return {"exchanges": self._exchanges, **self._refused}
