"""The register of incidents, to read (E-07, N-50)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, func, select, tuple_

from authz.audit.record import timestamp
from authz.directory.held import in_force
from authz.directory.tables import Grant, Person
from authz.privacy.incidents import Incident, State
from authz.privacy.tables import IncidentPerson, IncidentRow, IncidentStep
from authz.service.database import reading
from authz.service.incident_rows import incident_of, stored, unknown, values_of
from authz.vocabulary import Role

PAGE: Final = 50


def get(store: Engine, ident: str) -> Incident:
    """The incident as it stands; NotFoundError where there is none."""
    with reading(store) as connection:
        return stored(connection, ident)


def register(store: Engine, *, everything: bool = False) -> list[Incident]:
    """The incidents, those whose time runs out first at the top; closed ones where asked for."""
    wanted = () if everything else (IncidentRow.state != State.CLOSED.value,)
    with reading(store) as connection:
        rows = connection.execute(
            select(*IncidentRow.__table__.columns)
            .where(*wanted)
            .order_by(IncidentRow.known_at, IncidentRow.id)
        )
        return [incident_of(row) for row in rows.mappings()]


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
    shown = [incident_of(each) for each in rows[:limit]]
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
        strangers = set(unknown(connection, persons))
    return [person for person in persons if person not in strangers]


def officers(store: Engine, at: datetime) -> list[tuple[str, str]]:
    """Who can be given an incident: the data-protection officers, by name."""
    with reading(store) as connection:
        rows = connection.execute(
            select(Person.id, Person.given_name, Person.family_name, Person.name_order)
            .join(Grant, Grant.person == Person.id)
            .where(
                in_force(at, [Role.DPO], everywhere=True),
                Person.status == "active",
            )
            .distinct()
            .order_by(Person.name_order, Person.id)
        )
        return [(row.id, f"{row.given_name} {row.family_name}".strip()) for row in rows]


def history(store: Engine, ident: str) -> list[dict[str, Any]]:
    """Every change of an incident in its order, with the texts that were given."""
    with reading(store) as connection:
        stored(connection, ident)
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
        **values_of(incident),
        "due_at": timestamp(incident.due_at),
        "late": incident.late(now),
        "hours_left": None if left is None else round(left.total_seconds() / 3600, 1),
    }
    return {name: value for name, value in members.items() if value not in (None, "")}
