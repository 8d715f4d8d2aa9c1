"""That the trail was verified: when, by whom, how much of it, and what was found (N-49).

The record is written after a verification, so that it is not among what was verified. It
holds no more than was printed; whoever wants to know whether the trail is whole verifies it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine

from authz import clock
from authz.audit import log, search
from authz.audit.record import Entry, Ref
from authz.audit.trail import Verdict
from authz.service.database import reading
from authz.service.journals import catch_up
from authz.vocabulary import Event


@dataclass(frozen=True, slots=True)
class Verified:
    """The last verification. ``asked`` is empty where it was of the whole trail."""

    at: datetime
    who: str
    whole: bool
    records: int
    checkpoints: int
    asked: Mapping[str, Any]
    damage: str


def note(store: Engine, verdict: Verdict, *, by: str, asked: Mapping[str, Any]) -> None:
    """Write down that the trail, or what was ``asked`` of it, was verified.

    AuditUnavailableError where the record cannot be written; the verdict stands all the same.
    """
    damage = verdict.damage
    found = damage and {"kind": damage.kind, "chain": damage.chain, "sequence": damage.sequence}
    entry = Entry(
        event=Event.TRAIL_VERIFIED,
        time=clock.now(),
        application="authz",
        subject=Ref("operator", by),
        action="verify",
        detail={
            "asked": {name: value for name, value in asked.items() if value not in (None, "", ())},
            "whole": verdict.whole,
            "records": verdict.records,
            "leaves": verdict.leaves,
            "checkpoints": verdict.checkpoints,
            "damage": found or {},
            "who": by,
        },
    )
    log.record(store, [entry])


def last(store: Engine, *, whole: bool = True) -> Verified | None:
    """The newest verification, of the ``whole`` trail or of any of it; None before the first."""
    catch_up(store)
    after = ""
    with reading(store) as connection:
        while True:
            page = search.search(connection, event=Event.TRAIL_VERIFIED, limit=50, after=after)
            for each in page.records:
                found = _verified(each.record)
                if not (whole and found.asked):
                    return found
            after = page.after
            if not after:
                return None


def _verified(record: Mapping[str, Any]) -> Verified:
    detail = record["detail"]
    return Verified(
        at=datetime.fromisoformat(record["time"]),
        who=detail["who"],
        whole=detail["whole"],
        records=detail["records"],
        checkpoints=detail["checkpoints"],
        asked=detail.get("asked", {}),
        damage=str(detail.get("damage", {}).get("kind", "")),
    )
