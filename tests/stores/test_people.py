"""Lists of people and classes: whom they show, in which order, and at what cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, insert, update

from authz import clock
from authz.audit.counts import catch_up, forget, hours
from authz.audit.tables import AuditPseudonym
from authz.directory import tables as t
from authz.directory.collation import name_order
from authz.directory.facts import Place
from authz.errors import MalformedError, NotFoundError
from authz.policy.load import load
from authz.service import classes, overview, people, trail
from authz.service.database import reading, writing
from authz.service.decide import DecisionPoint
from authz.service.people import PAGE, Wanted
from authz.service.reach import Reach
from authz.service.shown import Viewer
from tests.world import BANGKOK, World, question, records

CONSOLE = Path(__file__).parents[2] / "policies" / "console"
HEAD, DPO = Viewer("head", "head", mfa=True), Viewer("dpo", "dpo", mfa=True)
NAMES = ("เกศ", "กนก", "แก้ว", "ขวัญ", "Anna", "อนงค์")


@pytest.fixture
def own(store: Engine) -> DecisionPoint:
    """Two schools; the head administers the first, the officer is for all."""
    world = World().school("D").school("S1", below="D").school("S2", below="D")
    world.person("head", "dpo", "mum").grant("head", "school_admin", "S1").grant("dpo", "dpo")
    world.group("C1", school="S1").group("C2", school="S2")
    for number, name in enumerate(NAMES * 20):
        ident, school = f"p{number:03}", "S1" if number % 2 else "S2"
        world.people.append({"id": ident, "given_name": name})
        world.memberships.append({"person": ident, "org": school})
        world.enrol("C1" if number % 2 else "C2", "student", ident)
    world.guardian("mum", "p001").enrol("C1", "teacher", "mum").store(store)
    with store.begin() as connection:
        for number, name in enumerate(NAMES * 20):
            named = update(t.Person).where(t.Person.id == f"p{number:03}")
            key = name_order(name, "")
            connection.execute(named.values(given_name=name, name_order=key))
    return DecisionPoint(store, load(CONSOLE), Place(BANGKOK))


def everybody(own: DecisionPoint, viewer: Viewer, wanted: Wanted) -> list[str]:
    found: list[str] = []
    after = ""
    while True:
        page = people.people(own, viewer, wanted, after)
        assert len(page.people) <= PAGE
        found += [each.id for each in page.people]
        if not (after := page.after):
            return found


def test_a_school_lists_its_own_people_only(own: DecisionPoint) -> None:
    """N-20: another school's people are on no page, whatever is asked."""
    members = {f"p{number:03}" for number in range(120) if number % 2}
    assert set(everybody(own, HEAD, Wanted())) == members | {"head"}
    assert everybody(own, HEAD, Wanted(school="S2")) == []
    assert set(everybody(own, DPO, Wanted(school="S1"))) == members


def test_pages_follow_each_other_in_thai_order_and_leave_nobody_out(own: DecisionPoint) -> None:
    found = everybody(own, DPO, Wanted())
    assert len(found) == len(set(found)) == 123
    order = ["กนก", "เกศ", "แก้ว", "ขวัญ", "อนงค์", "Anna"]
    names = [NAMES[int(ident[1:]) % 6] for ident in found if ident.startswith("p")]
    assert list(dict.fromkeys(names)) == order


@pytest.mark.parametrize(
    ("wanted", "number"),
    [
        (Wanted(text="กนก"), 20),
        (Wanted(text="anna"), 20),
        (Wanted(text="p001"), 1),
        (Wanted(text="100%"), 0),
        (Wanted(kind="student"), 120),
        (Wanted(kind="teacher"), 1),
        (Wanted(kind="parent"), 1),
        (Wanted(kind="school_admin"), 1),
        (Wanted(kind="staff"), 1),
        (Wanted(status="suspended"), 0),
    ],
)
def test_a_filter_finds_whom_it_says(own: DecisionPoint, wanted: Wanted, number: int) -> None:
    assert len(everybody(own, DPO, wanted)) == number


def test_a_page_leaves_one_record_with_the_ids_that_it_lists(own: DecisionPoint) -> None:
    """N-49: a list of names is data that were shown."""
    page = people.people(own, HEAD, Wanted(text="กนก"))
    record = records(own.store)[-1]
    assert record["event"] == "search"
    listed = [each.id for each in page.people]
    assert record["detail"]["listed"] == listed
    assert "กนก" not in str(record)
    found = trail.search(own.store, by="audit", person=listed[0], event="search").records
    assert record in [each.record for each in found]


