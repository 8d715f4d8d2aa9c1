"""A decision point over HTTP, for applications with an event loop (asyncio)."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import AsyncIterator, Collection, Sequence
from typing import TypeVar, cast

from authz import clock
from authz.middleware.answer import UNAVAILABLE, Answer
from authz.middleware.conversation import Conversations, Talk, refused, unavailable
from authz.middleware.options import DEFAULT, Endpoints, Options, Remote, Token
from authz.middleware.question import Question
from authz.middleware.transport_async import AsyncTransport

Result = TypeVar("Result")
Job = tuple[Question, asyncio.Future[Answer]]


class AsyncRemotePoint:
    """As :class:`authz.middleware.remote.RemotePoint`, for one event loop at a time."""

    def __init__(
        self,
        identifier: str,
        token: Token = "",
        *,
        reached_at: str = "",
        endpoints: Endpoints | None = None,
        origins: Collection[str] = (),
        tls: ssl.SSLContext | None = None,
        options: Options = DEFAULT,
    ) -> None:
        """SettingError where an address is not one (:class:`Remote`)."""
        self._options = options
        remote = Remote(identifier, reached_at, endpoints, origins)
        self._talks = Conversations(remote, options)
        self._token = token
        self._tls = tls
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False
        self._begin()

    async def decide(self, questions: Sequence[Question]) -> list[Answer]:
        """An answer for each (:meth:`authz.middleware.point.Point.decide`)."""
        self._here()
        found = [self._talks.kept(question) for question in questions]
        left = [place for place, answer in enumerate(found) if answer is None]
        if left:
            asked = [questions[place] for place in left]
            for place, answer in zip(left, await self._asked(asked), strict=True):
                found[place] = answer
        return self._talks.given(found)

    async def search(self, question: Question, *, limit: int | None = None) -> AsyncIterator[str]:
        """The ids, page by page (:meth:`authz.middleware.point.Point.search`)."""
        self._here()
        token, seen = "", {""}
        while True:
            page = await self._held(self._talks.page(question, token, limit))
            for each in page.ids:
                yield each
            if not page.next_token:
                return
            if page.next_token in seen:
                raise unavailable("point_rubbish")
            token = page.next_token
            seen.add(token)

    def counts(self) -> dict[str, int]:
        """Exchanges with the point, and questions refused by each kind of fault."""
        return self._talks.health.counts()

    async def close(self) -> None:
        """Let go of connections; whatever is asked afterwards is refused."""
        self._closed = True
        for _, future in self._waiting:
            future.cancel()
        for task in list(self._tasks):
            task.cancel()
        await self._transport.close()

    def _begin(self) -> None:
        self._transport = AsyncTransport(self._options, self._token, self._tls)
        self._waiting: deque[Job] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    def _here(self) -> None:
        """Begin anew in another loop: connections and tasks are of the one that made them."""
        loop = asyncio.get_running_loop()
        if loop is not self._loop:
            if self._loop is not None:
                self._begin()
            self._loop = loop

    async def _asked(self, questions: Sequence[Question]) -> Sequence[Answer | None]:
        if self._closed or len(self._waiting) + len(questions) > self._options.limits.waiting:
            return refused(UNAVAILABLE, len(questions))
        loop = asyncio.get_running_loop()
        jobs: list[Job] = [(question, loop.create_future()) for question in questions]
        self._waiting.extend(jobs)
        wanted = -(-len(self._waiting) // self._talks.together)
        for _ in range(min(wanted, self._options.limits.lanes - len(self._tasks))):
            task = loop.create_task(self._lane())
            self._tasks.add(task)
        told = [future for _, future in jobs]
        try:
            await asyncio.wait(told, timeout=self._options.patience.total)
        finally:
            for future in told:
                future.cancel()  # nothing to one that is done
        return [None if future.cancelled() else future.result() for future in told]

    async def _lane(self) -> None:
        """Speak with the point until nothing waits.

        It is no lane any more in the very moment in which it sees that nothing does: a callback
        of the task comes later, and whoever asks in between would wait for nobody.
        """
        tasks = self._tasks
        try:
            await self._spoken()
        finally:
            tasks.discard(cast("asyncio.Task[None]", asyncio.current_task()))

    async def _spoken(self) -> None:
        while self._waiting:
            taken: list[Job] = []
            most = self._talks.together
            while self._waiting and len(taken) < most:
                job = self._waiting.popleft()
                if not job[1].done():
                    taken.append(job)
            if not taken:
                return
            answers = await self._answers([question for question, _ in taken])
            for (_, future), answer in zip(taken, answers, strict=True):
                if not future.done():
                    future.set_result(answer)

    async def _answers(self, questions: Sequence[Question]) -> list[Answer]:
        try:
            return await self._held(self._talks.ask(questions))
        except Exception as error:  # noqa: BLE001 (no answer is a refusal, whatever it was)
            self._talks.broke(error)
            return refused(UNAVAILABLE, len(questions))

    async def _held(self, talk: Talk[Result]) -> Result:
        """Hold the conversation to its end."""
        until = clock.monotonic() + self._options.patience.total
        try:
            call = next(talk)
            while True:
                call = talk.send(await self._transport.exchange(call, until))
        except StopIteration as end:
            result: Result = end.value
            return result
        finally:
            talk.close()
