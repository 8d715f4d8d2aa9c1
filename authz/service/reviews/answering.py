"""Verdicts: one or many, and the submission that makes them count (N-46, N-47)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, func, insert, select

from authz import clock
from authz.audit import log
from authz.audit.record import Ref
from authz.errors import NotFoundError
from authz.review import campaign as steps
from authz.review import item as pure
from authz.review import reviewers as rule
from authz.review.definition import Definition, from_dict
from authz.review.item import Answer
from authz.review.tables import GivenVerdict
from authz.review.words import ItemState, Kind, State, Step, Verdict
from authz.service.database import reading, writing
from authz.service.reviews import campaigns, closing, planning, reminders
from authz.service.reviews import schools as tree
from authz.service.reviews.campaigns import Bench
from authz.service.reviews.listing import standing_for
from authz.service.reviews.records import Actor, entry, new_id, record, text
from authz.service.reviews.rows import ITEM, item_of, values_of, write


@dataclass(frozen=True, slots=True)
class Given:
    """What a reviewer says of one item or of many."""

    verdict: Verdict
    reason: str = ""
    until: datetime | None = None


def answer(bench: Bench, campaign: str, numbers: Collection[int], given: Given, who: Actor) -> int:
    """Take a verdict on the items of those numbers, and return how many there were.

    NotFoundError where one is not theirs to review; RefusedError where the verdict cannot be
    taken for one of them: then none is.
    """
    now = clock.now()
    with writing(bench.store) as connection:
        row = campaigns.locked(connection, campaign, None)
        mine = standing_for(connection, who.id, now)
        rows = connection.execute(
            select(ITEM).where(
                ITEM.c.campaign == campaign,
                ITEM.c.number.in_(set(numbers)),
                ITEM.c.reviewer.in_(mine),
            )
        ).all()
        if not rows or len(rows) != len(set(numbers)):
            raise NotFoundError("There is no such item for you to review.", where=campaign)
        state = steps.after(State(row.state), Step.ANSWER)
        _take(connection, campaign, rows, given, who, now)
        campaigns.change(connection, campaign, state=state.value)
    return len(rows)


def _take(
    connection: Connection,
    campaign: str,
    rows: Sequence[Any],
    given: Given,
    who: Actor,
    now: datetime,
) -> None:
    changed, history, entries = {}, [], []
    for row in rows:
        said = Answer(
            given.verdict,
            by=who.id,
            reason=given.reason.strip(),
            until=given.until if given.verdict is Verdict.KEEP_UNTIL else None,
            for_whom="" if row.reviewer == who.id else row.reviewer,
            bulk=len(rows) > 1,
        )
        after = pure.answered(item_of(row), said, now)
        changed[row.number] = {**values_of(after), "verdict_at": text(now)}
        detail = {
            "verdict": said.verdict.value,
            "until": text(said.until),
            "for_whom": said.for_whom,
            "bulk": said.bulk,
        }
        history.append(
            {"id": new_id(), "campaign": campaign, "number": row.number, "stage": row.stage}
            | {"reason": said.reason, "by": who.id, "at": text(now), **detail}
        )
        told = {**detail, "item": row.number, "kind": row.kind, "right": row.right_id}
        about = Ref("person", row.holder)
        entries.append(
            entry(who, "answer", campaign, because=said.reason, detail=told, about=about)
        )
    write(connection, campaign, changed)
    connection.execute(insert(GivenVerdict), history)
    log.append(connection, entries)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a submission would make count: verdicts by name, open items, what would end."""

    verdicts: Mapping[str, int]
    open: int
    ending: int
    sent_back: int


