"""The life of an incident: opened, assigned, updated, closed, against its clock (E-07, N-50).

The clock begins when the leak is *known*, not when it is written down, and gives 72 hours
until whom it concerns must have been told its cause, its effect and the remedy. Nothing can
be closed without these three, nor without a report or the reason why none was owed.

This module is pure: it reads no clock, file, network or database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from authz.errors import ConflictError, MalformedError

TO_REPORT: Final = timedelta(hours=72)
LONGEST_TEXT: Final = 4000
TOLD: Final = ("cause", "effect", "remedy")
"""What the report of a leak says (E-07)."""


class State(StrEnum):
    """Where an incident stands."""

    OPEN = "open"
    ASSIGNED = "assigned"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Incident:
    """A leak, or what may be one. ``reported_at`` is when those concerned were told."""

    id: str
    title: str
    opened_at: datetime
    known_at: datetime
    state: State = State.OPEN
    assignee: str | None = None
    cause: str = ""
    effect: str = ""
    remedy: str = ""
    reported_at: datetime | None = None
    not_reported: str = ""
    closed_at: datetime | None = None

    @property
    def due_at(self) -> datetime:
        """Until when it must be reported."""
        return self.known_at + TO_REPORT

    def left(self, now: datetime) -> timedelta | None:
        """How much of the 72 hours is left, negative past them; None once the clock stands."""
        stands = self.reported_at is not None or self.state is State.CLOSED
        return None if stands else self.due_at - now

    def late(self, now: datetime) -> bool:
        """Whether the report came after its time, or has not come and the time is over."""
        if self.reported_at is None and self.state is State.CLOSED:
            return False
        return (self.reported_at or now) > self.due_at


def opened(ident: str, title: str, known_at: datetime, now: datetime) -> Incident:
    """A new incident; MalformedError where it has no name or was known after now."""
    if not title.strip():
        raise MalformedError("An incident needs a title.", where="title")
    if known_at > now:
        raise MalformedError("It cannot be known later than now.", where="known_at")
    return Incident(id=ident, title=_text("title", title), opened_at=now, known_at=known_at)


def assigned(incident: Incident, assignee: str) -> Incident:
    """The incident in somebody's hands; it may be handed on."""
    _open(incident)
    if not assignee:
        raise MalformedError("It must be assigned to a person.", where="assignee")
    return replace(incident, state=State.ASSIGNED, assignee=assignee)


def updated(incident: Incident, changes: Mapping[str, Any], now: datetime) -> Incident:
    """The incident with what became known: cause, effect, remedy, when it was reported.

    ConflictError where it is closed; MalformedError where nothing changes, or a moment
    is none that can have been.
    """
    _open(incident)
    known = {name: value for name, value in changes.items() if value not in (None, "")}
    if not known or not known.keys() <= {*TOLD, "reported_at", "known_at", "title"}:
        raise MalformedError("Say what changed.", where="update")
    for name, value in known.items():
        if isinstance(value, datetime) and value > now:
            raise MalformedError("It cannot have happened later than now.", where=name)
        if isinstance(value, str):
            _text(name, value)
    after = replace(incident, **known)
    if after.reported_at is not None and after.reported_at < after.known_at:
        raise MalformedError("It cannot be reported before it was known.", where="reported_at")
    return after


def missing(incident: Incident, not_reported: str = "") -> list[str]:
    """The names of what is missing before it can be closed."""
    found = [name for name in TOLD if not getattr(incident, name).strip()]
    if incident.assignee is None:
        found.insert(0, "assignee")
    if incident.reported_at is None and not not_reported.strip():
        found.append("reported_at")
    return found


def closed(incident: Incident, now: datetime, not_reported: str = "") -> Incident:
    """The incident closed; ConflictError where something is missing, which it names."""
    _open(incident)
    lacks = missing(incident, not_reported)
    if lacks:
        raise ConflictError(
            f"It cannot be closed yet: {', '.join(lacks)} is missing.",
            where=incident.id,
            hint="Where no report was owed, say why.",
        )
    return replace(
        incident,
        state=State.CLOSED,
        closed_at=now,
        not_reported=_text("not_reported", not_reported),
    )


def _open(incident: Incident) -> None:
    if incident.state is State.CLOSED:
        raise ConflictError("The incident is closed.", where=incident.id, hint="Open a new one.")


def _text(name: str, value: str) -> str:
    if len(value) > LONGEST_TEXT or "\0" in value:
        raise MalformedError(f"At most {LONGEST_TEXT} characters.", where=name)
    return value
