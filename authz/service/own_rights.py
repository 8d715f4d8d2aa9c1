"""What somebody holds that ends, what they asked for, and what waits for their answer (N-43)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from authz.audit.record import timestamp
from authz.directory.tables import Elevation, Grant, Organisation, Person
from authz.review.rights import Kind, State
from authz.review.tables import RightRequest, RightVote
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.reach import Reach
from authz.service.rights import answerable


@dataclass(frozen=True, slots=True)
class Held:
    """A right of somebody; ``until`` is empty where it has no end."""

    kind: Kind
    id: str
    role: str
    organisation: str | None
    place: str
    since: datetime | None
    until: datetime | None
    by: str
    reason: str


def held(point: DecisionPoint, person: str, at: datetime) -> list[Held]:
    """The granted roles and elevations of the person that have not ended, the nearest end first."""
    with reading(point.store) as connection:
        found = [
            Held(
                Kind.ROLE, row.id, row.role, row.organisation, row.name or "", row.valid_from,
                row.valid_until, row.granted_by, row.reason,
            )
            for row in connection.execute(_rows(Grant, Grant.organisation, person))
            if row.valid_until is None or row.valid_until > at
        ]  # fmt: skip
        found += [
            Held(
                Kind.ELEVATION, row.id, "", row.school, row.name or "", row.valid_from,
                row.valid_until, row.approved_by or "", row.justification,
            )
            for row in connection.execute(_rows(Elevation, Elevation.school, person))
            if row.valid_until > at
        ]  # fmt: skip
    return sorted(found, key=lambda each: (each.until is None, each.until or at))


def _rows(table: Any, where: Any, person: str) -> Any:
    return (
        select(*table.__table__.c, Organisation.name)
        .outerjoin(Organisation, Organisation.id == where)
        .where(table.person == person, table.ended_at.is_(None))
    )


def requests(point: DecisionPoint, person: str, limit: int = 20) -> list[Any]:
    """What the person asked for, newest first, with the answers."""
    with reading(point.store) as connection:
        rows = connection.execute(
            _asked()
            .where(RightRequest.person == person)
            .order_by(RightRequest.asked_at.desc(), RightRequest.id)
            .limit(limit)
        ).all()
        return _with_votes(connection, rows)


def waiting(
    point: DecisionPoint, reach: Reach, at: datetime, *, after: str = "", limit: int = 50
) -> tuple[list[Any], str]:
    """The requests that wait for somebody like this one, oldest first, never their own.

    The second member asks for the next page, and is empty after the last.
    """
    order = (RightRequest.asked_at, RightRequest.id)
    statement = _asked().where(
        RightRequest.state == State.WAITING.value,
        RightRequest.person != reach.person,
        answerable(point, reach, at),
        (RightRequest.until.is_(None)) | (RightRequest.until > timestamp(at)),
    )
    if after:
        time, _, ident = after.partition("/")
        statement = statement.where((order[0] > time) | ((order[0] == time) & (order[1] > ident)))
    with reading(point.store) as connection:
        rows = connection.execute(statement.order_by(*order).limit(limit + 1)).all()
        shown = _with_votes(connection, rows[:limit])
    last = rows[limit - 1] if len(rows) > limit else None
    return shown, f"{last.asked_at}/{last.id}" if last else ""


def _asked() -> Any:
    return (
        select(
            *RightRequest.__table__.c,
            Organisation.name.label("place"),
            Person.given_name,
            Person.family_name,
        )
        .outerjoin(Organisation, Organisation.id == RightRequest.organisation)
        .join(Person, Person.id == RightRequest.person)
    )


def _with_votes(connection: Any, rows: Any) -> list[dict[str, Any]]:
    """Each request with its answers, all read at once."""
    votes: dict[str, list[Any]] = {}
    wanted = [row.id for row in rows]
    for vote in connection.execute(
        select(*RightVote.__table__.c).where(RightVote.request.in_(wanted)).order_by(RightVote.at)
    ):
        votes.setdefault(vote.request, []).append(vote)
    return [
        {**row._mapping, "until": _moment(row.until), "votes": votes.get(row.id, [])}  # noqa: SLF001 (public so)
        for row in rows
    ]


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
