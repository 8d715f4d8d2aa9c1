"""Who may review: items tell of people, and go to nobody who was not granted a role (N-46)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, exists, select

from authz.directory.held import in_force
from authz.directory.tables import Grant, Person
from authz.vocabulary import Role

REVIEWING_ROLES: Final = (Role.SCHOOL_ADMIN, Role.DPO)
MOST_NAMED: Final = 500


def able(connection: Connection, people: Collection[str], now: datetime) -> set[str]:
    """Those of these people who may review: active, and with a role in force."""
    holds = exists().where(Grant.person == Person.id, in_force(now))
    known = select(Person.id).where(Person.id.in_(people), Person.status == "active", holds)
    return set(connection.scalars(known))


def possible(connection: Connection, now: datetime) -> Sequence[Any]:
    """Who is offered as reviewer or fallback: administrators and officers who are active."""
    return connection.execute(
        select(Person.id, Person.given_name, Person.family_name, Person.name_order)
        .join(Grant, Grant.person == Person.id)
        .where(in_force(now, REVIEWING_ROLES), Person.status == "active")
        .distinct()
        .order_by(Person.name_order, Person.id)
        .limit(MOST_NAMED)
    ).all()
