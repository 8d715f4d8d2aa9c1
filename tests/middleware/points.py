"""A decision point for tests: one parent, one child, and a count of how often it was asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence

from authz.middleware.answer import UNAVAILABLE, Answer
from authz.middleware.question import Question
from tests.middleware.site import ALLOWED, KID, MUM


class CountingPoint:
    """Permits the parent to read assessments and scores of the child, and nothing else."""

    def __init__(self, limits: frozenset[str] | None = frozenset(ALLOWED)) -> None:
        self.limits = limits
        self.parent, self.children = MUM, {KID}
        self.asked: list[list[Question]] = []
        self.down = False

    def decide(self, questions: Sequence[Question]) -> list[Answer]:
        self.asked.append(list(questions))
        return [self._one(question) for question in questions]

    def search(self, question: Question, *, limit: int | None = None) -> Iterator[str]:
        raise NotImplementedError

    def close(self) -> None:
        """Nothing is held."""

    def _one(self, question: Question) -> Answer:
        if self.down:
            return Answer.refused(UNAVAILABLE)
        asked = (question.subject, question.action, question.category)
        purpose = question.context.get("purpose")
        if (
            asked != (self.parent, "read", "assessment_result")
            or question.person not in self.children
        ):
            return Answer.refused("refused")
        if purpose not in (None, "service"):
            return Answer.refused("refused")
        return Answer(permit=True, fields=self.limits, purpose="service")


class AsyncCountingPoint:
    """The same for an event loop."""

    def __init__(self, limits: frozenset[str] | None = frozenset(ALLOWED)) -> None:
        self.inner = CountingPoint(limits)

    async def decide(self, questions: Sequence[Question]) -> list[Answer]:
        return self.inner.decide(questions)

    def search(self, question: Question, *, limit: int | None = None) -> AsyncIterator[str]:
        raise NotImplementedError

    async def close(self) -> None:
        """Nothing is held."""