def summary(bench: Bench, campaign: str, person: str) -> Summary:
    """What somebody would submit now."""
    with reading(bench.store) as connection:
        mine = standing_for(connection, person, clock.now())
        rows = connection.execute(
            select(ITEM.c.state, ITEM.c.verdict, ITEM.c.rostered, ITEM.c.kind, func.count())
            .where(ITEM.c.campaign == campaign, ITEM.c.reviewer.in_(mine))
            .group_by(ITEM.c.state, ITEM.c.verdict, ITEM.c.rostered, ITEM.c.kind)
        ).all()
    if not rows:
        raise NotFoundError("There is no such review for you.", where=campaign)
    counted: Counter[str] = Counter()
    ending = sent_back = waiting = 0
    for state, verdict, rostered, kind, number in rows:
        waiting += number if state == ItemState.OPEN.value else 0
        if state != ItemState.ANSWERED.value:
            continue
        counted[verdict] += number
        if verdict == Verdict.REVOKE.value and kind != Kind.USE.value:
            ending, sent_back = (
                (ending, sent_back + number) if rostered else (ending + number, sent_back)
            )
    return Summary(counted, waiting, ending, sent_back)


def submit(bench: Bench, campaign: str, who: Actor) -> int:
    """Make somebody's verdicts count; with the last of a review it closes and takes effect.

    What they did not answer stays with them. Returns how many were submitted.
    """
    now = clock.now()
    with writing(bench.store) as connection:
        row = campaigns.locked(connection, campaign, None)
        steps.after(State(row.state), Step.SUBMIT)
        mine = standing_for(connection, who.id, now)
        rows = connection.execute(
            select(ITEM).where(
                ITEM.c.campaign == campaign,
                ITEM.c.reviewer.in_(mine),
                ITEM.c.state == ItemState.ANSWERED.value,
            )
        ).all()
        if not rows:
            raise NotFoundError("There is nothing for you to submit.", where=campaign)
        definition = from_dict(row.members)
        following = _following(connection, definition, rows, now)
        changed = {
            each.number: values_of(
                pure.submitted(
                    item_of(each), len(definition.stages), following.get(each.number, "")
                )
            )
            for each in rows
        }
        write(connection, campaign, changed)
        counted = Counter(each.verdict for each in rows)
        record(connection, who, "submit", campaign, detail={"verdicts": dict(counted)})
        move_on(connection, campaign, who, now)
    return len(rows)


def move_on(connection: Connection, campaign: str, who: Actor, now: datetime) -> None:
    """Close a campaign that waits for nobody; give one that reached a stage its time."""
    row = campaigns.found(connection, campaign, None)
    waiting, stage = connection.execute(
        select(func.count(), func.min(ITEM.c.stage)).where(
            ITEM.c.campaign == campaign,
            ITEM.c.state.in_((ItemState.OPEN.value, ItemState.ANSWERED.value)),
        )
    ).one()
    if not waiting:
        state = steps.after(State(row.state), Step.SUBMIT)
        campaigns.change(connection, campaign, state=state.value)
        closing.finish(connection, campaign, who, now)
        return
    if stage > row.stage:
        days = from_dict(row.members).stages[stage - 1].days
        due = text(now + timedelta(days=days))
        campaigns.change(connection, campaign, stage=stage, due_at=due)
    reminders.queue(connection, campaign, now)


def _following(
    connection: Connection, definition: Definition, rows: Sequence[Any], now: datetime
) -> dict[int, str]:
    """Who reviews each item in the stage after its own."""
    later = [row for row in rows if row.stage < len(definition.stages)]
    if not later:
        return {}
    schools = tree.read(connection, now)
    granters = {row.number: str(row.facts.get("granted_by", "")) for row in later}
    gone = planning.nobody(connection, definition, granters.values())
    fallbacks = [each for each in definition.fallbacks if each not in gone]
    found = {}
    for row in later:
        parties = item_of(row).parties
        line = planning.candidates(
            definition.stages[row.stage], row.organisation, granters[row.number], schools, gone
        )
        others = [[each for each in level if each != row.reviewer] for level in line]
        found[row.number] = rule.assign(others, parties, fallbacks).reviewer
    return found
