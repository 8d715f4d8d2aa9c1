"""Bulk reading is noticed: hour by hour, behind the answers (N-48, N-50).

:func:`watch` counts how many people's data each subject used in each hour, holds it against
habit (:mod:`authz.privacy.habit`), and for whoever stands out writes an alert into the trail,
once a subject and hour, and a notice to the data-protection officer, once a subject and day.
It is called again and again by the keeper; what it counted before it counts anew, from the
hour of ``since`` on, so that the hour that is running is watched too.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, delete, false, func, insert, or_, select

from authz import clock
from authz.audit import log, uses
from authz.audit.record import Entry, Ref, timestamp
from authz.config import Settings
from authz.decision.catalogue import About
from authz.measures import ALERTS
from authz.policy.load import load
from authz.privacy.habit import Habit, Measure, limit, middle, stands_out, usual
from authz.privacy.tables import Notice, ReadingHour
from authz.service.database import reading, writing
from authz.service.decide import DecisionPoint
from authz.service.duties import once
from authz.service.point import place
from authz.vocabulary import Event

HOUR: Final = timedelta(hours=1)
KEPT: Final = timedelta(days=60)
"""How long hours are kept: a term's habit, and no longer than is needed (E-01)."""
SETTLED: Final = timedelta(days=7)
"""What alarms makes no habit of peers, and none of one's own until it was told of for so long
without being stopped: the officer is told of a new script for a week, and not for ever."""
LOOKED_BACK: Final = timedelta(days=1)
RULE: Final = Event.BULK_READING.value
NO_ROLE: Final = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """A subject's hour that stands out, and what it was held against."""

    subject: str
    role: str
    hour: datetime
    people: int
    limit: int
    habit: Habit


def measure_of(settings: Settings) -> Measure:
    """What of the settings says who stands out."""
    return Measure(settings.bulk_floor, settings.bulk_factor, settings.bulk_quantile)


def watch(
    point: DecisionPoint,
    since: datetime,
    *,
    measure: Measure | None = None,
    count: Callable[[Alert], None] = lambda _: None,
) -> list[Alert]:
    """The hours from that of ``since`` to now; the alerts that are new, each counted.

    Alerts, their records and their notices are one transaction for each hour.
    """
    now, known = clock.now(), measure or Measure()
    hour = since.replace(minute=0, second=0, microsecond=0)
    found: list[Alert] = []
    while hour <= now:
        seen = _seen(point, hour, known)
        if seen.people:
            with writing(point.store) as connection:
                some = _Telling(connection, point, now).tell(seen)
            for alert in some:
                count(alert)
            found += some
        hour += HOUR
    return found


def keep(store: Engine, settings: Settings) -> list[Alert]:
    """What the keeper does again and again: the hour that is running, and those not settled.

    After a pause it goes on where the last hour on file is, a day back at the most.
    """
    point = DecisionPoint(store, load(settings.policy), place(settings))
    now = clock.now()
    with reading(store) as connection:
        last = connection.scalar(select(func.max(ReadingHour.hour)))
    since = max(datetime.fromisoformat(last), now - LOOKED_BACK) if last else now - LOOKED_BACK
    since = min(since, now - HOUR)
    return watch(point, since, measure=measure_of(settings), count=lambda _: ALERTS.add())


@dataclass(frozen=True, slots=True)
class _Seen:
    """What an hour shows: how many people each subject used, as what, and who stands out."""

    hour: datetime
    people: Mapping[str, int]
    roles: Mapping[str, str]
    alerts: list[Alert]


def _seen(point: DecisionPoint, hour: datetime, measure: Measure) -> _Seen:
    """Count an hour in a snapshot: nobody waits for it."""
    with reading(point.store) as connection:
        return _Hour(connection, point, hour, measure).seen()


