"""Threads that speak with the point, so that whoever asks waits no longer than they said.

While a lane is free a question goes out at once, alone. Once all are busy, what waits goes out
together with the next one: the busier an application, the fewer exchanges a question costs,
and nobody waits for company. The thread of a caller does no network of its own: it is back in
time even where the system's name resolution hangs.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Condition, Event, Thread
from typing import Final, cast

from authz.middleware.answer import Answer
from authz.middleware.question import Question

NAME: Final = "authz-point"


@dataclass
class Asker:
    """Who waits for how many answers; ``gone`` once it waits no more."""

    answers: list[Answer | None]
    left: int
    done: Event = field(default_factory=Event)
    gone: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A question, and the place that its answer has with its asker."""

    question: Question
    asker: Asker
    place: int


Errand = Callable[[], None]
"""Work that goes with nothing else, such as a page of a search."""
Work = Callable[[Sequence[Question]], list[Answer]]


class Lanes:
    """At most so many threads, begun as they are needed."""

    def __init__(self, lanes: int, most: int, together: Callable[[], int], work: Work) -> None:
        """``most`` may wait; ``together`` says how many go into one piece of ``work``."""
        self._lanes = lanes
        self._most = most
        self._together = together
        self._work = work
        self._queue: deque[Job | Errand] = deque()
        self._change = Condition()
        self._threads = self._idle = 0
        self._closed = False

    def ask(self, questions: Sequence[Question], seconds: float) -> list[Answer | None] | None:
        """The answers that came in time; None where too many wait, or the lanes are closed."""
        asker = Asker([None] * len(questions), len(questions))
        jobs = [Job(question, asker, place) for place, question in enumerate(questions)]
        if not self._put(jobs):
            return None
        asker.done.wait(seconds)
        with self._change:
            asker.gone = True
            return list(asker.answers)

    def run(self, errand: Errand) -> bool:
        """Have this done by a lane; False where too much waits."""
        return self._put([errand])

    def close(self) -> None:
        """Begin nothing more; what has begun ends by itself."""
        with self._change:
            self._closed = True
            for job in self._queue:
                if isinstance(job, Job):
                    job.asker.done.set()
            self._queue.clear()
            self._change.notify_all()

    def _put(self, jobs: Sequence[Job | Errand]) -> bool:
        with self._change:
            if self._closed or len(self._queue) + len(jobs) > self._most:
                return False
            self._queue.extend(jobs)
            self._see_to_it()
        return True

    def _lane(self) -> None:
        while (taken := self._take()) is not None:
            if not isinstance(taken, list):
                taken()
                continue
            answers = self._work([job.question for job in taken])
            with self._change:
                for job, answer in zip(taken, answers, strict=True):
                    _deliver(job, answer)

    def _take(self) -> list[Job] | Errand | None:
        """What to do next: an errand, or questions that go together; None at the end."""
        with self._change:
            while True:
                while not self._queue and not self._closed:
                    self._idle += 1
                    self._change.wait()
                    self._idle -= 1
                if self._closed:
                    self._threads -= 1
                    return None
                taken = self._taken()
                if self._queue:
                    self._see_to_it()
                if taken:
                    return taken

    def _taken(self) -> list[Job] | Errand:
        """Questions that somebody still waits for, or the errand that comes before them."""
        taken: list[Job] = []
        most = self._together()
        while self._queue and len(taken) < most:
            job = self._queue[0]
            if not isinstance(job, Job):
                return taken or cast("Errand", self._queue.popleft())
            self._queue.popleft()
            if not job.asker.gone:
                taken.append(job)
        return taken

    def _see_to_it(self) -> None:
        """See that a lane takes what is left, if there is one. The guard is held."""
        if self._idle:
            self._change.notify()
        elif self._threads < self._lanes:
            made = Thread(target=self._lane, name=NAME, daemon=True)
            try:
                made.start()
            except RuntimeError:  # no more threads now: who asks is late, and the next one tries
                return
            self._threads += 1


def _deliver(job: Job, answer: Answer) -> None:
    asker = job.asker
    asker.answers[job.place] = answer
    asker.left -= 1
    if not asker.left:
        asker.done.set()
