"""The life of a request of one's own rights: open, answered, closed, within 30 days (N-37).

A granted request of some kinds changes what may be done with the person's data; the fact
that does so is made here, and written by the service with the answer. This module is pure:
it reads no clock, file, network or database.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from authz.errors import ConflictError, MalformedError

DAYS: Final = 30
"""Days in which a request is answered (PDPA section 30)."""


class Kind(StrEnum):
    """What a person may ask for."""

    ACCESS = "access"
    """A copy, or who saw the data (N-30)."""
    PORTABILITY = "portability"
    """The data, machine-readable (N-31)."""
    OBJECTION = "objection"
    """No use for a purpose any more (N-32)."""
    RECTIFICATION = "rectification"
    """What is wrong put right (N-33)."""
    ERASURE = "erasure"
    """Erased or anonymised (N-34)."""
    RESTRICTION = "restriction"
    """No use but the person's own and legal claims (N-35)."""
    WITHDRAWAL = "withdrawal"
    """A consent taken back (N-36)."""


class State(StrEnum):
    """Where a request stands."""

    OPEN = "open"
    ANSWERED = "answered"
    CLOSED = "closed"


NEEDS: Final[Mapping[Kind, tuple[str, ...]]] = {
    Kind.OBJECTION: ("purpose",),
    Kind.WITHDRAWAL: ("purpose",),
}
"""Members that a request of this kind must name."""
RECTIFIED: Final = ("given_name", "family_name", "birth_date")
"""What of a person the directory holds; all else is put right where it is kept."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request. ``details`` hold what its fact needs, ``answer`` what the person was told."""

    id: str
    person: str
    kind: Kind
    asked: str
    details: Mapping[str, str] = field(default_factory=dict)
    state: State = State.OPEN
    granted: bool | None = None
    answer: str = ""
    answered_at: datetime | None = None
    answered_by: str | None = None


def opened(asked: Request) -> Request:
    """The request, if it is one; MalformedError names what is missing."""
    if not asked.asked.strip():
        raise MalformedError("Write down what is asked for.", where="asked")
    for name in NEEDS.get(asked.kind, ()):
        if not asked.details.get(name):
            raise MalformedError(f"This kind of request names a {name}.", where=name)
    if asked.kind is Kind.RECTIFICATION and not any(asked.details.get(n) for n in RECTIFIED):
        return replace(asked, details={})
    return asked


def answered(asked: Request, *, granted: bool, answer: str, by: str, at: datetime) -> Request:
    """The request with its answer; ConflictError where it has one."""
    if asked.state is not State.OPEN:
        raise ConflictError("This request was answered already.", where=asked.id)
    if not answer.strip():
        raise MalformedError("Write the answer.", where="answer")
    if by == asked.person:
        raise ConflictError("Nobody answers their own request of rights.", where=asked.id)
    return replace(
        asked,
        state=State.ANSWERED,
        granted=granted,
        answer=answer.strip(),
        answered_at=at,
        answered_by=by,
    )


def closed(asked: Request) -> Request:
    """The request at its end; ConflictError where nobody has answered it."""
    if asked.state is State.OPEN:
        raise ConflictError("Answer the request before it is closed.", where=asked.id)
    if asked.state is State.CLOSED:
        raise ConflictError("This request is closed already.", where=asked.id)
    return replace(asked, state=State.CLOSED)


def fact(asked: Request, at: datetime) -> dict[str, Any] | None:
    """The fact that a granted request puts on file; None where it changes none."""
    person = {"person": asked.person}
    if asked.granted is not True:
        return None
    if asked.kind is Kind.OBJECTION:
        return {"fact": "objection", **person, "purpose": asked.details["purpose"], "from": at}
    if asked.kind is Kind.ERASURE:
        return {"fact": "erasure", **person, "approved_at": at}
    if asked.kind is Kind.RESTRICTION:
        return {"fact": "restriction", **person, "from": at}
    if asked.kind is Kind.RECTIFICATION and asked.details:
        put_right = {name: asked.details.get(name) for name in RECTIFIED}
        return {"fact": "person", "id": asked.person, **put_right}
    return None
