"""Requests of people's own rights, each with its record, its case and its fact (N-30 to N-37).

The directory's ``case`` of the same id says who works on it and lets that officer look; it
is opened and closed with the request. A case that a facts file brought is a request, too,
of which only the dates are known.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from secrets import token_hex
from typing import Any

from sqlalchemy import Connection, insert, select, update

from authz.audit.record import Ref, timestamp
from authz.directory.tables import Case, CasePerson, Consent
from authz.errors import NotFoundError
from authz.privacy import requests as life
from authz.privacy.requests import Kind, Request, State
from authz.privacy.tables import RightsRequest
from authz.service import by_hand, changing
from authz.service.changing import By
from authz.service.database import writing
from authz.service.decide import DecisionPoint
from authz.vocabulary import Event

KIND = "rights_request"


def open_request(  # noqa: PLR0913 (what a request says, by name)
    point: DecisionPoint,
    person: str,
    kind: Kind,
    *,
    asked: str,
    details: Mapping[str, str],
    assignee: str,
    opened_at: datetime | None,
    by: str,
    why: str,
) -> str:
    """Open a request and its case, and return the id; its 30 days run from ``opened_at``."""
    made = by_hand.author(by, why)
    day = made.at.astimezone(point.place.local)
    ident = f"RR-{day:%Y%m%d}-{token_hex(3)}"
    known = {name: value for name, value in details.items() if value}
    after = life.opened(Request(ident, person, kind, asked.strip(), known))
    with writing(point.store) as connection:
        connection.execute(insert(RightsRequest).values(_values(after)))
        line: dict[str, Any] = {"fact": "case", "id": ident, "kind": KIND, "persons": [person]}
        line |= {"assignee": assignee, "opened_at": opened_at or made.at}
        by_hand.within(connection, point, [line], made)
        _tell(connection, made, {}, after)
    return ident


def assign(
    point: DecisionPoint, person: str, ident: str, assignee: str, *, by: str, why: str
) -> None:
    """Put it into somebody's hands; NotFoundError where it is not this person's, or closed."""
    made = by_hand.author(by, why)
    with writing(point.store) as connection:
        case = _case(connection, person, ident)
        by_hand.within(connection, point, [_line(connection, case, assignee=assignee)], made)


def answer_request(
    point: DecisionPoint,
    person: str,
    ident: str,
    *,
    granted: bool,
    text: str,
    by: str,
    why: str,
) -> None:
    """Answer it; a granted one writes its fact, which counts on the next decision."""
    made = by_hand.author(by, why)
    with writing(point.store) as connection:
        _case(connection, person, ident)
        before = _get(connection, person, ident)
        after = life.answered(before, granted=granted, answer=text, by=by, at=made.at)
        _store(connection, after)
        _tell(connection, made, _told(before), after)
        lines = [line for line in (life.fact(after, made.at),) if line is not None]
        if after.granted and after.kind is Kind.WITHDRAWAL:
            lines = _withdrawn(connection, after, made)
        if lines:
            by_hand.within(connection, point, lines, made)


def close(point: DecisionPoint, person: str, ident: str, *, by: str, why: str) -> None:
    """Close it, and the case with it; ConflictError where nobody has answered it."""
    made = by_hand.author(by, why)
    with writing(point.store) as connection:
        case = _case(connection, person, ident)
        before = _get(connection, person, ident)
        after = life.closed(before)
        _store(connection, after)
        _tell(connection, made, _told(before), after)
        by_hand.within(connection, point, [_line(connection, case, closed_at=made.at)], made)


def _withdrawn(connection: Connection, asked: Request, made: By) -> list[dict[str, Any]]:
    """The consents to the purpose that are in force, withdrawn."""
    rows = connection.execute(
        select(*Consent.__table__.c).where(
            Consent.person == asked.person,
            Consent.purpose == asked.details["purpose"],
            Consent.withdrawn_at.is_(None),
            Consent.ended_at.is_(None),
        )
    )
    return [
        {
            "fact": "consent",
            "person": asked.person,
            "purpose": row.purpose,
            "project": row.project,
            "given_at": row.given_at,
            "withdrawn_at": made.at,
        }
        for row in rows
    ]


def _case(connection: Connection, person: str, ident: str) -> Any:
    """The open case of the request, which covers the person."""
    found = connection.execute(
        select(*Case.__table__.c)
        .join(CasePerson, CasePerson.case == Case.id)
        .where(
            Case.id == ident,
            Case.kind == KIND,
            CasePerson.person == person,
            Case.closed_at.is_(None),
            Case.ended_at.is_(None),
        )
    ).one_or_none()
    if found is None:
        raise NotFoundError("There is no such open request.", where=ident)
    return found


def _line(connection: Connection, case: Any, **changed: Any) -> dict[str, Any]:
    persons = connection.scalars(select(CasePerson.person).where(CasePerson.case == case.id))
    line = {"fact": "case", "id": case.id, "kind": case.kind, "persons": list(persons)}
    return {**line, "assignee": case.assignee, "opened_at": case.opened_at, **changed}


def _get(connection: Connection, person: str, ident: str) -> Request:
    row = connection.execute(
        select(*RightsRequest.__table__.c)
        .where(RightsRequest.id == ident, RightsRequest.person == person)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFoundError("This case was brought by a file, without a request.", where=ident)
    return as_request(row)


def as_request(row: Any) -> Request:
    """The request that a row holds."""
    return Request(
        id=row.id,
        person=row.person,
        kind=Kind(row.kind),
        asked=row.asked,
        details=json.loads(row.details),
        state=State(row.state),
        granted=row.granted,
        answer=row.answer,
        answered_at=datetime.fromisoformat(row.answered_at) if row.answered_at else None,
        answered_by=row.answered_by,
    )


def _values(asked: Request) -> dict[str, Any]:
    values = {name: getattr(asked, name) for name in Request.__slots__}
    at = asked.answered_at
    details = json.dumps(dict(asked.details), ensure_ascii=False)
    times = {"answered_at": timestamp(at) if at else None, "details": details}
    return {**values, **times, "kind": asked.kind.value, "state": asked.state.value}


def _store(connection: Connection, asked: Request) -> None:
    connection.execute(
        update(RightsRequest).where(RightsRequest.id == asked.id).values(_values(asked))
    )


def _told(asked: Request) -> dict[str, Any]:
    """What a record holds: the kind and where it stands; words of people stay in the table."""
    told = {"kind": asked.kind.value, "state": asked.state.value, "granted": asked.granted}
    return {name: value for name, value in told.items() if value is not None}


def _tell(connection: Connection, made: By, before: dict[str, Any], after: Request) -> None:
    entry = changing.changed(
        Event.RIGHTS_REQUEST_CHANGED,
        made,
        Ref("person", after.person),
        before,
        _told(after),
        people=[after.person],
        more={"request": after.id},
    )
    changing.record(connection, [entry])
