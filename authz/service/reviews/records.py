"""What every step of a review shares: who takes it, its record, times as texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from sqlalchemy import Connection

from authz import clock
from authz.audit import log
from authz.audit.log import Receipt
from authz.audit.record import Entry, Ref, timestamp
from authz.review.item import RefusedError
from authz.review.words import Wrong
from authz.service.changing import UNSAID
from authz.vocabulary import Event

SERVICE: Final = "authz"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who takes a step: a person of the directory (``user``), the operator, or the service."""

    id: str
    type: str = "user"
    name: str = ""

    def as_ref(self) -> Ref:
        """As the record names them."""
        return Ref(self.type, self.id)


ITSELF: Final = Actor(SERVICE, "service")


def entry(
    who: Actor,
    action: str,
    campaign: str,
    *,
    because: str = "",
    detail: Mapping[str, Any] | None = None,
    about: Ref | None = None,
) -> Entry:
    """The record of a step; ``about`` is whom or what it is about, else the review."""
    return Entry(
        event=Event.REVIEW_CHANGED,
        time=clock.now(),
        application=SERVICE,
        subject=who.as_ref(),
        action=action,
        resource=about or Ref("review", campaign),
        detail={
            **(detail or {}),
            "review": campaign,
            "who": who.id,
            "signed_in_as": who.name,
            "why": because.strip() or UNSAID,
        },
    )


def record(connection: Connection, who: Actor, action: str, campaign: str, **said: Any) -> Receipt:
    """Write the record of a step, in the transaction of the step."""
    (receipt,) = log.append(connection, [entry(who, action, campaign, **said)])
    return receipt


def needs(*texts: str) -> None:
    """RefusedError where a text that must be given is not."""
    if not all(text.strip() for text in texts):
        raise RefusedError(Wrong.EMPTY)


def new_id() -> str:
    """An id that nobody can guess."""
    return uuid4().hex


def text(moment: datetime | None) -> str | None:
    """A moment as it stands in the tables."""
    return None if moment is None else timestamp(moment)


def moment(text: str | None) -> datetime | None:
    """A moment as it stood in the tables."""
    return datetime.fromisoformat(text) if text else None
