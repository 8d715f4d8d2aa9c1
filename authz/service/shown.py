"""What a screen lists of people leaves a record with their ids, before it is shown (N-49).

And places in lists of people: where a page ends, as a text for the address of the next.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, and_, or_, true

from authz import clock
from authz.audit import log
from authz.audit.record import Entry, Ref
from authz.decision.search import Kind
from authz.errors import MalformedError
from authz.vocabulary import Event

APPLICATION = "authz-console"


@dataclass(frozen=True, slots=True)
class Viewer:
    """Whoever looks: the person, the name of the sign-in, and the request they look by."""

    person: str
    name: str
    request_id: str = ""
    mfa: bool = False


def record(
    store: Engine, viewer: Viewer, category: str, person: str, listed: Sequence[str],
    *, at: datetime | None = None, asked: Mapping[str, Any] | None = None,
    kind: Kind = Kind.RESOURCE,
) -> None:  # fmt: skip
    """One record of a list of people, so that each of them finds it (N-30, N-49).

    ``kind`` says as whom they are listed: whose data may be seen, or who may see them.
    AuditUnavailableError where it cannot be written.
    """
    log.record(
        store,
        [
            Entry(
                event=Event.SEARCH if at is None else Event.WHAT_IF,
                time=clock.now(),
                application=APPLICATION,
                request_id=viewer.request_id,
                subject=Ref("user", viewer.person),
                action="read",
                resource=Ref(category, person),
                detail={
                    "search": kind.value,
                    "listed": list(listed),
                    "asked": dict(asked or {}),
                },
                what_if_at=at,
                people=(viewer.person, person, *listed),
            )
        ],
    )


def after(place: tuple[str, ...] | None) -> str:
    """The place as a text; empty where nothing follows."""
    if place is None:
        return ""
    return base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")


def place(text: str) -> tuple[str, str] | None:
    """The place that a text names; MalformedError where it names none."""
    if not text:
        return None
    try:
        found = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        first, second = found
    except (ValueError, TypeError) as error:
        raise MalformedError("This is no place in a list.", where="after") from error
    if not isinstance(first, str) or not isinstance(second, str):
        raise MalformedError("This is no place in a list.", where="after")
    return first, second


def following(first: Any, second: Any, place: tuple[str, str] | None) -> ColumnElement[bool]:
    """That a row stands after that place in the order of two columns; every row after none."""
    if place is None:
        return true()
    return and_(first >= place[0], or_(first > place[0], second > place[1]))
