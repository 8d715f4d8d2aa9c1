"""Incidents are changed, each change with its record, in one transaction (E-07, N-50).

Where an incident is assigned and says whom it concerns, the directory gets a ``case`` of
kind ``incident`` of the same id, so that the officer may look at these people's data on that
case and no longer than it is open (2.4, ``on_case``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from authz import clock
from authz.audit import log
from authz.audit.record import Entry, Ref, timestamp
from authz.directory.recording.change import Author
from authz.directory.recording.members import Reading
from authz.errors import ConflictError, NotFoundError
from authz.privacy import incidents as life
from authz.privacy.incidents import Incident, State
from authz.privacy.tables import IncidentPerson, IncidentRow, IncidentStep
from authz.service.changing import UNSAID
from authz.service.database import writing
from authz.service.decide import DecisionPoint
from authz.service.incident_rows import persons_of, row_of, stored, unknown, values_of
from authz.service.record_facts import put
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
        change = _Change(connection, point, by, because, now)
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
        change = _Change(connection, point, by, because, clock.now())
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
        change = _Change(connection, point, by, because, now)
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
        change = _Change(connection, point, by, because, now)
        change.done(Event.INCIDENT_CLOSED, before, after, [])
    return after


_TEXTS: Final = ("title", "cause", "effect", "remedy", "not_reported")


class _Change:
    """One change of an incident: the row, its step, the case of the directory, the record."""

    def __init__(
        self, connection: Connection, point: DecisionPoint, by: str, because: str, now: datetime
    ) -> None:
        self.connection = connection
        self.point = point
        self.author = Author(by, because, now)

    def done(
        self, event: Event, before: Incident | None, after: Incident, persons: Sequence[str]
    ) -> None:
        """Put it on file."""
        values = values_of(after)
        self.connection.execute(
            update(IncidentRow).where(IncidentRow.id == after.id).values(values)
        )
        added = self._persons(after.id, persons)
        self._step(event, before, after, added)
        self._case(before, after, changed=bool(added))
        detail = {
            "before": _told(before) if before else {},
            "after": {**_told(after), "persons": added},
            "who": self.author.by,
            "why": self.author.because.strip() or UNSAID,
        }
        entry = Entry(
            event=event,
            time=self.author.now,
            application="authz",
            subject=Ref("operator", self.author.by),
            action=event.value,
            resource=Ref("incident", after.id),
            detail=detail,
            people=[*added, *filter(None, (after.assignee,))],
        )
        log.append(self.connection, [entry])

    def _persons(self, ident: str, persons: Sequence[str]) -> list[str]:
        """Those who are new; NotFoundError of one who is not in the directory."""
        if not persons:
            return []
        strangers = unknown(self.connection, persons)
        if strangers:
            raise NotFoundError("There is no such person in the directory.", where=strangers[0])
        known = set(persons_of(self.connection, ident))
        added = [person for person in dict.fromkeys(persons) if person not in known]
        if added:
            rows = [{"incident": ident, "person": person} for person in added]
            self.connection.execute(insert(IncidentPerson), rows)
        return added

    def _step(
        self, event: Event, before: Incident | None, after: Incident, added: list[str]
    ) -> None:
        old = values_of(before) if before else {}
        new = {k: v for k, v in values_of(after).items() if v and old.get(k) != v}
        number = select(func.count()).where(IncidentStep.incident == after.id).scalar_subquery()
        self.connection.execute(
            insert(IncidentStep).values(
                incident=after.id,
                number=number,
                at=timestamp(self.author.now),
                by=self.author.by,
                action=event.value,
                because=self.author.because,
                members=json.dumps({**new, "persons": added}, ensure_ascii=False),
            )
        )

    def _case(self, before: Incident | None, after: Incident, *, changed: bool) -> None:
        """The case in the directory, where somebody holds it and it concerns somebody."""
        moved = before is None or (before.assignee, before.state) != (after.assignee, after.state)
        persons = persons_of(self.connection, after.id) if moved or changed else []
        if after.assignee is None or not persons:
            return
        fact = {
            "fact": "case",
            "id": after.id,
            "kind": "incident",
            "persons": persons,
            "assignee": after.assignee,
            "opened_at": timestamp(after.opened_at),
            "closed_at": after.closed_at and timestamp(after.closed_at),
        }
        line = json.dumps(fact, ensure_ascii=False)
        known = Reading(self.point.place.local, self.point.policy.catalogue)
        put(self.connection, self.author, lambda: [line], known, f"incident {after.id}")


def _told(incident: Incident) -> dict[str, Any]:
    """What a record says of an incident: states, times and ids, of texts that they are there."""
    values = values_of(incident)
    given = [name for name in _TEXTS if values[name]]
    return {k: v for k, v in values.items() if k not in _TEXTS and v} | {"given": given}
