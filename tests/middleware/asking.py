"""Both clients behind one face, so that a test of one is a test of the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from threading import Thread
from typing import Any

from authz.middleware.answer import Answer
from authz.middleware.options import Endpoints, Keeping, Limits, Options, Patience
from authz.middleware.question import Question
from authz.middleware.remote import RemotePoint
from authz.middleware.remote_async import AsyncRemotePoint
from tests.middleware.loopback import IDENTIFIER, PATHS, Loopback
from tests.waiting import PATIENCE

LIMITS = Limits(lanes=2, failures=3, answer_bytes=100_000)
PATIENT = Options(patience=Patience(PATIENCE, PATIENCE, PATIENCE), limits=LIMITS)
"""For whoever is answered: a machine that stands still for seconds is no fault of the point."""
SOON = PATIENCE / 2
"""Seconds, half of what somebody patient waits: an answer within them was not waited for."""
QUESTION = Question("u-1", "read", "assessment_result", "p-1", context={"purpose": "service"})


def hasty(seconds: float) -> Options:
    """For whoever is not answered, and is not tired of asking."""
    limits = replace(LIMITS, failures=10**6)
    return Options(patience=Patience(seconds / 2, seconds / 2, seconds), limits=limits)


def keeping(seconds: float, **more: int) -> Options:
    return replace(PATIENT, keeping=Keeping(seconds, **more))


def endpoints(server: Loopback) -> Endpoints:
    evaluation, evaluations, search = (server.url + path for path in PATHS.values())
    return Endpoints(evaluation, evaluations, search)


class Waited:
    """An :class:`AsyncRemotePoint` asked from threads, in a loop of its own."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.point = self.run(self._made(arguments, named))

    async def _made(self, arguments: Any, named: Any) -> AsyncRemotePoint:
        return AsyncRemotePoint(*arguments, **named)

    def run(self, waiting: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(waiting, self.loop).result(2 * PATIENCE)

    def decide(self, questions: Sequence[Question]) -> list[Answer]:
        found: list[Answer] = self.run(self.point.decide(questions))
        return found

    def search(self, question: Question, *, limit: int | None = None) -> Iterator[str]:
        async def all_of_them() -> list[str]:
            return [each async for each in self.point.search(question, limit=limit)]

        return iter(self.run(all_of_them()))

    def counts(self) -> dict[str, int]:
        found: dict[str, int] = self.point.counts()
        return found

    def close(self) -> None:
        self.run(self.point.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(PATIENCE)
        self.loop.close()


AnyPoint = RemotePoint | Waited


def waiting(point: AnyPoint) -> int:
    """How many questions wait for a lane."""
    return len(point.point._waiting if isinstance(point, Waited) else point._lanes._queue)


Made = Callable[..., AnyPoint]


@dataclass
class Maker:
    """Makes points of one kind, and closes them."""

    kind: Made
    made: list[AnyPoint]

    def __call__(self, server: Loopback, options: Options = PATIENT, **more: Any) -> AnyPoint:
        more.setdefault("endpoints", endpoints(server))
        point = self.kind(IDENTIFIER, "t-1", options=options, **more)
        self.made.append(point)
        return point
