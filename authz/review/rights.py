"""The life of a right that somebody asks for: asked, approved by others, or not (N-43, N-44).

Nobody answers their own request, nobody answers twice, and one refusal ends it. This module
is pure: it reads no clock, file, network or database.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from authz.errors import ConflictError, MalformedError
from authz.vocabulary import Role

LONGEST_ELEVATION: Final = 24
"""Hours (page 5)."""
LONGEST_ROLE: Final = timedelta(days=366)
REVIEW_WITHIN: Final = timedelta(hours=72)
"""An emergency that nobody approved is reviewed within this time of its begin (page 5)."""
LONGEST_TEXT: Final = 4000
OVERSEEN: Final = (Role.DPO, Role.PLATFORM_ADMIN)
"""Roles of the whole service: a school's administrator, who answers for one school, gives
neither, not even at that school."""


class Kind(StrEnum):
    """What is asked for."""

    ROLE = "role"
    ELEVATION = "elevation"


class State(StrEnum):
    """Where a request stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


@dataclass(frozen=True, slots=True)
class Vote:
    """What one approver said."""

    person: str
    approves: bool


@dataclass(frozen=True, slots=True)
class Asked:
    """A request. ``hours`` is how long an elevation lasts, ``until`` the end of a role."""

    id: str
    kind: Kind
    person: str
    role: str
    organisation: str | None
    reason: str
    asked_at: datetime
    needed: int
    hours: int | None = None
    until: datetime | None = None
    begun: datetime | None = None
    state: State = State.WAITING
    votes: tuple[Vote, ...] = ()

    def ends(self, approved_at: datetime) -> datetime:
        """When the right would end, were it approved at that moment."""
        if self.kind is Kind.ELEVATION:
            return (self.begun or approved_at) + timedelta(hours=self.hours or 0)
        if self.until is None:
            raise MalformedError("A right needs an end.", where="until")
        return self.until

    def lapsed(self, now: datetime) -> bool:
        """Whether it waited past the end that it asked for: nothing can come of it."""
        return self.state is State.WAITING and self.ends(now) <= now


def ask(asked: Asked) -> Asked:
    """The request, if it is one; MalformedError names what does not fit."""
    said(asked.reason, "reason")
    if asked.needed < 1:
        raise MalformedError("Somebody must approve it.", where="needed")
    if asked.kind is Kind.ELEVATION:
        _elevation(asked)
    elif not asked.asked_at < asked.ends(asked.asked_at) <= asked.asked_at + LONGEST_ROLE:
        raise MalformedError(
            "The end must lie ahead, and within a year.",
            where="until",
            hint="A right that lasts longer is asked for again.",
        )
    return asked


def _elevation(asked: Asked) -> None:
    if not asked.organisation:
        raise MalformedError("An elevation is at a school.", where="organisation")
    if not 1 <= (asked.hours or 0) <= LONGEST_ELEVATION:
        raise MalformedError("An elevation lasts from 1 to 24 hours.", where="hours")


def answer(asked: Asked, vote: Vote, now: datetime) -> Asked:
    """The request after that answer; ConflictError where this one may not give it."""
    if vote.person == asked.person:
        raise ConflictError("Nobody approves what they asked for themselves.", where=asked.id)
    if any(each.person == vote.person for each in asked.votes):
        raise ConflictError("You have answered this request.", where=asked.id)
    _waits(asked)
    if asked.lapsed(now):
        raise ConflictError("The end that was asked for is past.", where=asked.id)
    votes = (*asked.votes, vote)
    approvals = sum(each.approves for each in votes)
    state = State.APPROVED if approvals >= asked.needed else State.WAITING
    return replace(asked, votes=votes, state=state if vote.approves else State.REFUSED)


def withdraw(asked: Asked, by: str) -> Asked:
    """The request taken back by whoever asked."""
    if by != asked.person:
        raise ConflictError("Only who asked takes a request back.", where=asked.id)
    _waits(asked)
    return replace(asked, state=State.WITHDRAWN)


def _waits(asked: Asked) -> None:
    if asked.state is not State.WAITING:
        raise ConflictError("This request was answered already.", where=asked.id)


def said(text: str, where: str) -> str:
    """The text without blanks around it; MalformedError where it says nothing or too much."""
    found = text.strip()
    if not found or len(found) > LONGEST_TEXT:
        raise MalformedError(f"Say why, in at most {LONGEST_TEXT} characters.", where=where)
    return found
