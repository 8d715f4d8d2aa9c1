"""Notices and review items: opened with the record, once a day, never by a what-if (2.7)."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine, delete, func, select

from authz import clock
from authz.audit.record import timestamp
from authz.cli.demo.school import Demo, write
from authz.decision.request import parse
from authz.directory.facts import Place
from authz.policy.load import load
from authz.privacy.tables import Notice
from authz.review.tables import ReviewItem
from authz.service import decide
from authz.service.decide import DecisionPoint
from authz.service.decided import Caller
from authz.service.record_facts import import_facts
from authz.service.rosters import import_oneroster

LOCAL = ZoneInfo("Asia/Bangkok")
NOON = datetime(2026, 11, 23, 12, tzinfo=LOCAL)
ME = Caller("test", asserts_mfa=True)


@pytest.fixture
def school(sqlite_store: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Demo:
    """The demo school, at noon."""
    monkeypatch.setattr(clock, "now", lambda: NOON)
    school = write(tmp_path, date(2026, 11, 23))
    import_oneroster(sqlite_store, school.roster, local=LOCAL, by="test")
    import_facts(
        sqlite_store,
        lambda: school.facts.read_text("utf-8").splitlines(),
        name="facts",
        catalogue=load(Path("policies/school")).catalogue,
        local=LOCAL,
        by="test",
    )
    return school


def ask(store: Engine, school: Demo, rule: str, *, what_if: bool = False) -> bool:
    """Ask the scene that this rule permits."""
    scene = next(s for s in school.scenes if s.decision and s.rule == rule)
    point = DecisionPoint(store, load(Path("policies/school")), Place(LOCAL))
    request = parse(scene.request)
    if what_if:
        return point.what_if([request], ME, NOON)[0].decision.permit
    return point.evaluate([request], ME, request_id="r-1")[0].decision.permit


def count(store: Engine, table: type) -> int:
    with store.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


def test_break_glass_opens_one_review_item_and_one_notice_a_day(
    sqlite_store: Engine, school: Demo
) -> None:
    """N-44: a use of an elevation is looked at afterwards, and the DPO is told."""
    assert ask(sqlite_store, school, "school-emergency")
    assert ask(sqlite_store, school, "school-emergency")
    with sqlite_store.connect() as connection:
        item = connection.execute(select(ReviewItem.__table__)).one()
        notice = connection.execute(select(Notice.__table__)).one()
    assert item.rule == notice.rule == "school-emergency"
    assert item.elevation
    assert item.due_at > timestamp(NOON + timedelta(hours=71))
    assert (notice.recipient, notice.sent_at) == ("dpo", None)


def test_a_reset_of_credentials_tells_the_person(sqlite_store: Engine, school: Demo) -> None:
    """2.7: `school-reset` notifies the person."""
    assert ask(sqlite_store, school, "school-reset")
    with sqlite_store.connect() as connection:
        assert connection.scalars(select(Notice.recipient)).all() == ["person"]


def test_a_what_if_opens_nothing(sqlite_store: Engine, school: Demo) -> None:
    """Page 5: what-ifs neither open review items nor send notices."""
    assert ask(sqlite_store, school, "school-emergency", what_if=True)
    assert count(sqlite_store, ReviewItem) == count(sqlite_store, Notice) == 0


def test_an_ordinary_permit_opens_nothing(sqlite_store: Engine, school: Demo) -> None:
    assert ask(sqlite_store, school, "parent-read")
    assert count(sqlite_store, ReviewItem) == count(sqlite_store, Notice) == 0


def test_a_decision_whose_duties_are_open_writes_nothing_to_the_database(
    sqlite_store: Engine, school: Demo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its record goes the way of any other; a duty that is gone again is opened again."""
    assert ask(sqlite_store, school, "school-emergency")
    with monkeypatch.context() as patch:
        patch.setattr(decide, "writing", None)
        assert ask(sqlite_store, school, "school-emergency")
    with sqlite_store.begin() as connection:
        connection.execute(delete(Notice))
    assert ask(sqlite_store, school, "school-emergency")
    assert (count(sqlite_store, Notice), count(sqlite_store, ReviewItem)) == (1, 1)
