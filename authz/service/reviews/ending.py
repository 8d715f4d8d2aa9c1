"""A review that does not run to its end: called off before it starts, or ended early (N-46).

What was said so far stays on file and in the report. Whoever ends a running review says
whether what was submitted counts; what was not submitted never does.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, select

from authz import clock
from authz.review import campaign as steps
from authz.review import item as pure
from authz.review.item import Item, RefusedError
from authz.review.words import ItemState, State, Step, Wrong
from authz.service.database import writing
from authz.service.reviews import campaigns, closing
from authz.service.reviews.campaigns import Bench, Reach
from authz.service.reviews.records import Actor, needs, record, text
from authz.service.reviews.rows import ITEM, item_of, values_of, write


def cancel(bench: Bench, campaign: str, who: Actor, because: str, reach: Reach) -> None:
    """Call off a review that was not started; RefusedError once it is."""
    needs(because)
    with writing(bench.store) as connection:
        row = campaigns.locked(connection, campaign, reach)
        if State(row.state) not in steps.PLANNED:
            raise RefusedError(Wrong.NOT_NOW)
        _call_off(connection, row, who, because)
        record(connection, who, "cancel", campaign, because=because)


def end_early(
    bench: Bench, campaign: str, who: Actor, because: str, reach: Reach, *, applied: bool
) -> State:
    """End a review that is running, and return its state.

    With ``applied`` what was submitted takes effect as at any other end, guard and undoing
    included; else nothing does. RefusedError for who holds a right that would be left
    unreviewed, and for a review that an event opened.
    """
    needs(because)
    with writing(bench.store) as connection:
        row = campaigns.locked(connection, campaign, reach)
        if State(row.state) not in steps.RUNNING:
            raise RefusedError(Wrong.NOT_NOW)
        if not row.definition:
            raise RefusedError(Wrong.BY_EVENT)
        before = _items(connection, campaign)
        after = {number: pure.ended_early(item, applied=applied) for number, item in before}
        left = [item for item in after.values() if item.state is ItemState.LEFT]
        if any(who.id in item.parties for item in left):
            raise RefusedError(Wrong.OWN_LEFT)
        write(connection, campaign, {number: values_of(item) for number, item in after.items()})
        counts = len(after) > len(left)
        said = Counter(item.answer.verdict.value for item in after.values() if item.answer)
        detail = {"verdicts": dict(said), "counts": counts, "left": len(left)}
        receipt = record(connection, who, "end_early", campaign, because=because, detail=detail)
        if not counts:
            _call_off(connection, row, who, because, trail_last=receipt.sequence)
            return State.CANCELLED
        state = steps.after(State(row.state), Step.SUBMIT)
        campaigns.change(connection, campaign, state=state.value, ended_because=because)
        return closing.finish(connection, campaign, who, clock.now())


def _items(connection: Connection, campaign: str) -> Sequence[tuple[int, Item]]:
    rows = connection.execute(select(ITEM).where(ITEM.c.campaign == campaign)).all()
    return [(row.number, item_of(row)) for row in rows]


def _call_off(connection: Connection, row: Any, who: Actor, because: str, **more: Any) -> None:
    campaigns.change(
        connection,
        row.id,
        state=steps.after(State(row.state), Step.CANCEL).value,
        closed_at=text(clock.now()),
        closed_by=who.id,
        ended_because=because,
        **more,
    )
