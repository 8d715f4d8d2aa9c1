"""A person's consents: recorded, and withdrawn with effect on the next decision (E-03, N-36)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from authz.directory.tables import Consent, Project
from authz.errors import NotFoundError
from authz.service import by_hand
from authz.service.database import reading, writing
from authz.service.decide import DecisionPoint

BASIS = "consent"


@dataclass(frozen=True, slots=True)
class Given:
    """A consent on file."""

    id: str
    purpose: str
    project: str | None
    given_at: datetime
    withdrawn_at: datetime | None
    because: str

    @property
    def in_force(self) -> bool:
        """Whether it was not withdrawn."""
        return self.withdrawn_at is None


def of(point: DecisionPoint, person: str) -> list[Given]:
    """The person's consents, newest first."""
    with reading(point.store) as connection:
        rows = connection.execute(
            select(*Consent.__table__.c)
            .where(Consent.person == person)
            .order_by(Consent.given_at.desc(), Consent.id)
        )
        return [
            Given(
                row.id, row.purpose, row.project, row.given_at, row.withdrawn_at or row.ended_at,
                row.recorded_because,
            )
            for row in rows
        ]  # fmt: skip


def purposes(point: DecisionPoint) -> list[str]:
    """The purposes of the pack that need a consent."""
    found = point.policy.catalogue.purposes.values()
    return [purpose.id for purpose in found if purpose.basis == BASIS]


def projects(point: DecisionPoint) -> list[str]:
    """The projects that have not ended, for which a consent may be given."""
    with reading(point.store) as connection:
        chosen = select(Project.id).where(
            Project.ended_at.is_(None), Project.project_ended_at.is_(None)
        )
        return list(connection.scalars(chosen.order_by(Project.id)))


def give(
    point: DecisionPoint,
    person: str,
    purpose: str,
    *,
    project: str | None,
    given_at: datetime | None,
    by: str,
    why: str,
) -> None:
    """Record that the person consented; ``why`` says how it was given."""
    made = by_hand.author(by, why)
    line: dict[str, Any] = {"fact": "consent", "person": person, "purpose": purpose}
    line |= {"project": project}
    line |= {"given_at": given_at or made.at}
    by_hand.put_down(point, [line], by=by, why=why)


def withdraw(point: DecisionPoint, person: str, ident: str, *, by: str, why: str) -> None:
    """Withdraw a consent now; NotFoundError where it is not the person's or not in force."""
    made = by_hand.author(by, why)
    with writing(point.store) as connection:
        row = connection.execute(
            select(*Consent.__table__.c).where(
                Consent.id == ident, Consent.person == person, Consent.withdrawn_at.is_(None)
            )
        ).one_or_none()
        if row is None:
            raise NotFoundError("There is no such consent in force.", where=ident)
        line = {"fact": "consent", "person": person, "purpose": row.purpose}
        line |= {"project": row.project, "given_at": row.given_at, "withdrawn_at": made.at}
        by_hand.within(connection, point, [line], made)
