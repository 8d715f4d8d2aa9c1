"""Incidents as rows of the register, and back (E-07)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from authz.audit.record import timestamp
from authz.directory.tables import Person
from authz.errors import NotFoundError
from authz.privacy.incidents import Incident, State
from authz.privacy.tables import IncidentPerson, IncidentRow

_MOMENTS: Final = ("opened_at", "known_at", "reported_at", "closed_at")
_SLICE: Final = 500


def values_of(incident: Incident) -> dict[str, Any]:
    """The columns of an incident; its moments as texts."""
    values = asdict(incident)
    for name in _MOMENTS:
        values[name] = values[name] and timestamp(values[name])
    return {**values, "state": incident.state.value}


def incident_of(row: Any) -> Incident:
    """The incident that a row holds."""
    values = {name: row[name] for name in Incident.__slots__}
    for name in _MOMENTS:
        values[name] = values[name] and datetime.fromisoformat(values[name])
    return Incident(**{**values, "state": State(values["state"])})


def row_of(connection: Connection, ident: str) -> Any:
    """The row of that id, held where the transaction writes; None where there is none."""
    columns = IncidentRow.__table__.columns
    found = connection.execute(
        select(*columns).where(IncidentRow.id == ident).with_for_update()
        if connection.get_execution_options().get("authz_write")
        else select(*columns).where(IncidentRow.id == ident)
    )
    return found.mappings().one_or_none()


def stored(connection: Connection, ident: str) -> Incident:
    """The incident of that id; NotFoundError where there is none."""
    row = row_of(connection, ident)
    if row is None:
        raise NotFoundError("There is no incident of that id.", where=ident)
    return incident_of(row)


def persons_of(connection: Connection, ident: str) -> list[str]:
    """Those whom an incident concerns."""
    whom = select(IncidentPerson.person).where(IncidentPerson.incident == ident)
    return list(connection.scalars(whom.order_by(IncidentPerson.person)))


def unknown(connection: Connection, persons: Sequence[str]) -> list[str]:
    """Those of these who are not in the directory."""
    known: set[str] = set()
    names = list(dict.fromkeys(persons))
    for begin in range(0, len(names), _SLICE):
        some = names[begin : begin + _SLICE]
        known.update(connection.scalars(select(Person.id).where(Person.id.in_(some))))
    return [person for person in names if person not in known]
