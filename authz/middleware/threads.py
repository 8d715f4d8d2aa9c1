"""Any point for an event loop: what it does runs in threads, as an embedded point's must."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from itertools import islice
from typing import Final

from authz.middleware.answer import Answer
from authz.middleware.point import Point
from authz.middleware.question import Question

SOME: Final = 500
"""Ids that are handed over at a time."""


class InThreads:
    """An :class:`authz.middleware.point.AsyncPoint` over a point that waits."""

    def __init__(self, point: Point) -> None:
        self.point = point

    async def decide(self, questions: Sequence[Question]) -> list[Answer]:
        """As :meth:`Point.decide`."""
        return await asyncio.to_thread(self.point.decide, questions)

    async def search(self, question: Question, *, limit: int | None = None) -> AsyncIterator[str]:
        """As :meth:`Point.search`."""
        found = self.point.search(question, limit=limit)
        while ids := await asyncio.to_thread(_some, found):
            for each in ids:
                yield each

    async def close(self) -> None:
        """As :meth:`Point.close`."""
        await asyncio.to_thread(self.point.close)


def _some(found: Iterator[str]) -> list[str]:
    return list(islice(found, SOME))