def test_a_page_asks_as_many_statements_however_many_it_lists(own: DecisionPoint) -> None:
    """No N+1: fifty people cost what one does."""
    people.people(own, DPO, Wanted())
    with counted(own.store) as many:
        people.people(own, DPO, Wanted())
    with counted(own.store) as one:
        people.people(own, DPO, Wanted(text="p001"))
    assert len(many) == len(one) <= 12
    classes.one(own, DPO, "C1")
    with counted(own.store) as page:
        classes.one(own, DPO, "C1")
    assert len(page) <= 12


@contextmanager
def counted(store: Engine) -> Iterator[list[str]]:
    found: list[str] = []

    def count(*asked: object) -> None:
        found.append(str(asked[2]))

    event.listen(store, "before_cursor_execute", count)
    yield found
    event.remove(store, "before_cursor_execute", count)


def test_a_class_is_shown_to_whoever_sees_somebody_in_it(own: DecisionPoint) -> None:
    assert [each["id"] for each in classes.classes(own, HEAD).classes] == ["C1"]
    assert [each["id"] for each in classes.classes(own, DPO).classes] == ["C1", "C2"]
    page = classes.one(own, DPO, "C1")
    assert page.people[0]["id"] == "mum"  # teachers come first
    following = classes.one(own, DPO, "C1", page.after)
    assert len(page.people) + len(following.people) == 61
    with pytest.raises(NotFoundError):
        classes.one(own, HEAD, "C2")


def test_a_place_that_nobody_gave_out_is_refused(own: DecisionPoint) -> None:
    for after in ("x", "WzFd", "bnVsbA"):
        with pytest.raises(MalformedError):
            people.people(own, DPO, Wanted(), after)


def test_each_decision_is_counted_once(own: DecisionPoint) -> None:
    """The chart's counts are those of the trail, however often they are caught up."""
    world = World()
    asked = [question("mum", "read", "contact", "p001"), question("mum", "read", "contact", "p002")]
    for round_ in (1, 2):
        world.ask_all(own.store, asked, at=clock.now())
        left = 1
        while left:
            with writing(own.store) as connection:
                left = catch_up(connection, 3)
        with reading(own.store) as connection:
            found = hours(connection, "")
        decided = [each for each in records(own.store) if each["event"] == "decision"]
        assert sum(number for _, _, number in found) == len(decided) == 2 * round_
    days = overview.decisions(own, Reach("dpo", everywhere=True)).days
    assert sum(day.permits + day.refusals for day in days) == 4


def test_a_schools_decisions_are_counted_at_it_and_above(own: DecisionPoint) -> None:
    """N-20: an administrator's chart is of the administrator's schools, once for each decision.

    Who has two memberships there counts once; who has another name in the trail counts too.
    """
    kept = {"origin": "x", "recorded_at": clock.now()}
    with writing(own.store) as connection:
        twice = {"id": "again", "person": "p001", "organisation": "S1", "role": "x", **kept}
        connection.execute(insert(t.Membership).values(twice))
        known = {"person": "p005", "key": b"k", "pseudonym": "p002"}
        connection.execute(insert(AuditPseudonym).values(known))
    asked = [question("mum", "read", "contact", each) for each in ("p001", "p002", "p003")]
    World().ask_all(own.store, asked, at=clock.now())
    for _ in range(2):
        charts = [
            overview.decisions(own, Reach(who, everywhere=all_))
            for who, all_ in (("head", False), ("mum", False), ("dpo", True))
        ]
        assert [sum(d.permits + d.refusals for d in each.days) for each in charts] == [3, 0, 3]
    with writing(own.store) as connection:
        forget(connection, "9999")
    again = overview.decisions(own, Reach("head", everywhere=False))
    assert sum(day.permits + day.refusals for day in again.days) == 0


def test_what_changed_is_told_of_own_people_only(own: DecisionPoint) -> None:
    changed = overview.lately(own, HEAD)
    assert {each["person"] for each in changed} <= {"p001", "head"}
    assert {each["person"] for each in overview.lately(own, DPO)} >= {"p001"}
