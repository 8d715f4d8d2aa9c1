"""Answers kept for a short time, under the whole question and the point's revision.

A kept answer is given only while the revision heard last is the one that it was given at, and
never longer than it may be kept, whatever was heard since: a right may end by its date alone.
An exchange that began before the one heard last tells nothing new and leaves nothing here.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from threading import Lock

from authz.middleware.answer import Answer
from authz.middleware.options import Keeping


@dataclass
class Cache:
    """Safe for threads; the oldest go where there are too many."""

    keeping: Keeping
    _kept: OrderedDict[bytes, tuple[float, Answer]] = field(default_factory=OrderedDict)
    _revision: str = ""
    _heard: float = float("-inf")
    _guard: Lock = field(default_factory=Lock)

    @property
    def on(self) -> bool:
        """Whether anything is kept at all."""
        return self.keeping.seconds > 0

    def get(self, key: bytes, now: float) -> Answer | None:
        """The answer to this question, if it is kept and still good."""
        with self._guard:
            found = self._kept.get(key)
            if found is None:
                return None
            began, answer = found
            if now - began < self.keeping.seconds:
                return answer
            del self._kept[key]
            return None

    def hear(self, revision: str, began: float) -> bool:
        """Take in what an exchange that ``began`` then said; whether its answers may be kept.

        A point that says no revision may change at any time: nothing of it is kept.
        """
        with self._guard:
            if began < self._heard:
                return False
            self._heard = began
            if revision != self._revision:
                self._kept.clear()
                self._revision = revision
            return bool(revision)

    def put(self, key: bytes, answer: Answer, revision: str, began: float) -> None:
        """Keep an answer of an exchange that ``began`` then, if it may be kept."""
        if not keepable(answer):
            return
        with self._guard:
            if revision != self._revision or began < self._heard:
                return
            self._kept[key] = (began, answer)
            self._kept.move_to_end(key)
            if len(self._kept) > self.keeping.most:
                self._kept.popitem(last=False)


def keepable(answer: Answer) -> bool:
    """Whether giving it again does no harm: each permit with a duty owes the duty anew."""
    return not (answer.fault or answer.notify or answer.review)
