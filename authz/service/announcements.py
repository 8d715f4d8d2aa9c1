"""Notices of the policy: published, acknowledged, and who has not yet (N-52, E-08)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from secrets import token_hex
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, exists, func, insert, select

from authz.audit.record import Ref, timestamp
from authz.directory.held import in_force
from authz.directory.tables import Grant, Person
from authz.errors import ConflictError, MalformedError, NotFoundError
from authz.privacy.tables import Acknowledgement, Announcement
from authz.service import by_hand, changing, shown
from authz.service.database import reading, writing
from authz.service.decide import DecisionPoint
from authz.service.tables import SignIn
from authz.vocabulary import Event

AUDIENCES: Final = ("staff", "everybody")
"""Who has to read it: whoever holds a granted role, or whoever can sign in."""
TEXTS: Final = ("title_th", "title_en", "text_th", "text_en")


def publish(
    point: DecisionPoint, texts: Mapping[str, str], audience: str, *, by: str, why: str
) -> str:
    """Publish a notice about the policy in force, and return its id; it needs both languages."""
    made = by_hand.author(by, why)
    said = {name: texts.get(name, "").strip() for name in TEXTS}
    if not all(said.values()) or audience not in AUDIENCES:
        raise MalformedError("A notice is in Thai and in English.", where="text")
    ident = f"A-{token_hex(6)}"
    row = {"id": ident, "policy": point.policy.digest, "audience": audience, **said}
    row |= {"published_at": timestamp(made.at), "published_by": by}
    with writing(point.store) as connection:
        connection.execute(insert(Announcement).values(row))
        entry = changing.changed(
            Event.ANNOUNCED,
            made,
            Ref("announcement", ident),
            {},
            {"policy": point.policy.digest, "audience": audience},
        )
        changing.record(connection, [entry])
    return ident


def acknowledge(point: DecisionPoint, ident: str, *, by: str) -> None:
    """Say that one has read a notice; NotFoundError of none, ConflictError the second time."""
    made = by_hand.author(by, "read")
    with writing(point.store) as connection:
        if connection.scalar(select(Announcement.id).where(Announcement.id == ident)) is None:
            raise NotFoundError("There is no such notice.", where=ident)
        if connection.scalar(_read(ident, by)) is not None:
            raise ConflictError("You have acknowledged this notice.", where=ident)
        connection.execute(
            insert(Acknowledgement).values(announcement=ident, person=by, at=timestamp(made.at))
        )
        entry = changing.changed(
            Event.ACKNOWLEDGED,
            made,
            Ref("announcement", ident),
            {},
            {"acknowledged": True},
            people=[by],
        )
        changing.record(connection, [entry])


def _read(ident: str, person: str) -> Any:
    return select(Acknowledgement.at).where(
        Acknowledgement.announcement == ident, Acknowledgement.person == person
    )


def mine(point: DecisionPoint, person: str) -> list[Any]:
    """The notices, newest first, with when this person acknowledged each."""
    with reading(point.store) as connection:
        rows = connection.execute(
            select(*Announcement.__table__.c, Acknowledgement.at.label("acknowledged_at"))
            .outerjoin(
                Acknowledgement,
                and_(
                    Acknowledgement.announcement == Announcement.id,
                    Acknowledgement.person == person,
                ),
            )
            .order_by(Announcement.published_at.desc(), Announcement.id)
            .limit(50)
        )
        return list(rows)


def published(point: DecisionPoint, at: datetime) -> list[dict[str, Any]]:
    """The notices, newest first, with how many of those concerned acknowledged each."""
    read = (
        select(Acknowledgement.announcement, func.count().label("number"))
        .group_by(Acknowledgement.announcement)
        .subquery()
    )
    with reading(point.store) as connection:
        concerned = {name: _number(connection, name, at) for name in AUDIENCES}
        rows = connection.execute(
            select(*Announcement.__table__.c, func.coalesce(read.c.number, 0).label("read"))
            .outerjoin(read, read.c.announcement == Announcement.id)
            .order_by(Announcement.published_at.desc(), Announcement.id)
            .limit(50)
        )
        return [
            {**row._mapping, "concerned": concerned[row.audience]}  # noqa: SLF001 (public so)
            for row in rows
        ]


def _number(connection: Connection, audience: str, at: datetime) -> int:
    found = select(func.count()).select_from(Person).where(_concerned(audience, at))
    return int(connection.scalar(found) or 0)


def _concerned(audience: str, at: datetime) -> ColumnElement[bool]:
    """That a person has to read what is for this audience, at that moment."""
    if audience == "everybody":
        signs_in = and_(SignIn.person == Person.id, SignIn.disabled_at.is_(None))
        return and_(Person.status == "active", exists().where(signs_in))
    holds = and_(Grant.person == Person.id, in_force(at))
    return and_(Person.status == "active", exists().where(holds))


def readers(
    point: DecisionPoint, ident: str, at: datetime, *, after: str = "", limit: int = 100
) -> tuple[Any, list[Any], str]:
    """A notice and those concerned by name, with when each acknowledged it, and the next page.

    NotFoundError where there is no such notice; MalformedError where ``after`` is no place.
    """
    later = shown.following(Person.name_order, Person.id, shown.place(after))
    with reading(point.store) as connection:
        notice = connection.execute(
            select(*Announcement.__table__.c).where(Announcement.id == ident)
        ).one_or_none()
        if notice is None:
            raise NotFoundError("There is no such notice.", where=ident)
        rows = connection.execute(
            select(
                *(Person.id, Person.given_name, Person.family_name, Person.name_order),
                Acknowledgement.at,
            )
            .outerjoin(
                Acknowledgement,
                and_(Acknowledgement.announcement == ident, Acknowledgement.person == Person.id),
            )
            .where(
                _concerned(notice.audience, at),
                later,
            )
            .order_by(Person.name_order, Person.id)
            .limit(limit + 1)
        ).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return notice, list(rows[:limit]), shown.after((last.name_order, last.id) if last else None)
