"""Items given to somebody else: an item for good, or all of one's own for a time (N-46).

Both names are recorded, and stand in the report.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select, update

from authz import clock
from authz.audit import log
from authz.audit.record import Ref
from authz.directory.tables import Person
from authz.errors import NotFoundError
from authz.review import item as pure
from authz.review.campaign import RUNNING
from authz.review.item import RefusedError
from authz.review.tables import Handover
from authz.review.words import State, Wrong
from authz.service.database import reading, writing
from authz.service.reviews import campaigns, reminders, reviewers
from authz.service.reviews.campaigns import Bench, Reach
from authz.service.reviews.listing import standing_for
from authz.service.reviews.records import Actor, entry, needs, new_id, record, text
from authz.service.reviews.rows import ITEM, item_of, values_of, write


def reassign(
    bench: Bench,
    campaign: str,
    numbers: Collection[int],
    taker: str,
    who: Actor,
    because: str,
    *,
    managing: bool = False,
    reach: Reach = None,
) -> int:
    """Give items to another reviewer, and return how many; their verdicts so far are gone.

    A reviewer gives their own; whoever runs the review (``managing``) gives any.
    """
    needs(because)
    now = clock.now()
    with writing(bench.store) as connection:
        row = campaigns.locked(connection, campaign, reach if managing else None)
        if State(row.state) not in RUNNING:
            raise RefusedError(Wrong.NOT_NOW)
        _can_review(connection, taker)
        asked = select(ITEM).where(ITEM.c.campaign == campaign, ITEM.c.number.in_(set(numbers)))
        if not managing:
            mine = standing_for(connection, who.id, now)
            asked = asked.where(ITEM.c.reviewer.in_(mine))
        rows = connection.execute(asked).all()
        if not rows or len(rows) != len(set(numbers)):
            raise NotFoundError("There is no such item for you to review.", where=campaign)
        changed = {r.number: values_of(pure.reassigned(item_of(r), taker)) for r in rows}
        write(connection, campaign, changed)
        connection.execute(
            insert(Handover),
            [_handover(campaign, r.number, r.reviewer, taker, now, because, who) for r in rows],
        )
        entries = [
            entry(
                who,
                "reassign",
                campaign,
                because=because,
                detail={"item": each.number, "from": each.reviewer, "to": taker},
                about=Ref("person", each.holder),
            )
            for each in rows
        ]
        log.append(connection, entries)
        reminders.queue(connection, campaign, now)
    return len(rows)


def delegate(
    bench: Bench, who: Actor, taker: str, since: datetime, until: datetime, because: str
) -> str:
    """Let somebody answer one's items for a time; RefusedError where the time is none."""
    needs(because)
    now = clock.now()
    if since >= until or until <= now:
        raise RefusedError(Wrong.UNTIL)
    if taker == who.id:
        raise RefusedError(Wrong.SAME_PERSON)
    with writing(bench.store) as connection:
        _can_review(connection, taker)
        ident = new_id()
        row = _handover("", None, who.id, taker, since, because, who)
        connection.execute(insert(Handover).values({**row, "id": ident, "until": text(until)}))
        detail = {"from": who.id, "to": taker, "since": since, "until": until}
        record(connection, who, "delegate", ident, because=because, detail=detail)
    return ident


def take_back(bench: Bench, ident: str, who: Actor) -> None:
    """End a delegation of one's own at once."""
    now = text(clock.now())
    with writing(bench.store) as connection:
        ended = connection.execute(
            update(Handover)
            .where(Handover.id == ident, Handover.giver == who.id, Handover.until > now)
            .values(until=now)
        )
        if ended.rowcount != 1:
            raise NotFoundError("There is no such delegation in force.", where=ident)
        record(connection, who, "take_back", ident)


def delegations(bench: Bench, person: str) -> list[Any]:
    """Those of a person that are in force or to come, given and taken."""
    with reading(bench.store) as connection:
        return list(
            connection.execute(
                select(Handover.__table__, Person.given_name, Person.family_name)
                .outerjoin(Person, Person.id == Handover.taker)
                .where(
                    (Handover.giver == person) | (Handover.taker == person),
                    Handover.number.is_(None),
                    Handover.until > text(clock.now()),
                )
                .order_by(Handover.since)
            )
        )


def _handover(  # noqa: PLR0917 (its columns)
    campaign: str,
    number: int | None,
    giver: str,
    taker: str,
    since: datetime,
    because: str,
    who: Actor,
) -> dict[str, Any]:
    return {
        "id": new_id(),
        "campaign": campaign,
        "number": number,
        "giver": giver,
        "taker": taker,
        "since": text(since),
        "until": None,
        "because": because,
        "by": who.id,
        "at": text(clock.now()),
    }


def _can_review(connection: Connection, person: str) -> None:
    if not reviewers.able(connection, [person], clock.now()):
        raise RefusedError(Wrong.NOT_A_REVIEWER)
