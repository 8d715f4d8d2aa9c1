"""The register of incidents: each change with its record, in one transaction (E-07, N-50).

Where an incident is assigned and says whom it concerns, the directory gets a ``case`` of
kind ``incident`` of the same id, so that the officer may look at these people's data on that
case and no longer than it is open (2.4, ``on_case``).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from secrets import token_hex
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, insert, or_, select, tuple_, update

from authz import clock
from authz.audit import log
from authz.audit.record import Entry, Ref, timestamp
from authz.directory.recording.members import Reading
from authz.directory.recording.write import Author
from authz.directory.tables import Grant, Person
from authz.errors import ConflictError, NotFoundError
from authz.privacy import incidents as life
from authz.privacy.incidents import Incident, State
from authz.privacy.tables import IncidentPerson, IncidentRow, IncidentStep
from authz.service.changing import UNSAID
from authz.service.database import reading, writing
from authz.service.decide import DecisionPoint
from authz.service.record_facts import put
from authz.vocabulary import Event, Role

_MOMENTS: Final = ("opened_at", "known_at", "reported_at", "closed_at")
_TEXTS: Final = ("title", "cause", "effect", "remedy", "not_reported")
_SLICE: Final = 500
PAGE: Final = 50


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
        if _row(connection, named) is not None:
            raise ConflictError("There is an incident of that id already.", where=named)
        connection.execute(insert(IncidentRow).values(_values(made)))
        change = _Change(connection, point, by, because, now)
        change.done(Event.INCIDENT_OPENED, None, made, list(persons))
    return made


def assign(
    point: DecisionPoint, ident: str, assignee: str, *, by: str, because: str = ""
) -> Incident:
    """Put it into somebody's hands; NotFoundError of a person who is not in the directory."""
    with writing(point.store) as connection:
        before = _get(connection, ident)
        after = life.assigned(before, assignee)
        if _unknown(connection, [assignee]):
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
        before = _get(connection, ident)
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
        before = _get(connection, ident)
        after = life.closed(before, now, not_reported)
        change = _Change(connection, point, by, because, now)
        change.done(Event.INCIDENT_CLOSED, before, after, [])
    return after


def get(store: Engine, ident: str) -> Incident:
    """The incident as it stands; NotFoundError where there is none."""
    with reading(store) as connection:
        return _get(connection, ident)


def register(store: Engine, *, everything: bool = False) -> list[Incident]:
    """The incidents, those whose time runs out first at the top; closed ones where asked for."""
    wanted = () if everything else (IncidentRow.state != State.CLOSED.value,)
    with reading(store) as connection:
        rows = connection.execute(
            select(*IncidentRow.__table__.columns)
            .where(*wanted)
            .order_by(IncidentRow.known_at, IncidentRow.id)
        )
        return [_incident(row) for row in rows.mappings()]


def page(
    store: Engine, *, everything: bool = False, after: str = "", limit: int = PAGE
) -> tuple[list[Incident], str]:
    """A page of the same, and what asks for the next one, empty after the last."""
    row = IncidentRow
    asked = select(*row.__table__.columns).order_by(row.known_at, row.id).limit(limit + 1)
    if not everything:
        asked = asked.where(row.state != State.CLOSED.value)
    if after:
        known, _, ident = after.partition("/")
        asked = asked.where(tuple_(row.known_at, row.id) > (known, ident))
    with reading(store) as connection:
        rows = connection.execute(asked).mappings().all()
    shown = [_incident(each) for each in rows[:limit]]
    last = rows[limit - 1] if len(rows) > limit else None
    return shown, f"{last['known_at']}/{last['id']}" if last else ""


def concerned(store: Engine, ident: str, limit: int) -> tuple[list[str], int]:
    """The first of those whom it concerns, and how many there are."""
    with reading(store) as connection:
        whose = IncidentPerson.incident == ident
        number = connection.scalar(select(func.count()).where(whose)) or 0
        asked = select(IncidentPerson.person).where(whose).order_by(IncidentPerson.person)
        return list(connection.scalars(asked.limit(limit))), number


def known(store: Engine, persons: Sequence[str]) -> list[str]:
    """Those of these people who are in the directory."""
    with reading(store) as connection:
        strangers = set(_unknown(connection, persons))
    return [person for person in persons if person not in strangers]


