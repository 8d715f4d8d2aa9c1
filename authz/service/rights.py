"""Rights with an end: asked for, answered by others, extended, ended (N-43, N-44).

What an approval gives is a fact, ``grant`` or ``elevation``, written in the transaction of
the last answer: there is no right without its request, and none that does not end.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from secrets import token_hex
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, and_, insert, select, update

from authz.audit.record import Entry, Ref, timestamp
from authz.directory.recording.change import ORIGIN
from authz.directory.tables import Elevation, Grant, Organisation
from authz.errors import ConflictError, MalformedError, NotFoundError
from authz.review import rights as life
from authz.review.rights import Asked, Kind, State, Vote
from authz.review.tables import RightRequest, RightVote
from authz.service import by_hand, changing, separation
from authz.service.changing import By
from authz.service.database import reading, writing
from authz.service.decide import DecisionPoint
from authz.service.people import named
from authz.service.reach import Reach
from authz.vocabulary import GRANTABLE_ROLES, Event, Role

_MOMENTS: Final = ("asked_at", "until", "begun")


def ask_for(  # noqa: PLR0913 (what a request says, by name)
    point: DecisionPoint,
    kind: Kind,
    *,
    by: str,
    why: str,
    needed: int,
    role: str = "",
    organisation: str | None = None,
    hours: int | None = None,
    until: datetime | None = None,
    begun: datetime | None = None,
) -> str:
    """Ask for a right for oneself, and return the request's id.

    ``begun`` names the right that is to be extended by its begin. MalformedError or
    NotFoundError where it cannot be had, SeparationError where it meets another role.
    """
    made = by_hand.author(by, why)
    elevation = kind is Kind.ELEVATION
    asked = life.ask(
        Asked(
            id=f"R-{token_hex(8)}",
            kind=kind,
            person=by,
            role="" if elevation else role,
            organisation=organisation or None,
            reason=made.why,
            asked_at=made.at,
            needed=needed,
            hours=hours if elevation else None,
            until=None if elevation else until,
            begun=begun,
        )
    )
    with writing(point.store) as connection:
        _possible(connection, point, asked, made.at)
        connection.execute(insert(RightRequest).values(_values(asked)))
        _tell(connection, Event.RIGHT_ASKED, made, {}, asked)
    return asked.id


def answer_request(
    point: DecisionPoint, ident: str, *, approves: bool, by: str, why: str, reach: Reach
) -> State:
    """Approve a request or refuse it; the last approval that is needed gives the right.

    NotFoundError where it is beyond the approver's reach, ConflictError where it is the
    approver's own or answered, SeparationError where the role meets another by now.
    """
    made = by_hand.author(by, why)
    with writing(point.store) as connection:
        before = _get(connection, ident, answerable(point, reach, made.at))
        after = life.answer(before, Vote(by, approves), made.at)
        vote = {"request": ident, "person": by, "approves": approves}
        connection.execute(insert(RightVote).values(**vote, at=timestamp(made.at), why=made.why))
        _move(connection, after, made)
        _tell(connection, Event.RIGHT_ANSWERED, made, _told(before), after)
        if after.state is State.APPROVED:
            _give(connection, point, after, made)
    return after.state


def answerable(point: DecisionPoint, reach: Reach, at: datetime) -> ColumnElement[bool]:
    """That a request is one to answer for somebody of that reach (N-43, N-44).

    What is asked for at a school is answered there, but for the roles that no school gives.
    """
    within = reach.covers(point, RightRequest.organisation, at)
    if reach.everywhere:
        return within
    return and_(within, RightRequest.role.not_in([role.value for role in life.OVERSEEN]))


def withdraw(point: DecisionPoint, ident: str, *, by: str, why: str) -> None:
    """Take one's own request back; NotFoundError where it is somebody else's."""
    made = by_hand.author(by, why)
    with writing(point.store) as connection:
        before = _get(connection, ident, RightRequest.person == by)
        after = life.withdraw(before, by)
        _move(connection, after, made)
        _tell(connection, Event.RIGHT_WITHDRAWN, made, _told(before), after)


def end(point: DecisionPoint, kind: Kind, ident: str, *, by: str, why: str) -> None:
    """Give a right of one's own back before its end; NotFoundError where there is none."""
    table: Any = Elevation if kind is Kind.ELEVATION else Grant
    made = by_hand.author(by, why)
    with writing(point.store) as connection:
        row = connection.execute(
            select(*table.__table__.c).where(
                table.id == ident, table.person == by, table.ended_at.is_(None)
            )
        ).one_or_none()
        if row is None:
            raise NotFoundError("There is no such right of yours.", where=ident)
        key = {"person": by, "from": row.valid_from}
        where = {"school": row.school} if kind is Kind.ELEVATION else _role_of(row)
        fact = "elevation" if kind is Kind.ELEVATION else "grant"
        by_hand.within(connection, point, [{"fact": fact, "delete": True, **key, **where}], made)


def _role_of(row: Any) -> dict[str, Any]:
    if row.origin != ORIGIN:
        raise ConflictError("This role came with a roster, and ends there.", where=row.id)
    return {"role": row.role, "organisation": row.organisation}


