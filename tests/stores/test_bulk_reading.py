"""Bulk reading is noticed, and ordinary school days are not (N-48)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, func, select, text

from authz import clock
from authz.audit import log
from authz.audit.record import Entry, Ref
from authz.audit.search import search
from authz.audit.tables import AuditPseudonym
from authz.directory.facts import Place
from authz.privacy.habit import Measure
from authz.privacy.tables import Notice, ReadingHour
from authz.service import trail
from authz.service.bulk_reading import HOUR, Alert, watch
from authz.service.database import open_store
from authz.service.decide import DecisionPoint
from authz.service.erasing import erase
from authz.vocabulary import Event
from tests.stores.test_reports import PACK
from tests.world import World

MONDAY = datetime(2026, 11, 2, 2, tzinfo=UTC)
MEASURE = Measure(floor=40, factor=3, quantile=0.95, fewest=8)
TEACHERS = [f"T-{number}" for number in range(12)]


class School:
    """Hours of reading, and the watch over them."""

    def __init__(self, store: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
        self.point = DecisionPoint(store, PACK, Place(ZoneInfo("Asia/Bangkok")))
        self.patch = monkeypatch
        self.entries: list[Entry] = []

    def reads(self, subject: str, hour: datetime, people: int, rule: str = "teacher-read") -> None:
        """A subject uses the data of that many people, each of them twice."""
        for number in range(2 * people):
            entry = Entry(
                event=Event.DECISION,
                time=hour + timedelta(seconds=number % 3000),
                application="portal",
                subject=Ref("user", subject),
                action="read",
                resource=Ref("identity", f"S-{number % people}"),
                purpose="service",
                decision=True,
                rules=[rule],
            )
            self.entries.append(entry)

    def days(self, subjects: Sequence[str], people: int, *, count: int = 10) -> datetime:
        """Ordinary days, two hours of each; the morning after them."""
        for day in range(count):
            for subject in subjects:
                for hour in range(2):
                    self.reads(subject, MONDAY + timedelta(days=day, hours=hour), people)
        return MONDAY + timedelta(days=count)

    def watch(self, since: datetime, until: datetime) -> list[tuple[str, int]]:
        """Who stands out in these hours, and by how many people."""
        log.record(self.point.store, self.entries)
        self.entries = []
        self.patch.setattr(clock, "now", lambda: until)
        found = watch(self.point, since, measure=MEASURE)
        return [(alert.subject, alert.people) for alert in found]


@pytest.fixture
def school(sqlite_store: Engine, monkeypatch: pytest.MonkeyPatch) -> School:
    return School(sqlite_store, monkeypatch)


def hours(begin: datetime, number: int) -> datetime:
    return begin + number * HOUR - timedelta(seconds=1)


def test_one_who_copies_the_school_stands_out_and_teaching_does_not(school: School) -> None:
    """N-48: covert copying is noticed in the hour in which it happens."""
    morning = school.days(TEACHERS, 15)
    assert school.watch(MONDAY, morning) == []
    school.reads("T-1", morning, 15)
    school.reads("T-2", morning, 60)
    school.reads("T-3", morning, 44)
    assert school.watch(morning, hours(morning, 1)) == [("T-2", 60)]


def test_the_first_day_of_a_term_is_no_alarm(school: School) -> None:
    """All teachers open all their new classes in one hour; one of them takes far more."""
    morning = school.days(TEACHERS, 15)
    school.watch(MONDAY, morning)
    for teacher in TEACHERS:
        school.reads(teacher, morning, 70)
    school.reads("T-3", morning, 300)
    assert school.watch(morning, hours(morning, 1)) == [("T-3", 300)]


def test_a_platform_script_is_told_of_until_it_is_its_habit(school: School) -> None:
    """A new script is told of for a week; then it is its own habit, and growth is told again."""
    for day in range(12):
        school.reads("script", MONDAY + timedelta(days=day), 400, "analyst-read")
        school.reads("script", MONDAY + timedelta(days=day, hours=1), 400, "analyst-read")
    found = school.watch(MONDAY, MONDAY + timedelta(days=12))
    assert found[0] == ("script", 400)
    assert len(found) == 22
    later = MONDAY + timedelta(days=15)
    school.reads("script", later, 400, "analyst-read")
    school.reads("script", later + HOUR, 1300, "analyst-read")
    assert school.watch(later, hours(later, 2)) == [("script", 1300)]


def test_in_a_small_school_with_no_past_only_very_much_stands_out(school: School) -> None:
    """Without any habit known, the floor times the factor decides."""
    school.reads("T-1", MONDAY, 100)
    school.reads("T-2", MONDAY, 121)
    assert school.watch(MONDAY, hours(MONDAY, 1)) == [("T-2", 121)]


def test_peers_are_those_of_the_same_role(school: School) -> None:
    """A teacher who reads as much as an analyst does stands out."""
    morning = school.days(TEACHERS, 15)
    for day in range(10):
        school.reads("analyst", MONDAY + timedelta(days=day), 100, "analyst-read")
    school.watch(MONDAY, morning)
    school.reads("T-1", morning, 100)
    school.reads("analyst-2", morning, 100, "analyst-read")
    assert school.watch(morning, hours(morning, 1)) == [("T-1", 100)]


def test_ones_own_data_refusals_and_lists_are_no_reading(school: School) -> None:
    school.reads("T-1", MONDAY, 130)
    school.entries = [*(each for each in school.entries if each.resource != Ref("identity", "S-1"))]
    listed = Entry(
        event=Event.SEARCH,
        time=MONDAY,
        subject=Ref("user", "T-9"),
        resource=Ref("identity", ""),
        detail={"search": "resource", "listed": [f"S-{n}" for n in range(500)]},
    )
    school.entries.append(listed)
    assert school.watch(MONDAY, hours(MONDAY, 1)) == [("T-1", 129)]


def test_an_alert_is_once_an_hour_and_a_notice_once_a_day(
    store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-48, N-50: a record that explains itself, a count, a notice; on both stores."""
    school = School(store, monkeypatch)
    school.reads("T-1", MONDAY, 130)
    school.reads("T-1", MONDAY + HOUR, 130)
    counted: list[Alert] = []
    log.record(store, school.entries)
    monkeypatch.setattr(clock, "now", lambda: hours(MONDAY, 2))
    for _ in range(3):
        watch(school.point, MONDAY, measure=MEASURE, count=counted.append)
    assert [alert.hour for alert in counted] == [MONDAY, MONDAY + HOUR]
    with store.connect() as connection:
        found = [each.record for each in search(connection, event="bulk_reading").records]
        assert connection.scalar(select(func.count()).select_from(ReadingHour)) == 2
        notices = connection.execute(select(Notice.recipient, Notice.subject, Notice.rule)).all()
    assert len(found) == 2
    assert found[1]["detail"] == {
        "hour": "2026-11-02T02:00:00.000000Z",
        "role": "teacher",
        "people": 130,
        "limit": 120,
        "own": None,
        "peers": None,
        "peers_now": None,
    }
    assert notices == [("dpo", "T-1", "bulk_reading")]


