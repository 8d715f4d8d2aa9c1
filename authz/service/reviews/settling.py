"""An emergency that was reviewed beside its small review: that need not be answered twice."""

from __future__ import annotations

from sqlalchemy import Connection, select

from authz import clock
from authz.review.words import ItemState, Kind
from authz.service.reviews import answering, campaigns
from authz.service.reviews.records import Actor, record, text
from authz.service.reviews.rows import ITEM, write

WAITING = (ItemState.OPEN.value, ItemState.ANSWERED.value)


def settle(connection: Connection, person: str, elevation: str, by: str) -> int:
    """Take what waits of that emergency out of its reviews, and close those that are done.

    How many items there were. It is part of the transaction that reviews the emergency.
    """
    rows = connection.execute(
        select(ITEM.c.campaign, ITEM.c.number, ITEM.c.facts).where(
            ITEM.c.holder == person, ITEM.c.kind == Kind.USE.value, ITEM.c.state.in_(WAITING)
        )
    ).all()
    waiting = [row for row in rows if row.facts.get("elevation") == elevation]
    now, who = clock.now(), Actor(by)
    for campaign in sorted({row.campaign for row in waiting}):
        campaigns.locked(connection, campaign, None)
        numbers = [row.number for row in waiting if row.campaign == campaign]
        values = {"state": ItemState.OVERTAKEN.value, "applied_at": text(now)}
        write(connection, campaign, dict.fromkeys(numbers, values))
        detail = {"items": len(numbers), "elevation": elevation}
        record(connection, who, "settle", campaign, detail=detail)
        answering.move_on(connection, campaign, who, now)
    return len(waiting)
