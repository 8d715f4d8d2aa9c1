"""The end of a review: silence handled, the guard, and what was decided applied (N-47)."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import Connection, func, select

from authz import clock
from authz.review import campaign as steps
from authz.review import item as pure
from authz.review.definition import from_dict
from authz.review.item import RefusedError
from authz.review.tables import Campaign
from authz.review.words import ItemState, Remediation, State, Step, Wrong
from authz.service.database import reading, writing
from authz.service.reviews import campaigns, remedies, reminders
from authz.service.reviews.campaigns import Bench, Reach
from authz.service.reviews.records import ITSELF, Actor, moment, needs, record, text
from authz.service.reviews.rows import ITEM, item_of, values_of, write

WAITING = (ItemState.OPEN.value, ItemState.ANSWERED.value)


def close(bench: Bench, campaign: str, who: Actor, because: str, reach: Reach) -> State:
    """Close a review whose time is over, or of which nothing is left open.

    What nobody answered is handled as the definition says: where that asks the fallback, the
    review goes on and its state is returned. RefusedError before its time.
    """
    needs(because)
    now = clock.now()
    with writing(bench.store) as connection:
        row = campaigns.locked(connection, campaign, reach)
        if State(row.state) not in steps.RUNNING:
            raise RefusedError(Wrong.NOT_NOW)
        due = moment(row.due_at)
        early = due is not None and now < due
        definition = from_dict(row.members)
        open_rows = connection.execute(
            select(ITEM).where(ITEM.c.campaign == campaign, ITEM.c.state.in_(WAITING))
        ).all()
        if open_rows and early:
            raise RefusedError(Wrong.OPEN_ITEMS)
        handled = {r.number: pure.unanswered(item_of(r), definition.no_answer) for r in open_rows}
        write(connection, campaign, {n: values_of(each) for n, each in handled.items()})
        passed = sum(each.state is ItemState.OPEN for each in handled.values())
        detail = {"unanswered": len(handled), "asked_again": passed}
        record(connection, who, "close", campaign, because=because, detail=detail)
        if passed:
            days = definition.stages[row.stage - 1].days
            campaigns.change(connection, campaign, due_at=text(now + timedelta(days=days)))
            reminders.queue(connection, campaign, now)
            return State(row.state)
        campaigns.change(
            connection, campaign, state=steps.after(State(row.state), Step.SUBMIT).value
        )
        return finish(connection, campaign, who, now)


def finish(connection: Connection, campaign: str, who: Actor, now: datetime) -> State:
    """Close a campaign that is submitted; apply it, unless the guard wants a second person.

    A small review that an event opened is about one right or two: it has no guard.
    """
    row = campaigns.found(connection, campaign, None)
    state = steps.after(State(row.state), Step.CLOSE)
    ending = connection.scalar(
        select(func.count()).where(
            ITEM.c.campaign == campaign, ITEM.c.remediation == Remediation.END.value
        )
    )
    guard = bool(row.definition) and steps.guarded(ending or 0, row.items)
    campaigns.change(
        connection,
        campaign,
        state=state.value,
        closed_at=text(now),
        closed_by=who.id,
        guard=guard,
    )
    if guard:
        detail = {"ending": ending, "items": row.items}
        receipt = record(connection, who, "guard", campaign, detail=detail)
        campaigns.change(connection, campaign, trail_last=receipt.sequence)
        return state
    return _applied(connection, campaign, who, now)


def confirm(bench: Bench, campaign: str, who: Actor, because: str, reach: Reach) -> State:
    """Apply what the guard held back, by a second person (RefusedError where it is not one)."""
    needs(because)
    with writing(bench.store) as connection:
        row = campaigns.locked(connection, campaign, reach)
        if State(row.state) is not State.CLOSED:
            raise RefusedError(Wrong.NOT_NOW)
        ending = connection.execute(
            select(ITEM.c.verdict_by, ITEM.c.verdict_for, ITEM.c.holder)
            .where(ITEM.c.campaign == campaign, ITEM.c.remediation == Remediation.END.value)
            .distinct()
        ).all()
        involved = {name for each in ending for name in each}
        if "" in {each.verdict_by for each in ending}:  # silence ends it, and who closed it
            involved.add(row.closed_by)
        steps.confirmed(frozenset(involved), who.id, guard=row.guard)
        record(connection, who, "confirm", campaign, because=because)
        campaigns.change(connection, campaign, confirmed_by=who.id)
        return _applied(connection, campaign, who, clock.now())


def decline(bench: Bench, campaign: str, who: Actor, because: str, reach: Reach) -> State:
    """Let everything stand that the guard held back; the other verdicts are applied.

    RefusedError for whoever would so keep a right of their own, or one that is held over them.
    """
    needs(because)
    with writing(bench.store) as connection:
        row = campaigns.locked(connection, campaign, reach)
        if State(row.state) is not State.CLOSED or not row.guard:
            raise RefusedError(Wrong.NO_GUARD)
        held_back = (ITEM.c.campaign == campaign, ITEM.c.remediation == Remediation.END.value)
        parties = select(ITEM.c.holder, ITEM.c.person).where(*held_back)
        if any(who.id in each for each in connection.execute(parties)):
            raise RefusedError(Wrong.YOUR_OWN)
        connection.execute(
            ITEM.update()
            .where(*held_back)
            .values(remediation=Remediation.NONE.value, state=ItemState.UNDONE.value,
                    undone_by=who.id, undone_at=text(clock.now()))
        )  # fmt: skip
        record(connection, who, "decline", campaign, because=because)
        campaigns.change(connection, campaign, confirmed_by=who.id)
        return _applied(connection, campaign, who, clock.now())


def _applied(connection: Connection, campaign: str, who: Actor, now: datetime) -> State:
    row = campaigns.found(connection, campaign, None)
    state = steps.after(State(row.state), Step.APPLY)
    done = remedies.apply(connection, campaign, who, now)
    days = from_dict(row.members).undo_days
    receipt = record(connection, who, "apply", campaign, detail={"done": dict(Counter(done))})
    campaigns.change(
        connection,
        campaign,
        state=state.value,
        applied_at=text(now),
        undo_until=text(steps.undo_until(now, days)),
        trail_last=receipt.sequence,
    )
    return state


def close_due(bench: Bench) -> int:
    """Close every review whose time is over, as the service itself; how many it handled."""
    with reading(bench.store) as connection:
        due = connection.scalars(
            select(Campaign.id).where(
                Campaign.state.in_([each.value for each in steps.RUNNING]),
                Campaign.due_at <= text(clock.now()),
            )
        ).all()
    for campaign in due:
        close(bench, campaign, ITSELF, "due", None)
    return len(due)
