"""Notices and reviews that an application sees to, where the point does not do so itself.

Our own point sends the notices and opens the reviews of its permits (page 5), and says so; of
any other point they are owed by whoever got the permit.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from authz.errors import ObligationError
from authz.middleware.answer import NOTIFY, REVIEW, Answer
from authz.middleware.question import Question

_log = logging.getLogger("authz.middleware")


@dataclass(frozen=True, slots=True)
class Duty:
    """What is owed after a permit; ``recipients`` are those to be told, of a review nobody."""

    question: Question
    answer: Answer
    recipients: tuple[str, ...] = ()


Handler = Callable[[Duty], None]
"""Carries a duty out before it returns, or raises. It may be called again for the same duty."""


@dataclass(frozen=True, slots=True)
class Duties:
    """How this application sends a notice and opens a review; None where it does not."""

    notify: Handler | None = None
    review: Handler | None = None

    def carry_out(self, question: Question, answer: Answer, owed: frozenset[str]) -> None:
        """See to those of the owed that are duties; ObligationError where one cannot be."""
        for name, handler in ((NOTIFY, self.notify), (REVIEW, self.review)):
            if name not in owed:
                continue
            if handler is None:
                raise ObligationError(f"Nobody here sees to {name!r}.")
            try:
                handler(Duty(question, answer, answer.notify if name == NOTIFY else ()))
            except Exception as error:
                _log.exception("the obligation %s was not carried out", name)
                raise ObligationError(f"{name!r} was not carried out.") from error
