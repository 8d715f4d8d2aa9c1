"""What every mode offers to whoever enforces: questions in, answers out, nothing raised."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Protocol

from authz.middleware.answer import Answer
from authz.middleware.question import Question


class Point(Protocol):
    """A decision point, asked from any number of threads."""

    def decide(self, questions: Sequence[Question]) -> list[Answer]:
        """An answer for each question, in their order.

        A fault of the point is a refusal (:attr:`Answer.fault`), counted, and logged once until
        the point is well again. MalformedError where a question is no JSON.
        """

    def search(self, question: Question, *, limit: int | None = None) -> Iterator[str]:
        """The ids that would be permitted, with any person in the question's place.

        They come a page at a time. PointUnavailableError where the point fails on the way, so
        that a list is never cut unseen; ``limit`` is the most that one page may hold.
        """

    def close(self) -> None:
        """Let go of connections; nothing is asked afterwards."""


class AsyncPoint(Protocol):
    """The same for one event loop."""

    async def decide(self, questions: Sequence[Question]) -> list[Answer]:
        """As :meth:`Point.decide`."""

    def search(self, question: Question, *, limit: int | None = None) -> AsyncIterator[str]:
        """As :meth:`Point.search`."""

    async def close(self) -> None:
        """As :meth:`Point.close`."""
