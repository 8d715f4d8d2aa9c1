"""What a client and a point say to each other, step by step, without anybody waiting.

Each conversation yields what is to be sent and is given what came back, so that threads and
event loops have the same one: discovery, a second try where that is safe, halves of a batch
that was not accepted, the breaker, the cache, and what the log hears.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from typing import Final, TypeVar

from authz import clock
from authz.errors import PointUnavailableError
from authz.middleware import wire
from authz.middleware.answer import TIMEOUT, UNAVAILABLE, Answer
from authz.middleware.breaker import Breaker
from authz.middleware.cache import Cache
from authz.middleware.health import Health, log
from authz.middleware.options import Endpoints, Options, Remote
from authz.middleware.question import Question
from authz.middleware.wire import Call, Fault, Page, Reply, Told

Result = TypeVar("Result")
Talk = Generator[Call, Reply | Fault, Result]
MALFORMED: Final = "malformed"
LEARNT_FOR: Final = 3600.0
"""Seconds until the metadata is read again; it also is when the point has failed."""


class Conversations:
    """All that is known of one point between two conversations; safe for threads."""

    def __init__(self, remote: Remote, options: Options) -> None:
        self.remote = remote
        self.limits = options.limits
        self.language = options.language
        self.health = Health(remote.identifier)
        self.cache = Cache(options.keeping)
        self._breaker = Breaker(options.limits)
        self._learnt = remote.endpoints
        self._until = float("inf") if remote.endpoints else float("-inf")
        if remote.exposed:
            log.warning("%s is asked beyond this machine without TLS", remote.exposed)

    @property
    def together(self) -> int:
        """How many questions go into one exchange, as far as is known."""
        known = self._learnt
        return 1 if known is not None and not known.evaluations else self.limits.batch

    def kept(self, question: Question) -> Answer | None:
        """A kept answer; MalformedError where the question is no JSON."""
        key = question.key()
        return self.cache.get(key, clock.monotonic()) if self.cache.on else None

    def given(self, answers: Sequence[Answer | None]) -> list[Answer]:
        """What whoever asked is given, faults counted; who has no answer comes too late."""
        told = [Answer.refused(TIMEOUT) if answer is None else answer for answer in answers]
        faults = Counter(answer.reason for answer in told if answer.fault)
        if faults:
            self.health.refused(faults)
        return told

    def ask(self, questions: Sequence[Question]) -> Talk[list[Answer]]:
        """An answer for each; a refusal where there is none."""
        if not self._breaker.passes(clock.monotonic()):
            return refused(UNAVAILABLE, len(questions))
        try:
            places = yield from self._places()
            if isinstance(places, Fault):
                return self._failed(places, len(questions))
            if places.independent or len(questions) == 1:
                return (yield from self._several(places, questions))
            return (yield from self._apart(places, questions))
        finally:
            self._breaker.undecided()

    def page(self, question: Question, token: str, limit: int | None) -> Talk[Page]:
        """One page of a search; PointUnavailableError where there is none."""
        if not self._breaker.passes(clock.monotonic()):
            raise unavailable(UNAVAILABLE)
        try:
            found: Endpoints | Page | Fault = yield from self._places()
            if isinstance(found, Endpoints):
                found = yield from self._page(found, question, token, limit)
            if isinstance(found, Fault):
                self._failed(found, 0)
                raise unavailable(found.reason)
        finally:
            self._breaker.undecided()
        return found

    def broke(self, error: Exception) -> None:
        """A mistake of ours on the way: it is told as a fault of the point would be."""
        self._failed(Fault(UNAVAILABLE, f"{type(error).__name__} in the client"), 0)

    def _apart(self, places: Endpoints, questions: Sequence[Question]) -> Talk[list[Answer]]:
        """In as many exchanges as the point needs to tell the questions apart."""
        found = refused(UNAVAILABLE, len(questions))
        for group in wire.apart(questions):
            told = yield from self._several(places, [questions[place] for place in group])
            for place, answer in zip(group, told, strict=True):
                found[place] = answer
            if told[-1].fault:
                break
        return found

    def _several(self, places: Endpoints, questions: Sequence[Question]) -> Talk[list[Answer]]:
        """In one exchange; each alone where the point knows no batches."""
        one = len(questions) == 1
        if not one and not places.evaluations:
            return (yield from self._halves(places, questions))
        body = wire.single(questions[0]) if one else wire.batch(questions)
        url = places.evaluation if one else places.evaluations
        began = clock.monotonic()
        reply = yield from _sent(Call(url, body, self.language))
        told = (
            reply
            if isinstance(reply, Fault)
            else wire.answers(reply, len(questions), places.by_point, one=one)
        )
        if isinstance(told, Told):
            self._well()
            self._keep(questions, told, began)
            return told.answers
        if not told.ours:
            return self._failed(told, len(questions))
        self._well()
        if not one:  # one of them may be at fault, and must not refuse the others
            return (yield from self._halves(places, questions))
        self.health.odd(told.detail, clock.monotonic())
        return [Answer.refused(MALFORMED)]

    def _halves(self, places: Endpoints, questions: Sequence[Question]) -> Talk[list[Answer]]:
        middle = len(questions) // 2
        first = yield from self._several(places, questions[:middle])
        if first and first[-1].fault:  # it would only fail again
            rest = len(questions) - middle
            return first + refused(first[-1].reason, rest)
        return first + (yield from self._several(places, questions[middle:]))

    def _page(
        self, places: Endpoints, question: Question, token: str, limit: int | None
    ) -> Talk[Page | Fault]:
        if not places.search_resource:
            return Fault(UNAVAILABLE, "the point offers no search", ours=True)
        body = wire.search(question, token, limit)
        reply = yield from _sent(Call(places.search_resource, body, self.language))
        if isinstance(reply, Fault):
            return reply
        found = wire.page(reply, question.category)
        if isinstance(found, Page):
            self._well()
        return found

    def _places(self) -> Talk[Endpoints | Fault]:
        """Where the point is asked, by its metadata (AuthZEN 9)."""
        if self._learnt is not None and clock.monotonic() < self._until:
            return self._learnt
        reply = yield from _sent(Call(self.remote.metadata))
        found = reply if isinstance(reply, Fault) else wire.endpoints(reply, self.remote)
        if isinstance(found, Endpoints):
            self._learnt, self._until = found, clock.monotonic() + LEARNT_FOR
        return found

    def _keep(self, questions: Sequence[Question], told: Told, began: float) -> None:
        if self.cache.on and self.cache.hear(told.revision, began):
            for question, answer in zip(questions, told.answers, strict=True):
                self.cache.put(question.key(), answer, told.revision, began)

    def _well(self) -> None:
        self._breaker.went_well()
        self.health.went_well()

    def _failed(self, fault: Fault, count: int) -> list[Answer]:
        now = clock.monotonic()
        if fault.ours:
            self.health.odd(fault.detail, now)
        else:
            self._breaker.failed(now)
            self.health.failed(fault.reason, fault.detail, now)
            if not self._breaker.closed and not self.remote.endpoints:
                self._until = float("-inf")  # it may come back elsewhere
        return refused(fault.reason, count)


def refused(reason: str, count: int) -> list[Answer]:
    """So many refusals for a fault."""
    return [Answer.refused(reason)] * count


def unavailable(reason: str) -> PointUnavailableError:
    """What is raised where a list would else be cut."""
    return PointUnavailableError("The decision point gives no list.", reason=reason)


def _sent(call: Call) -> Talk[Reply | Fault]:
    """What came back; tried once more where nothing can have come of the first time."""
    reply = yield call
    if isinstance(reply, Fault) and reply.again:
        reply = yield call
    return reply
