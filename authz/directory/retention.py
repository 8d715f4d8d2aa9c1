"""When the use of a person's data is refused for its age (2.3, E-02)."""

from __future__ import annotations

from datetime import datetime, tzinfo

from authz import clock
from authz.decision.catalogue import Clock
from authz.directory.facts import Facts, Goods


def ends(
    limit: Clock, facts: Facts, record: str | None, now: datetime, local: tzinfo
) -> list[datetime]:
    """The moment from which a use is refused for age, where a clock has started."""
    person = facts.person
    if person is None or not limit.starts:
        return []
    if limit.starts == "received":
        kept = _goods_kept(facts, record, now)
        return _last([(goods.received_at, limit.years) for goods in kept], local)
    if limit.starts == "project_ended":
        return _last_project(facts, limit.days, now, local)
    start = person.left_at if limit.starts == "cancelled" else person.last_used_at
    return [clock.add_years(start, limit.years, local)] if start else []


def _last(starts: list[tuple[datetime | None, int]], local: tzinfo) -> list[datetime]:
    """The end of what is kept longest; what has no start is kept without end."""
    found = [clock.add_years(start, years, local) for start, years in starts if start]
    return [max(found)] if found and len(found) == len(starts) else []


def _goods_kept(facts: Facts, record: str | None, now: datetime) -> list[Goods]:
    """The order named by ``properties.record``, else all of them (2.4)."""
    known = [goods for goods in facts.goods if goods.span.covers(now)]
    return [goods for goods in known if goods.id == record] or known


def _last_project(facts: Facts, default: int, now: datetime, local: tzinfo) -> list[datetime]:
    """From the project of the consent in force, the longest kept (E-02)."""
    consents = [consent for consent in facts.consents if consent.in_force("event", now)]
    found = [
        clock.add_days(
            consent.project_ended_at,
            default if consent.retention_days is None else consent.retention_days,
            local,
        )
        for consent in consents
        if consent.project_ended_at is not None
    ]
    return [max(found)] if found and len(found) == len(consents) else []
