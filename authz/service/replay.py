"""Asks again, under two policies, what the trail says was asked (4.2, ``policy diff --replay``).

Both are asked today's facts at the moment of the record, so that only the policies differ.
It is a what-if that answers nobody, so it leaves no record of its own.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection

from authz import clock
from authz.config import Settings
from authz.decision.combine import Decision
from authz.decision.request import Action, Entity, Request
from authz.engine.policy import Policy
from authz.policy.diff import Changed, ReplayItem, replay
from authz.service import trail
from authz.service.database import open_settings, reading
from authz.service.decide import Caller, DecisionPoint
from authz.service.point import place

BELIEVED = Caller("replay", asserts_mfa=True)


def replayed(settings: Settings, old: Policy, new: Policy, since: datetime) -> list[Changed]:
    """The decisions recorded since that moment that ``new`` would make otherwise than ``old``."""
    store = open_settings(settings)
    point = DecisionPoint(store, old, place(settings))
    with reading(store) as connection:
        items = (
            ReplayItem(f"record {record['sequence']}", record)
            for record in trail.requests_since(store, since)
        )

        def decide(policy: Policy, record: dict[str, Any]) -> Decision:
            return _decide(replace(point, policy=policy), connection, record)

        return list(replay(old, new, items, decide))


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
