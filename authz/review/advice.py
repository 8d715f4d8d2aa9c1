"""What is told of a right before it is judged: flags, and a recommendation with its reason.

A recommendation is counsel: it decides nothing, and nothing is taken from it by default.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from authz.review.words import Advice, Flag, Kind, Verdict

UNUSED: Final = timedelta(days=90)
NEW: Final = timedelta(days=30)
STALE: Final = timedelta(days=60)
FEW: Final = 10
"""A right that fewer than one in so many peers hold is unusual."""


@dataclass(frozen=True, slots=True)
class Signals:
    """What is known of a right at the start. ``peers`` have the holder's place, ``having`` it too.

    ``told`` are flags that an event or the policy raises. ``used`` is whether the trail can
    tell of its use at all.
    """

    kind: Kind
    now: datetime
    since: datetime | None = None
    until: datetime | None = None
    last_used: datetime | None = None
    uses: int = 0
    used: bool = True
    active: bool = True
    self_granted: bool = False
    rostered: bool = False
    source_seen: datetime | None = None
    peers: int = 0
    having: int = 0
    told: frozenset[Flag] = frozenset()


def flags(signals: Signals) -> frozenset[Flag]:
    """Why a closer look is wanted."""
    found = set(signals.told)
    if not signals.active:
        found.add(Flag.HOLDER_INACTIVE)
    if signals.self_granted:
        found.add(Flag.SELF_GRANTED)
    if signals.used and not _new(signals):
        if signals.last_used is None:
            found.add(Flag.NEVER_USED)
        elif signals.now - signals.last_used > UNUSED:
            found.add(Flag.UNUSED)
    if signals.peers >= FEW and signals.having * FEW < signals.peers:
        found.add(Flag.FEW_PEERS)
    seen = signals.source_seen
    if signals.rostered and seen is not None and signals.now - seen > STALE:
        found.add(Flag.STALE_SOURCE)
    return frozenset(found)


def _new(signals: Signals) -> bool:
    return signals.since is not None and signals.now - signals.since < NEW


ENDING: Final = (
    Flag.HOLDER_INACTIVE,
    Flag.RESTRICTED,
    Flag.CAME_OF_AGE,
    Flag.MOVED,
    Flag.CONFLICT,
    Flag.NEVER_USED,
    Flag.UNUSED,
)
"""Flags that speak for ending it, the weightiest first."""
JUDGED: Final = (Flag.EMERGENCY, Flag.SELF_GRANTED, Flag.STALE_SOURCE, Flag.FEW_PEERS)
"""Flags of which nothing follows by itself: somebody must look."""


def recommend(signals: Signals) -> tuple[Verdict, Flag | Advice]:
    """What to do, and why."""
    found = flags(signals)
    for flag in ENDING:
        if flag in found:
            return Verdict.REVOKE, flag
    for flag in JUDGED:
        if flag in found:
            return Verdict.ABSTAIN, flag
    if _new(signals):
        return Verdict.KEEP, Advice.NEW
    endless = signals.until is None and not signals.rostered and signals.kind is Kind.GRANT
    return (Verdict.KEEP_UNTIL, Advice.NO_END) if endless else (Verdict.KEEP, Advice.IN_USE)
