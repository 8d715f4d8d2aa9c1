"""Incidents are opened, given to somebody, amended and closed (E-07, N-50)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from secrets import token_hex
from typing import Any

from sqlalchemy import insert

from authz import clock
from authz.errors import ConflictError, NotFoundError
from authz.privacy import incidents as life
from authz.privacy.incidents import Incident, State
from authz.privacy.tables import IncidentRow
from authz.service.database import writing
from authz.service.decide import DecisionPoint
from authz.service.incident_changes import Change
from authz.service.incident_rows import row_of, stored, unknown, values_of
from authz.vocabulary import Event


def open_incident(
    point: DecisionPoint,
    title: str,
    *,
    by: str,
    known_at: datetime | None = None,
    persons: Iterable[str] = (),
    ident: str = "",
    because: str = "",
) -> Incident:
    """Open an incident, whose clock began when it was known; ConflictError of an id in use."""
    now = clock.now()
    day = now.astimezone(point.place.local)
    named = ident or f"INC-{day:%Y%m%d}-{token_hex(3)}"
    made = life.opened(named, title, known_at or now, now)
    with writing(point.store) as connection:
        if row_of(connection, named) is not None:
            raise ConflictError("There is an incident of that id already.", where=named)
        connection.execute(insert(IncidentRow).values(values_of(made)))
        change = Change(connection, point, by, because, now)
        change.done(Event.INCIDENT_OPENED, None, made, list(persons))
    return made


def assign(
    point: DecisionPoint, ident: str, assignee: str, *, by: str, because: str = ""
) -> Incident:
    """Put it into somebody's hands; NotFoundError of a person who is not in the directory."""
    with writing(point.store) as connection:
        before = stored(connection, ident)
        after = life.assigned(before, assignee)
        if unknown(connection, [assignee]):
            raise NotFoundError("There is no such person in the directory.", where=assignee)
        change = Change(connection, point, by, because, clock.now())
        change.done(Event.INCIDENT_ASSIGNED, before, after, [])
    return after


def amend(
    point: DecisionPoint,
    ident: str,
    changes: Mapping[str, Any],
    *,
    by: str,
    persons: Iterable[str] = (),
    because: str = "",
) -> Incident:
    """Write down what became known, or whom else it concerns."""
    now = clock.now()
    with writing(point.store) as connection:
        before = stored(connection, ident)
        named = list(persons)
        known = {name: value for name, value in changes.items() if value not in (None, "")}
        after = before if named and not known else life.updated(before, known, now)
        if named and before.state is State.CLOSED:
            raise ConflictError("The incident is closed.", where=ident)
        change = Change(connection, point, by, because, now)
        change.done(Event.INCIDENT_UPDATED, before, after, named)
    return after


def close(
    point: DecisionPoint, ident: str, *, by: str, not_reported: str = "", because: str = ""
) -> Incident:
    """Close it; ConflictError names what is missing."""
    now = clock.now()
    with writing(point.store) as connection:
        before = stored(connection, ident)
        after = life.closed(before, now, not_reported)
        change = Change(connection, point, by, because, now)
        change.done(Event.INCIDENT_CLOSED, before, after, [])
    return after