def test_hours_are_kept_no_longer_than_a_term(school: School) -> None:
    """E-01: habit needs sixty days, and no more is kept."""
    school.reads("T-1", MONDAY, 5)
    school.watch(MONDAY, hours(MONDAY, 1))
    later = MONDAY + timedelta(days=61)
    school.reads("T-1", later, 5)
    school.watch(later, hours(later, 1))
    with school.point.store.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM reading_hour")) == 1


def test_an_alert_names_the_person_and_its_record_the_pseudonym(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-34, N-48: the officer is told who it was; the trail can still forget them."""
    named = open_store(store_url, pseudonyms=True)
    school = School(named, monkeypatch)
    school.reads("T-1", MONDAY, 130)
    school.entries = [replace(e, people=["T-1", "S-1"]) for e in school.entries]
    assert school.watch(MONDAY, hours(MONDAY, 1)) == [("T-1", 130)]
    with named.connect() as connection:
        kept = connection.execute(select(ReadingHour.subject, ReadingHour.role)).all()
        told = connection.scalars(select(Notice.subject)).all()
        (record,) = [found.record for found in search(connection, event="bulk_reading").records]
        pseudonym = connection.scalar(
            select(AuditPseudonym.pseudonym).where(AuditPseudonym.person == "T-1")
        )
        made = connection.scalar(select(func.count()).select_from(AuditPseudonym))
    named.dispose()
    assert (kept, told) == ([("T-1", "teacher")], ["T-1"])
    assert record["subject"] == {"type": "user", "id": pseudonym}
    assert made == 2


def test_the_hours_of_an_erased_reader_go_with_the_key(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """N-34: an hour that is counted anew is told of whoever is left of them, and of no person."""
    named = open_store(store_url, pseudonyms=True)
    world = World().school("S").person("T-1", at="S")
    world.fact("erasure", person="T-1", approved_at="2026-01-01").store(named)
    school = School(named, monkeypatch)
    school.reads("T-1", MONDAY, 130)
    school.entries = [replace(e, people=["T-1"]) for e in school.entries]
    school.watch(MONDAY, hours(MONDAY, 1))
    with named.connect() as connection:
        pseudonym = connection.scalar(select(AuditPseudonym.pseudonym))
    erase(named, "T-1", by="dpo", because="request 7")
    with named.connect() as connection:
        assert connection.scalars(select(ReadingHour.subject)).all() == []
    assert school.watch(MONDAY, hours(MONDAY, 1)) == [(pseudonym, 130)]
    with named.connect() as connection:
        assert connection.scalars(select(ReadingHour.subject)).all() == [pseudonym]
    found = trail.search(named, by="op", event="bulk_reading").records
    named.dispose()
    assert [each.record["subject"]["id"] for each in found] == [pseudonym, pseudonym]