def officers(store: Engine, at: datetime) -> list[tuple[str, str]]:
    """Who can be given an incident: the data-protection officers, by name."""
    with reading(store) as connection:
        rows = connection.execute(
            select(Person.id, Person.given_name, Person.family_name, Person.name_order)
            .join(Grant, Grant.person == Person.id)
            .where(
                Grant.role == Role.DPO.value,
                Grant.ended_at.is_(None),
                or_(Grant.valid_from.is_(None), Grant.valid_from <= at),
                or_(Grant.valid_until.is_(None), Grant.valid_until > at),
                Person.status == "active",
            )
            .distinct()
            .order_by(Person.name_order, Person.id)
        )
        return [(row.id, f"{row.given_name} {row.family_name}".strip()) for row in rows]


def history(store: Engine, ident: str) -> list[dict[str, Any]]:
    """Every change of an incident in its order, with the texts that were given."""
    with reading(store) as connection:
        _get(connection, ident)
        rows = connection.execute(
            select(*IncidentStep.__table__.columns)
            .where(IncidentStep.incident == ident)
            .order_by(IncidentStep.number)
        ).mappings()
        return [{**row, "members": json.loads(row["members"])} for row in rows]


def as_dict(incident: Incident, now: datetime) -> dict[str, Any]:
    """An incident as JSON, with its clock: ``hours_left`` is negative past the time."""
    left = incident.left(now)
    members: dict[str, Any] = {
        **_values(incident),
        "due_at": timestamp(incident.due_at),
        "late": incident.late(now),
        "hours_left": None if left is None else round(left.total_seconds() / 3600, 1),
    }
    return {name: value for name, value in members.items() if value not in (None, "")}


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
        values = _values(after)
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
        unknown = _unknown(self.connection, persons)
        if unknown:
            raise NotFoundError("There is no such person in the directory.", where=unknown[0])
        known = set(_concerned(self.connection, ident))
        added = [person for person in dict.fromkeys(persons) if person not in known]
        if added:
            rows = [{"incident": ident, "person": person} for person in added]
            self.connection.execute(insert(IncidentPerson), rows)
        return added

    def _step(
        self, event: Event, before: Incident | None, after: Incident, added: list[str]
    ) -> None:
        old = _values(before) if before else {}
        new = {k: v for k, v in _values(after).items() if v and old.get(k) != v}
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
        persons = _concerned(self.connection, after.id) if moved or changed else []
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
    values = _values(incident)
    given = [name for name in _TEXTS if values[name]]
    return {k: v for k, v in values.items() if k not in _TEXTS and v} | {"given": given}


def _values(incident: Incident) -> dict[str, Any]:
    values = asdict(incident)
    for name in _MOMENTS:
        values[name] = values[name] and timestamp(values[name])
    return {**values, "state": incident.state.value}


def _incident(row: Any) -> Incident:
    values = {name: row[name] for name in Incident.__slots__}
    for name in _MOMENTS:
        values[name] = values[name] and datetime.fromisoformat(values[name])
    return Incident(**{**values, "state": State(values["state"])})


def _row(connection: Connection, ident: str) -> Any:
    columns = IncidentRow.__table__.columns
    found = connection.execute(
        select(*columns).where(IncidentRow.id == ident).with_for_update()
        if connection.get_execution_options().get("authz_write")
        else select(*columns).where(IncidentRow.id == ident)
    )
    return found.mappings().one_or_none()


def _get(connection: Connection, ident: str) -> Incident:
    row = _row(connection, ident)
    if row is None:
        raise NotFoundError("There is no incident of that id.", where=ident)
    return _incident(row)


def _concerned(connection: Connection, ident: str) -> list[str]:
    whom = select(IncidentPerson.person).where(IncidentPerson.incident == ident)
    return list(connection.scalars(whom.order_by(IncidentPerson.person)))


def _unknown(connection: Connection, persons: Sequence[str]) -> list[str]:
    """Those of these who are not in the directory."""
    known: set[str] = set()
    names = list(dict.fromkeys(persons))
    for begin in range(0, len(names), _SLICE):
        some = names[begin : begin + _SLICE]
        known.update(connection.scalars(select(Person.id).where(Person.id.in_(some))))
    return [person for person in names if person not in known]