def _possible(connection: Connection, point: DecisionPoint, asked: Asked, now: datetime) -> None:
    """That there is such a role and such a school, and that it meets no other role."""
    if asked.kind is Kind.ROLE:
        if asked.role not in tuple(GRANTABLE_ROLES):
            raise MalformedError("There is no such role to be had.", where="role")
        if asked.role == Role.SCHOOL_ADMIN and not asked.organisation:
            raise MalformedError("This role is held at a school.", where="organisation")
        separation.check(connection, point.policy.catalogue, asked.person, asked.role, now)
    if asked.organisation and not _living(connection, asked.organisation):
        raise NotFoundError("There is no such school.", where="organisation")
    if asked.begun and _extended(connection, asked, now) is None:
        raise NotFoundError("There is no right of yours to extend.", where="begun")


def _living(connection: Connection, organisation: str) -> bool:
    found = select(Organisation.id).where(
        Organisation.id == organisation, Organisation.ended_at.is_(None)
    )
    return connection.scalar(found) is not None


def _extended(connection: Connection, asked: Asked, now: datetime) -> Any:
    """The right that the request is to extend, in force still."""
    table: Any = Elevation if asked.kind is Kind.ELEVATION else Grant
    at = Elevation.school if asked.kind is Kind.ELEVATION else Grant.organisation
    which = [] if asked.kind is Kind.ELEVATION else [Grant.role == asked.role]
    return connection.execute(
        select(table.id, *([table.justification] if asked.kind is Kind.ELEVATION else [])).where(
            table.person == asked.person,
            table.valid_from == asked.begun,
            table.valid_until > now,
            table.ended_at.is_(None),
            at.is_not_distinct_from(asked.organisation),
            *which,
        )
    ).first()


def _give(connection: Connection, point: DecisionPoint, asked: Asked, made: By) -> None:
    """Write the fact; the right begins now, or goes on from where it began."""
    since = asked.begun or made.at
    person = {"person": asked.person, "from": since, "until": asked.ends(made.at)}
    if asked.kind is Kind.ELEVATION:
        about = {"school": asked.organisation, "justification": asked.reason}
        line = {"fact": "elevation", **person, **about, "approved_by": made.who}
    else:
        separation.check(connection, point.policy.catalogue, asked.person, asked.role, made.at)
        about = {"role": asked.role, "organisation": asked.organisation, "reason": asked.reason}
        line = {"fact": "grant", **person, **about, "granted_by": made.who}
    by_hand.within(connection, point, [line], made)


def _move(connection: Connection, asked: Asked, made: By) -> None:
    decided = timestamp(made.at) if asked.state is not State.WAITING else None
    connection.execute(
        update(RightRequest)
        .where(RightRequest.id == asked.id)
        .values(state=asked.state.value, decided_at=decided)
    )


def _get(connection: Connection, ident: str, *narrowed: Any) -> Asked:
    """The request, and held until the transaction ends: two answers at once wait."""
    row = connection.execute(
        select(*RightRequest.__table__.c)
        .where(RightRequest.id == ident, *narrowed)
        .with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFoundError("There is no such request.", where=ident)
    votes = connection.execute(
        select(RightVote.person, RightVote.approves).where(RightVote.request == ident)
    )
    return replace(asked_of(row), votes=tuple(Vote(*vote) for vote in votes))


def asked_of(row: Any) -> Asked:
    """A row of the table as the state machine knows it."""
    values = {name: getattr(row, name) for name in Asked.__slots__ if hasattr(row, name)}
    times = {name: values[name] and datetime.fromisoformat(values[name]) for name in _MOMENTS}
    return Asked(**{**values, **times, "kind": Kind(row.kind), "state": State(row.state)})


def _values(asked: Asked) -> dict[str, Any]:
    values = {name: getattr(asked, name) for name in Asked.__slots__ if name != "votes"}
    times = {name: values[name] and timestamp(values[name]) for name in _MOMENTS}
    return {**values, **times, "kind": asked.kind.value, "state": asked.state.value}


def _told(asked: Asked) -> dict[str, Any]:
    """What a record holds: which right, until when, and where the request stands; no text."""
    approvals = sum(vote.approves for vote in asked.votes)
    values = {k: v for k, v in _values(asked).items() if v and k not in {"reason", "id"}}
    return {**values, "approvals": approvals}


def _tell(
    connection: Connection, event: Event, made: By, before: dict[str, Any], after: Asked
) -> None:
    entry: Entry = changing.changed(
        event,
        made,
        Ref("person", after.person),
        before,
        _told(after),
        people=[after.person],
        more={"request": after.id},
    )
    changing.record(connection, [entry])


def schools(store: Engine) -> list[tuple[str, str]]:
    """The living schools by name: what somebody may be elevated at."""
    with reading(store) as connection:
        return named(
            connection.execute(
                select(Organisation.id, Organisation.name).where(
                    Organisation.ended_at.is_(None), Organisation.type.in_(("school", ""))
                )
            )
        )
