"""The start of a review: it freezes what is under review (N-46).

The items, and a snapshot of them with its hash.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, insert, select

from authz import clock
from authz.directory import tables as t
from authz.review import campaign as steps
from authz.review import snapshot
from authz.review.definition import from_dict
from authz.review.item import RefusedError
from authz.review.tables import CampaignItem, Snapshot
from authz.review.words import State, Step, Wrong
from authz.service.database import writing
from authz.service.journals import catch_up
from authz.service.reviews import planning, reminders
from authz.service.reviews.campaigns import Bench, Reach, change, last_started, locked
from authz.service.reviews.planning import Ground, Planned
from authz.service.reviews.records import Actor, needs, record, text


def start(bench: Bench, campaign: str, who: Actor, because: str, reach: Reach) -> str:
    """Freeze what is under review and ask the reviewers; the hash of the snapshot.

    RefusedError where nothing is in scope, an item has no reviewer, or no preview was made.
    """
    needs(because)
    catch_up(bench.store)
    with writing(bench.store) as connection:
        row = locked(connection, campaign, reach)
        steps.after(State(row.state), Step.START)
        ground = bench.ground(clock.now(), last_started(connection, row))
        planned = planning.plan(connection, from_dict(row.members), ground)
        return begin(connection, campaign, planned, ground, who, because)


def begin(
    connection: Connection,
    campaign: str,
    planned: Sequence[Planned],
    ground: Ground,
    who: Actor,
    because: str,
) -> str:
    """Write the items and the snapshot of a campaign, in its caller's transaction."""
    if not planned:
        raise RefusedError(Wrong.NO_ITEMS)
    if not all(each.assigned.reviewer for each in planned):
        raise RefusedError(Wrong.NO_REVIEWER)
    row = locked(connection, campaign, None)
    definition = from_dict(row.members)
    items = [_item(campaign, number, each) for number, each in enumerate(planned, 1)]
    body = snapshot.canonical(_document(connection, row, items, ground, who))
    digest = snapshot.digest(body)
    connection.execute(insert(Snapshot).values(campaign=campaign, body=body))
    connection.execute(insert(CampaignItem), items)
    due = ground.now + timedelta(days=definition.stages[0].days)
    receipt = record(
        connection,
        who,
        "start",
        campaign,
        because=because,
        detail={"items": len(items), "snapshot": digest, "due": due},
    )
    change(
        connection,
        campaign,
        state=State.STARTED.value,
        stage=1,
        items=len(items),
        started_at=text(ground.now),
        started_by=who.id,
        due_at=text(due),
        digest=digest,
        trail_chain=receipt.chain,
        trail_first=receipt.sequence,
    )
    reminders.queue(connection, campaign, ground.now)
    return digest


def _item(campaign: str, number: int, planned: Planned) -> dict[str, Any]:
    right = planned.right
    facts = {
        "name": right.name,
        "since": text(right.since),
        "granted_by": right.granted_by,
        "reason": right.reason,
        "origin": right.origin,
        "recorded_at": text(right.recorded_at),
        "conflicts": [
            {"rule": each.rule.id, "roles": list(each.roles)} for each in planned.conflicts
        ],
        **right.detail,
    }
    return {
        "campaign": campaign,
        "number": number,
        "kind": right.kind.value,
        "right_id": right.id,
        "holder": right.holder,
        "person": right.person,
        "organisation": right.organisation,
        "role": right.role,
        "resource": right.resource,
        "rostered": right.rostered,
        "until": text(right.until),
        "facts": {name: value for name, value in facts.items() if value},
        "flags": [flag.value for flag in planned.flags],
        "flagged": bool(planned.flags),
        "advice": planned.advice.value,
        "advice_reason": planned.why.value,
        "last_used": text(planned.use.last),
        "uses": planned.use.count,
        "peers": planned.peers,
        "having": planned.having,
        "reviewer": planned.assigned.reviewer,
        "rerouted": planned.assigned.rerouted,
        "fallback": planned.fallback,
        "passed": False,
        "stage": 1,
        "state": "open",
    }


def _document(
    connection: Connection, row: Any, items: Sequence[Mapping[str, Any]], ground: Ground, who: Actor
) -> dict[str, Any]:
    """What is frozen: ids and codes, and no names of people (E-01)."""
    revision = connection.scalar(select(t.Revision.revision)) or 0
    left_out = {"state", "passed", "stage", "campaign"}
    return {
        "review": row.id,
        "name": row.name,
        "definition": row.members,
        "started_at": text(ground.now),
        "started_by": who.id,
        "policy": ground.policy.digest,
        "directory_revision": revision,
        "items": [
            {
                **{name: value for name, value in item.items() if name not in left_out},
                "facts": {k: v for k, v in item["facts"].items() if k not in {"name", "reason"}},
            }
            for item in items
        ],
    }
