"""The one use case of all frameworks: ask, and see that the answer is kept.

What can be known to be impossible is refused before the route runs, so that nothing is done and
then withheld: a duty without a handler, a limit that nobody said how to keep.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

from authz.errors import (
    ObligationError,
    PointUnavailableError,
    RefusedError,
    UnauthenticatedError,
)
from authz.middleware.answer import (
    CLASSES,
    NOTIFY,
    PSEUDONYMISE,
    REFUSED,
    REVIEW,
    UNKNOWN_OBLIGATION,
    Answer,
)
from authz.middleware.declare import Needs
from authz.middleware.identity import Identity
from authz.middleware.obligations.duties import Duties
from authz.middleware.obligations.pseudonyms import PseudonymKey
from authz.middleware.permitted import Permitted
from authz.middleware.point import AsyncPoint, Point
from authz.middleware.question import Question

Asked = tuple[Needs, Mapping[str, Any]]
"""What is needed, and the values of the request that it names."""
NO_DUTIES: Final = Duties()
DUTIES: Final = frozenset({NOTIFY, REVIEW})
"""All that a point can see to by itself: it never has the data that the other obligations limit."""


class _Enforcing:
    """What both guards do around the question that they put to their point."""

    def __init__(self, duties: Duties, pseudonyms: PseudonymKey | None) -> None:
        self._duties = duties
        self._pseudonyms = pseudonyms

    def enforce(self, needs: Needs, question: Question, answer: Answer) -> Permitted:
        """What is permitted, duties carried out; RefusedError where it is not."""
        if not answer.permit:
            raise refusal(answer)
        by_point = answer.by_point & DUTIES
        owed = answer.obliges - needs.carries - by_point
        self._possible(needs, owed)
        self._duties.carry_out(question, answer, owed)
        done = needs.carries | by_point | DUTIES
        return Permitted(needs, question, answer, done=done, pseudonyms=self._pseudonyms)

    def _possible(self, needs: Needs, owed: frozenset[str]) -> None:
        if CLASSES in owed and not needs.shape.class_of:
            raise ObligationError("The route does not say which class its records are of.")
        if PSEUDONYMISE in owed and (self._pseudonyms is None or needs.shape.identifiers is None):
            raise ObligationError("The route does not say how people are made pseudonymous.")


class Guard:
    """Asks a point for each use, from any number of threads."""

    def __init__(
        self,
        point: Point,
        *,
        duties: Duties = NO_DUTIES,
        pseudonyms: PseudonymKey | None = None,
    ) -> None:
        self.point = point
        self._enforcing = _Enforcing(duties, pseudonyms)

    def ask(self, needs: Needs, values: Mapping[str, Any], who: Identity | None) -> Permitted:
        """What is permitted to whoever is signed in.

        UnauthenticatedError where nobody is (401), MalformedError where a value is missing
        (400), RefusedError where the point refuses or an obligation cannot be carried out (403),
        PointUnavailableError where the point failed (503).
        """
        return self.put(needs, needs.question(values, _known(who)))

    def put(self, needs: Needs, question: Question) -> Permitted:
        """The same for a question that is made already."""
        (answer,) = self.point.decide([question])
        return self._enforcing.enforce(needs, question, answer)

    def ask_all(
        self, asked: Sequence[Asked], who: Identity | None
    ) -> list[Permitted | RefusedError]:
        """The same for many uses in one call; what is refused is an error in its place."""
        questions = _questions(asked, who)
        return _each(self._enforcing, asked, questions, self.point.decide(questions))


class AsyncGuard:
    """The same for one event loop; handlers of duties are called in a thread."""

    def __init__(
        self,
        point: AsyncPoint,
        *,
        duties: Duties = NO_DUTIES,
        pseudonyms: PseudonymKey | None = None,
    ) -> None:
        self.point = point
        self._enforcing = _Enforcing(duties, pseudonyms)

    async def ask(self, needs: Needs, values: Mapping[str, Any], who: Identity | None) -> Permitted:
        """As :meth:`Guard.ask`."""
        question = needs.question(values, _known(who))
        (answer,) = await self.point.decide([question])
        if not owes(answer):
            return self._enforcing.enforce(needs, question, answer)
        return await asyncio.to_thread(self._enforcing.enforce, needs, question, answer)

    async def ask_all(
        self, asked: Sequence[Asked], who: Identity | None
    ) -> list[Permitted | RefusedError]:
        """As :meth:`Guard.ask_all`."""
        questions = _questions(asked, who)
        answers = await self.point.decide(questions)
        if not any(owes(answer) for answer in answers):
            return _each(self._enforcing, asked, questions, answers)
        return await asyncio.to_thread(_each, self._enforcing, asked, questions, answers)


def owes(answer: Answer) -> bool:
    """Whether a handler has to see to a notice or a review, which may take its time."""
    return bool((answer.obliges - answer.by_point) & DUTIES)


def refusal(answer: Answer) -> RefusedError:
    """The error that a refusal is."""
    if answer.fault:
        return PointUnavailableError("The decision point gives no answer.", reason=answer.reason)
    if answer.reason == UNKNOWN_OBLIGATION:
        return ObligationError("The point obliges to what is not known here.")
    return RefusedError(
        answer.text or "This use is not permitted.",
        reason=answer.reason or REFUSED,
        text=answer.text,
        decision_id=answer.decision_id,
    )


def _known(who: Identity | None) -> Identity:
    if who is None or not who.id:
        raise UnauthenticatedError("Nobody is signed in.")
    return who


def _questions(asked: Sequence[Asked], who: Identity | None) -> list[Question]:
    known = _known(who)
    return [needs.question(values, known) for needs, values in asked]


def _each(
    enforcing: _Enforcing,
    asked: Sequence[Asked],
    questions: Sequence[Question],
    answers: Sequence[Answer],
) -> list[Permitted | RefusedError]:
    found: list[Permitted | RefusedError] = []
    for (needs, _), question, answer in zip(asked, questions, answers, strict=True):
        try:
            found.append(enforcing.enforce(needs, question, answer))
        except RefusedError as error:
            found.append(error)
    return found
