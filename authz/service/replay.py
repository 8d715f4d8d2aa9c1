"""Asks again, under two policies, what the trail says was asked (4.2, ``policy diff --replay``).

Both are asked today's facts at the moment of the record, so that only the policies differ.
It is a what-if that answers nobody, so it leaves no record of its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

from sqlalchemy import Connection

from authz import clock
from authz.config import Settings
from authz.decision.combine import Decision
from authz.decision.request import Action, Entity, Request
from authz.engine.policy import Policy
from authz.policy.diff import Changed, ReplayItem, replay
from authz.service import trail
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.decided import Caller
from authz.service.journals import open_settings
from authz.service.point import place

BELIEVED = Caller("replay", asserts_mfa=True)
CONSOLE: Final = "authz-console"
"""The screens ask their own pack; their decisions are none of another one's."""


@dataclass(frozen=True, slots=True)
class Compared:
    """How many decisions were asked again, and those that would be otherwise."""

    looked_at: int
    changed: list[Changed]


def replayed(settings: Settings, old: Policy, new: Policy, since: datetime) -> list[Changed]:
    """The decisions recorded since that moment that ``new`` would make otherwise than ``old``."""
    point = DecisionPoint(open_settings(settings), old, place(settings))
    return compared(point, new, since).changed


def compared(
    point: DecisionPoint, new: Policy, since: datetime, most: int | None = None
) -> Compared:
    """The same over the store of a decision point, of the newest ``most`` decisions or so."""
    looked_at = 0

    def decide(policy: Policy, record: dict[str, Any]) -> Decision:
        return _decide(replace(point, policy=policy), connection, record)

    def items() -> Iterator[ReplayItem[dict[str, Any]]]:
        nonlocal looked_at
        for record in trail.requests_since(point.store, since, most):
            if record.get("application") != CONSOLE:
                looked_at += 1
                yield ReplayItem(f"record {record['chain']}-{record['sequence']}", record)

    with reading(point.store) as connection:
        found = list(replay(point.policy, new, items(), decide))
    return Compared(looked_at, found)


def _decide(point: DecisionPoint, connection: Connection, record: dict[str, Any]) -> Decision:
    at = clock.parse(record["time"], UTC)
    return point.decide(connection, point.question(_request(record), BELIEVED), at).decision


def _request(record: dict[str, Any]) -> Request:
    """The request as the trail kept it: its ids and names, and that a justification was given."""
    context = dict(record.get("context", {}))
    if context.pop("justified", False):
        context["justification"] = "(given)"
    subject, resource = record.get("subject", {}), record.get("resource", {})
    return Request(
        subject=Entity(subject.get("type", ""), subject.get("id", "")),
        action=Action(record.get("action", "")),
        resource=Entity(
            resource.get("type", ""), resource.get("id", ""), record.get("properties", {})
        ),
        context=context,
    )