class _Hour:
    """One hour: who read, in which role, and who stands out."""

    def __init__(
        self, connection: Connection, point: DecisionPoint, hour: datetime, measure: Measure
    ) -> None:
        self.connection = connection
        self.hour = hour
        self.measure = measure
        self.roles = {c.rule.id: c.rule.role for c in point.policy.permits}

    def seen(self) -> _Seen:
        """Count the hour anew, and hold it against habit."""
        people = dict(uses.readers(self.connection, self.hour, self.hour + HOUR))
        roles = self._roles() if people else {}
        return _Seen(self.hour, people, roles, list(self._stand_out(people, roles)))

    def _stand_out(self, people: Mapping[str, int], roles: Mapping[str, str]) -> Iterator[Alert]:
        """Whoever is over the floor is held against habit; all others cost nothing more."""
        many = {each: n for each, n in people.items() if n > self.measure.floor}
        if not many:
            return
        settled = ReadingHour.hour < timestamp(self.hour - SETTLED)
        own = self._hours(ReadingHour.subject, set(many), settled)
        held = {roles.get(each, NO_ROLE) for each in many}
        peers = self._hours(ReadingHour.role, held, false())
        now: dict[str, dict[str, int]] = defaultdict(dict)
        for subject, number in people.items():
            now[roles.get(subject, NO_ROLE)][subject] = number
        for subject, number in sorted(many.items()):
            role = roles.get(subject, NO_ROLE)
            others = [n for each, n in now[role].items() if each != subject]
            past = [n for each, n in peers[role] if each != subject]
            habit = Habit(
                own=usual([n for _, n in own[subject]], self.measure),
                peers=usual(past, self.measure),
                now=middle(others, self.measure),
            )
            if stands_out(number, habit, self.measure):
                most = limit(habit, self.measure)
                yield Alert(subject, role, self.hour, number, most, habit)

    def _hours(
        self, column: Any, names: set[str], settled: ColumnElement[bool]
    ) -> dict[str, list[tuple[str, int]]]:
        """The earlier hours of these that stood not out, or of which it was told long ago."""
        found: dict[str, list[tuple[str, int]]] = defaultdict(list)
        rows = self.connection.execute(
            select(column, ReadingHour.subject, ReadingHour.people).where(
                column.in_(names),
                ReadingHour.hour < timestamp(self.hour),
                ReadingHour.hour >= timestamp(self.hour - KEPT),
                or_(ReadingHour.alerted.is_(False), settled),
            )
        )
        for name, subject, number in rows:
            found[name].append((subject, number))
        return found

    def _roles(self) -> dict[str, str]:
        """In which role each subject used the most."""
        counts: dict[str, Counter[str]] = defaultdict(Counter)
        for subject, rules, times in uses.rules_of_readers(
            self.connection, self.hour, self.hour + HOUR
        ):
            for role in {self.roles.get(rule, NO_ROLE) for rule in uses.rule_ids(rules)}:
                counts[subject][role] += times
        return {subject: min(c, key=lambda r: (-c[r], r)) for subject, c in counts.items()}


class _Telling:
    """Puts an hour on file, and tells of what stands out and was not told before."""

    def __init__(self, connection: Connection, point: DecisionPoint, now: datetime) -> None:
        self.connection = connection
        self.local = point.place.local
        self.people = point.policy.catalogue.about is About.PEOPLE
        self.now = now

    def tell(self, seen: _Seen) -> list[Alert]:
        """The alerts that are new, with their records and notices."""
        told = self._told(seen.hour)
        alerts = [each for each in seen.alerts if each.subject not in told]
        self._keep(seen, told | {each.subject for each in alerts})
        if alerts:
            entries = [_entry(each, self.now, people=self.people) for each in alerts]
            log.append(self.connection, entries)
        for alert in alerts:
            self._notice(alert)
        return alerts

    def _told(self, hour: datetime) -> set[str]:
        """Of whom it was told in this hour already."""
        said = select(ReadingHour.subject).where(
            ReadingHour.hour == timestamp(hour), ReadingHour.alerted.is_(True)
        )
        return set(self.connection.scalars(said))

    def _keep(self, seen: _Seen, alerted: set[str]) -> None:
        """The hour as it is now known, in the place of what was; and no hour that is too old."""
        hour = timestamp(seen.hour)
        old = ReadingHour.hour < timestamp(seen.hour - KEPT)
        self.connection.execute(delete(ReadingHour).where((ReadingHour.hour == hour) | old))
        rows = [
            {
                "hour": hour,
                "subject": subject,
                "role": seen.roles.get(subject, NO_ROLE),
                "people": number,
                "alerted": subject in alerted,
            }
            for subject, number in seen.people.items()
        ]
        self.connection.execute(insert(ReadingHour), rows)

    def _notice(self, alert: Alert) -> None:
        row: dict[str, object] = {
            "recipient": "dpo",
            "rule": RULE,
            "subject": alert.subject,
            "person": "",
            "elevation": "",
            "day": alert.hour.astimezone(self.local).date(),
            "opened_at": timestamp(self.now),
            "request_id": "",
        }
        once(self.connection, Notice.__table__, row)


def _entry(alert: Alert, now: datetime, *, people: bool) -> Entry:
    """The alert, with all that it was held against, so that it can be explained."""
    return Entry(
        event=Event.BULK_READING,
        time=now,
        application="authz",
        subject=Ref("user", alert.subject),
        action=RULE,
        detail={
            "hour": timestamp(alert.hour),
            "role": alert.role,
            "people": alert.people,
            "limit": alert.limit,
            "own": alert.habit.own,
            "peers": alert.habit.peers,
            "peers_now": alert.habit.now,
        },
        people=[alert.subject] if people else (),
    )
