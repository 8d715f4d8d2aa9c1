"""Lists of requests of people's own rights (N-30 to N-37)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, or_, select

from authz import clock
from authz.directory.held import in_force
from authz.directory.storable import storable
from authz.directory.tables import Case, CasePerson, Grant, Membership, Person
from authz.errors import MalformedError
from authz.privacy.requests import DAYS, Request, State
from authz.privacy.tables import RightsRequest
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.people import within
from authz.service.permitted import permitted
from authz.service.reviews import schools
from authz.service.rights_requests import KIND, as_request
from authz.vocabulary import Role


@dataclass(frozen=True, slots=True)
class Filed:
    """A request as lists show it; ``request`` is None for a case without one."""

    id: str
    person: str
    name: str
    assignee: str
    opened_at: datetime
    due_at: datetime
    closed_at: datetime | None
    request: Request | None

    @property
    def waits(self) -> bool:
        """Whether the clock runs."""
        return self.closed_at is None and (self.request is None or self.request.state is State.OPEN)


def of(point: DecisionPoint, person: str) -> list[Filed]:
    """The person's requests, newest first."""
    with reading(point.store) as connection:
        statement = _filed().where(CasePerson.person == person)
        rows = connection.execute(statement.order_by(Case.opened_at.desc(), Case.id))
        return [_as_filed(point, row) for row in rows]


def handlers(point: DecisionPoint, person: str) -> list[tuple[str, str]]:
    """Who can be given a person's request, by name: officers, and who administers their school."""
    now, p = clock.now(), Person
    with reading(point.store) as connection:
        at = select(Membership.organisation).where(
            Membership.person == person, within(Membership, now)
        )
        tree = schools.read(connection, now)
        lines = (line for place in connection.scalars(at.distinct()) for line in tree.line(place))
        admins = {admin for line in lines for admin in line}
        officers = select(Grant.person).where(in_force(now, [Role.DPO], everywhere=True))
        rows = connection.execute(
            select(p.id, p.given_name, p.family_name)
            .where(p.id.in_(admins) | p.id.in_(officers), p.id != person, p.status == "active")
            .order_by(p.name_order, p.id)
        )
        return [(row.id, f"{row.given_name} {row.family_name}".strip() or row.id) for row in rows]


def waiting(
    point: DecisionPoint,
    console: DecisionPoint,
    me: str,
    *,
    mfa: bool,
    after: str = "",
    limit: int = 50,
) -> tuple[list[Filed], str]:
    """The open requests of those whose requests the reader may see, the oldest first.

    The oldest is due first. The second member asks for the next page.
    """
    order = (Case.opened_at, Case.id, CasePerson.person)
    statement = permitted(
        _filed().where(
            Case.closed_at.is_(None),
            Case.ended_at.is_(None),
            or_(RightsRequest.state.is_(None), RightsRequest.state != State.CLOSED.value),
        ),
        me,
        "read",
        KIND,
        person=CasePerson.person,
        context={"mfa": True} if mfa else {},
        policy=console.policy,
        place=console.place,
    )
    if after:
        statement = statement.where(_later(after))
    with reading(point.store) as connection:
        rows = connection.execute(statement.order_by(*order).limit(limit + 1)).all()
    found = [_as_filed(point, row) for row in rows[:limit]]
    more = len(rows) > limit
    last = found[-1] if more else None
    return found, json.dumps([last.opened_at.isoformat(), last.id, last.person]) if last else ""


def _later(after: str) -> Any:
    try:
        time, ident, person = json.loads(after)
        at = datetime.fromisoformat(time)
    except (ValueError, TypeError, RecursionError) as error:
        raise MalformedError("This is no place in a list.", where="after") from error
    if not all(isinstance(each, str) and storable(each) for each in (ident, person)):
        raise MalformedError("This is no place in a list.", where="after")
    return or_(
        Case.opened_at > at,
        and_(Case.opened_at == at, Case.id > ident),
        and_(Case.opened_at == at, Case.id == ident, CasePerson.person > person),
    )


def _filed() -> Any:
    request = [column.label(f"r_{column.name}") for column in RightsRequest.__table__.c]
    return (
        select(
            Case.id,
            Case.assignee,
            Case.opened_at,
            Case.closed_at,
            CasePerson.person,
            Person.given_name,
            Person.family_name,
            *request,
        )
        .join(CasePerson, CasePerson.case == Case.id)
        .join(Person, Person.id == CasePerson.person)
        .outerjoin(
            RightsRequest,
            and_(RightsRequest.id == Case.id, RightsRequest.person == CasePerson.person),
        )
        .where(Case.kind == KIND)
    )


def _as_filed(point: DecisionPoint, row: Any) -> Filed:
    request = None
    if row.r_id is not None:
        names = RightsRequest.__table__.c.keys()
        request = as_request(_Row({name: getattr(row, f"r_{name}") for name in names}))
    return Filed(
        id=row.id,
        person=row.person,
        name=f"{row.given_name} {row.family_name}".strip() or row.person,
        assignee=row.assignee,
        opened_at=row.opened_at,
        due_at=clock.add_days(row.opened_at, DAYS, point.place.local),
        closed_at=row.closed_at,
        request=request,
    )


class _Row:
    """Columns under their own names again."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.__dict__.update(values)
