"""A decision point over HTTP, for applications that answer with threads."""

from __future__ import annotations

import os
import ssl
from collections.abc import Collection, Iterator, Sequence
from threading import Event
from typing import TypeVar
from weakref import WeakSet

from authz import clock
from authz.errors import PointUnavailableError
from authz.middleware.answer import TIMEOUT, UNAVAILABLE, Answer
from authz.middleware.conversation import Conversations, Talk, refused, unavailable
from authz.middleware.lanes import Lanes
from authz.middleware.options import DEFAULT, Endpoints, Options, Remote, Token
from authz.middleware.question import Question
from authz.middleware.transport import Transport
from authz.middleware.wire import Page

Result = TypeVar("Result")


class RemotePoint:
    """Any AuthZEN 1.0 point, by its identifier. Safe for threads, and after a fork.

    Nothing is sent before the first question. Every fault is a refusal within
    ``patience.total`` seconds; :meth:`counts` tells how many there were.
    """

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
        self._remote = Remote(identifier, reached_at, endpoints, origins)
        self._options = options
        self._token = token
        self._tls = tls
        self._begin()
        _points.add(self)

    def decide(self, questions: Sequence[Question]) -> list[Answer]:
        """An answer for each (:meth:`authz.middleware.point.Point.decide`)."""
        found = [self._talks.kept(question) for question in questions]
        left = [place for place, answer in enumerate(found) if answer is None]
        if left:
            asked = [questions[place] for place in left]
            for place, answer in zip(left, self._asked(asked), strict=True):
                found[place] = answer
        return self._talks.given(found)

    def search(self, question: Question, *, limit: int | None = None) -> Iterator[str]:
        """The ids, page by page (:meth:`authz.middleware.point.Point.search`)."""
        token, seen = "", {""}
        while True:
            page = self._page(question, token, limit)
            yield from page.ids
            if not page.next_token:
                return
            if page.next_token in seen:
                raise unavailable("point_rubbish")
            token = page.next_token
            seen.add(token)

    def counts(self) -> dict[str, int]:
        """Exchanges with the point, and questions refused by each kind of fault."""
        return self._talks.health.counts()

    def close(self) -> None:
        """Let go of threads and connections; whatever is asked afterwards is refused."""
        self._lanes.close()
        self._transport.close()

    def _begin(self) -> None:
        """Everything that a forked child must not share with its parent."""
        limits = self._options.limits
        self._talks = Conversations(self._remote, self._options)
        self._transport = Transport(self._options, self._token, self._tls)
        self._lanes = Lanes(
            limits.lanes, limits.waiting, lambda: self._talks.together, self._answers
        )

    def _asked(self, questions: Sequence[Question]) -> Sequence[Answer | None]:
        told = self._lanes.ask(questions, self._options.patience.total)
        return refused(UNAVAILABLE, len(questions)) if told is None else told

    def _answers(self, questions: Sequence[Question]) -> list[Answer]:
        """In a lane: one conversation about them all."""
        try:
            return self._held(self._talks.ask(questions))
        except Exception as error:  # noqa: BLE001 (no answer is a refusal, whatever it was)
            self._talks.broke(error)
            return refused(UNAVAILABLE, len(questions))

    def _page(self, question: Question, token: str, limit: int | None) -> Page:
        found: list[Page | PointUnavailableError] = []
        done = Event()

        def errand() -> None:
            try:
                found.append(self._held(self._talks.page(question, token, limit)))
            except PointUnavailableError as error:
                found.append(error)
            except Exception as error:  # noqa: BLE001 (as above)
                self._talks.broke(error)
                found.append(unavailable(UNAVAILABLE))
            finally:
                done.set()

        if not self._lanes.run(errand):
            raise unavailable(UNAVAILABLE)
        if not done.wait(self._options.patience.total):
            raise unavailable(TIMEOUT)
        if isinstance(found[0], PointUnavailableError):
            raise found[0]
        return found[0]

    def _held(self, talk: Talk[Result]) -> Result:
        """Hold the conversation to its end."""
        until = clock.monotonic() + self._options.patience.total
        try:
            call = next(talk)
            while True:
                call = talk.send(self._transport.exchange(call, until))
        except StopIteration as end:
            result: Result = end.value
            return result


_points: WeakSet[RemotePoint] = WeakSet()


def _forked() -> None:
    """Threads do not live on in a forked child, and its connections are the parent's."""
    for each in list(_points):
        each._begin()  # noqa: SLF001 (its own module)


os.register_at_fork(after_in_child=_forked)
