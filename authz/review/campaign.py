"""A campaign as a whole: its steps, its guard, its undo window (N-46, N-47)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from authz.review.item import RefusedError
from authz.review.words import State, Step, Wrong

GUARD: Final = 10
"""One item in so many may be ended by one person's word; more need a second person."""

_WAYS: Final[Mapping[tuple[State, Step], State]] = {
    (State.DEFINED, Step.PREVIEW): State.PREVIEWED,
    (State.PREVIEWED, Step.PREVIEW): State.PREVIEWED,
    (State.PREVIEWED, Step.START): State.STARTED,
    (State.STARTED, Step.ANSWER): State.IN_REVIEW,
    (State.IN_REVIEW, Step.ANSWER): State.IN_REVIEW,
    (State.STARTED, Step.SUBMIT): State.SUBMITTED,
    (State.IN_REVIEW, Step.SUBMIT): State.SUBMITTED,
    (State.SUBMITTED, Step.CLOSE): State.CLOSED,
    (State.CLOSED, Step.APPLY): State.APPLIED,
    (State.APPLIED, Step.UNDO): State.APPLIED,
    (State.DEFINED, Step.CANCEL): State.CANCELLED,
    (State.PREVIEWED, Step.CANCEL): State.CANCELLED,
    (State.STARTED, Step.CANCEL): State.CANCELLED,
    (State.IN_REVIEW, Step.CANCEL): State.CANCELLED,
}
PLANNED: Final = frozenset({State.DEFINED, State.PREVIEWED})
RUNNING: Final = frozenset({State.STARTED, State.IN_REVIEW})
OVER: Final = frozenset({State.CLOSED, State.APPLIED, State.CANCELLED})


def after(state: State, step: Step) -> State:
    """Where a campaign stands after that step; RefusedError where it cannot be taken."""
    found = _WAYS.get((state, step))
    if found is None:
        raise RefusedError(Wrong.NOT_NOW)
    return found


def guarded(ending: int, items: int) -> bool:
    """Whether so much would end that a second person must confirm it: more than a tenth."""
    return ending * GUARD > items


def confirmed(involved: frozenset[str], by: str, *, guard: bool) -> None:
    """RefusedError unless the guard wants a second person and ``by`` is one.

    ``involved`` are those who gave one of the verdicts that would end something, or hold it;
    where silence would end it, also who closed the review.
    """
    if not guard:
        raise RefusedError(Wrong.NO_GUARD)
    if by in involved or not by:
        raise RefusedError(Wrong.SAME_PERSON)


def undo_until(applied_at: datetime, days: int) -> datetime:
    """Until when what was applied can be undone."""
    return applied_at + timedelta(days=days)


def may_undo(until: datetime | None, now: datetime) -> None:
    """RefusedError where the undo window is over."""
    if until is None or now >= until:
        raise RefusedError(Wrong.TOO_LATE)
