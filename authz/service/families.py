"""A student's guardians and what stands against them: added, ended, restricted (N-22).

Each change is the same fact that a facts file would hold. A roster's link is ended by a fact
of the same pair, which stands in its place from then on (2.4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select

from authz.directory.recording.change import ORIGIN
from authz.directory.tables import CustodyRestriction, Guardianship, Person
from authz.errors import ForbiddenError, MalformedError, NotFoundError
from authz.review.rights import said
from authz.service import by_hand
from authz.service.database import reading, writing
from authz.service.decide import DecisionPoint


@dataclass(frozen=True, slots=True)
class Link:
    """A guardianship or a restriction on file, and whether it holds now.

    ``superseded`` is a roster's link in whose place a fact stands.
    """

    id: str
    adult: str
    name: str
    kind: str
    since: datetime | None
    until: datetime | None
    holds: bool
    superseded: bool
    because: str
    basis: str = ""


def guardians(point: DecisionPoint, student: str, at: datetime) -> list[Link]:
    """Everybody who is or was linked to the student as an adult, those in force first."""
    with reading(point.store) as connection:
        rows = connection.execute(
            _with_name(Guardianship, Guardianship.guardian).where(Guardianship.student == student)
        ).all()
    facts = {row.guardian for row in rows if row.origin == ORIGIN}
    links = [
        _link(
            row,
            row.guardian,
            row.kind,
            at,
            superseded=row.origin != ORIGIN and row.guardian in facts,
        )
        for row in rows
    ]
    return sorted(links, key=lambda each: (not each.holds, each.name, each.id))


def restrictions(point: DecisionPoint, person: str, at: datetime) -> list[Link]:
    """Whom a document on file keeps away from the person."""
    with reading(point.store) as connection:
        rows = connection.execute(
            _with_name(CustodyRestriction, CustodyRestriction.subject).where(
                CustodyRestriction.person == person
            )
        ).all()
    links = [_link(row, row.subject, "", at, basis=row.basis) for row in rows]
    return sorted(links, key=lambda each: (not each.holds, each.name, each.id))


def _with_name(table: Any, adult: Any) -> Select[Any]:
    return select(*table.__table__.c, Person.given_name, Person.family_name).join(
        Person, Person.id == adult
    )


def _link(
    row: Any, adult: str, kind: str, at: datetime, *, superseded: bool = False, basis: str = ""
) -> Link:
    begun = row.valid_from is None or row.valid_from <= at
    over = row.ended_at is not None or (row.valid_until is not None and row.valid_until <= at)
    name = f"{row.given_name} {row.family_name}".strip() or adult
    until = row.ended_at if row.ended_at is not None else row.valid_until
    return Link(
        row.id, adult, name, kind, row.valid_from, until, begun and not over and not superseded,
        superseded, row.recorded_because, basis,
    )  # fmt: skip


def add(
    point: DecisionPoint,
    student: str,
    guardian: str,
    kind: str,
    *,
    since: datetime | None,
    until: datetime | None,
    by: str,
    why: str,
) -> None:
    """Record a guardianship, in place of the pair's of the same kind.

    It gives a right, so that nobody records their own (N-43, N-44): ForbiddenError.
    """
    if guardian == by:
        raise ForbiddenError("Nobody records a guardianship of their own.")
    line = {"fact": "guardianship", "guardian": guardian, "student": student, "kind": kind}
    by_hand.put_down(point, [{**line, "from": since, "until": until}], by=by, why=why)


def end(point: DecisionPoint, student: str, ident: str, *, by: str, why: str) -> None:
    """End a guardianship now; NotFoundError where it is not one of this student."""
    made = by_hand.author(by, why)
    with writing(point.store) as connection:
        row = connection.execute(
            select(*Guardianship.__table__.c).where(
                Guardianship.id == ident, Guardianship.student == student
            )
        ).one_or_none()
        if row is None:
            raise NotFoundError("There is no such guardianship.", where=ident)
        line = {"fact": "guardianship", "guardian": row.guardian, "student": student}
        line |= {"kind": row.kind}
        begun = row.valid_from is None or row.valid_from < made.at
        past = {**line, "from": row.valid_from if begun else None, "until": made.at}
        by_hand.within(connection, point, [past], made)


def restrict(
    point: DecisionPoint,
    person: str,
    subject: str,
    *,
    basis: str,
    until: datetime | None,
    by: str,
    why: str,
) -> None:
    """Keep somebody away from the person from now on, by the document named."""
    if not basis.strip():
        raise MalformedError("Name the document.", where="basis")
    made = by_hand.author(by, why)
    line: dict[str, Any] = {"fact": "custody_restriction", "subject": subject, "person": person}
    line |= {"from": made.at, "until": until, "basis": basis.strip()}
    by_hand.put_down(point, [line], by=by, why=why)


def lift_restriction(
    point: DecisionPoint, person: str, subject: str, *, basis: str, by: str, why: str
) -> None:
    """End a restriction now, by the document named; NotFoundError where there is none."""
    if not basis.strip():
        raise MalformedError("Name the document.", where="basis")
    made = by_hand.author(by, f"{basis.strip()}: {said(why, 'why')}")
    with writing(point.store) as connection:
        known = select(CustodyRestriction.id).where(
            CustodyRestriction.subject == subject,
            CustodyRestriction.person == person,
            CustodyRestriction.ended_at.is_(None),
        )
        if connection.scalar(known) is None:
            raise NotFoundError("There is no such restriction.", where=subject)
        line = {"fact": "custody_restriction", "subject": subject, "person": person}
        by_hand.within(connection, point, [{**line, "delete": True}], made)
