"""The first page: what waits, what is unusual, what nobody uses (N-41, N-48)."""

from __future__ import annotations

import re
from datetime import date, timedelta
from urllib.parse import unquote

import pytest
from sqlalchemy import insert

from authz import clock
from authz.admin.languages import thai
from authz.audit.record import timestamp
from authz.audit.search import search
from authz.directory import tables as t
from authz.privacy.tables import ReadingHour
from authz.service.database import reading, writing
from authz.service.journals import catch_up
from tests.admin.kit import BASE, Kit, statements
from tests.admin.test_directory import may, page

OWN, OTHER = "teacher-danai", "admin-suri"
"""Of the school that `head` administers, and of the one that `other` does."""


def days(shown: str) -> list[int]:
    """Permits and refusals of the newest day, from the table below the picture."""
    rows = re.findall(r"<tr><th[^>]*>[^<]+</th><td>(\d+)</td><td>(\d+)</td></tr>", shown)
    return [int(number) for number in rows[13]]


def granted(
    kit: Kit, *people: str, school: str | None = "school-doi", role: str = "mentor"
) -> None:
    """A role that these people have held for half a year."""
    since = clock.now() - timedelta(days=180)
    row = {"role": role, "organisation": school, "valid_from": since}
    row |= {"recorded_at": since, "origin": "tests"}
    with writing(kit.store) as connection:
        connection.execute(
            insert(t.Grant),
            [{"id": f"g-{role}-{each}-{school}", "person": each, **row} for each in people],
        )


@pytest.mark.parametrize("number", [1, 2, 5])
def test_a_number_of_things_has_thai_words_whatever_the_number(number: int) -> None:
    said = thai().ngettext("%(num)d notice to read.", "%(num)d notices to read.", number)
    assert said == "มีประกาศที่ท่านยังไม่ได้รับทราบ %(num)d ฉบับ"


@pytest.mark.usefixtures("one_moment")
def test_a_schools_chart_counts_decisions_about_its_own_people(kit: Kit) -> None:
    before = {name: days(page(kit, name, "/admin/")) for name in ("head", "other")}
    assert may(kit, "parent-somchai", "student-mali")
    assert not may(kit, "parent-somchai", "student-mali", "national_id")
    after = {name: days(page(kit, name, "/admin/")) for name in ("head", "other")}
    assert after["head"][1] == before["head"][1] + 1
    assert after["head"][0] > before["head"][0]
    assert after["other"][1] == before["other"][1]
    assert days(page(kit, "siri", "/admin/"))[1] >= after["head"][1]


def test_whoever_administers_nothing_gets_no_picture(kit: Kit) -> None:
    for name in ("parent", "krung"):
        assert "<svg" not in page(kit, name, "/admin/")


@pytest.mark.usefixtures("one_moment")
def test_bulk_reading_is_told_to_whoever_may_see_the_reader(kit: Kit) -> None:
    hour = timestamp(clock.now().replace(minute=0, second=0, microsecond=0))
    old = timestamp(clock.now() - timedelta(days=8))
    rows = [(hour, OWN, 311, True), (hour, OTHER, 322, True), (hour, "app-7", 333, True)]
    rows += [(hour, "teacher-kanya", 344, False), (old, OWN, 355, True)]
    with writing(kit.store) as connection:
        connection.execute(
            insert(ReadingHour),
            [
                {"hour": at, "subject": who, "role": "teacher", "people": many, "alerted": told}
                for at, who, many, told in rows
            ],
        )
    seen = {name: page(kit, name, "/admin/") for name in ("head", "other", "siri", "parent")}
    told = {
        name: {number for number in (311, 322, 333, 344, 355) if f" {number} คน" in shown}
        for name, shown in seen.items()
    }
    assert told == {"head": {311}, "other": {322}, "siri": {311, 322, 333}, "parent": set()}


def test_rights_that_nobody_uses_are_listed_within_reach(kit: Kit) -> None:
    granted(kit, OWN, "teacher-kanya")
    granted(kit, OTHER, school="school-suan")
    shown = {name: page(kit, name, "/admin/unused") for name in ("head", "other", "siri")}
    listed = {
        name: set(re.findall(r"/admin/person/([^\"]+)", text)) for name, text in shown.items()
    }
    assert listed["head"] >= {OWN, "teacher-kanya"}
    assert OTHER not in listed["head"]
    assert OTHER in listed["other"]
    assert listed["other"].isdisjoint({OWN, "teacher-kanya"})
    assert listed["siri"] >= {OWN, "teacher-kanya", OTHER}


def test_a_right_that_was_used_is_not_listed(kit: Kit) -> None:
    granted(kit, "admin-prapai", role="school_admin")
    assert "/admin/person/admin-prapai" in page(kit, "siri", "/admin/unused?role=school_admin")
    assert may(kit, "admin-prapai", "student-mali", purpose="service", mfa=True)
    catch_up(kit.store)
    assert "/admin/person/admin-prapai" not in page(kit, "siri", "/admin/unused?role=school_admin")


def test_pages_of_unused_rights_follow_each_other(kit: Kit) -> None:
    people = [f"student-{number}" for number in range(70)]
    kept = {"origin": "tests", "recorded_at": clock.now()}
    with writing(kit.store) as connection:
        connection.execute(
            insert(t.Person),
            [{"id": each, "given_name": each, "name_order": each, **kept}
             for each in people],
        )  # fmt: skip
    granted(kit, *people)
    siri, found, path = kit.client("siri"), [], "/admin/unused?role=mentor"
    while path:
        shown = siri.get(path, base_url=BASE).text
        found += re.findall(r"/admin/person/(student-\d+)", shown)
        following = re.findall(r'href="(/admin/unused\?[^"]*after=[^"]+)"', shown)
        path = following[-1].replace("&amp;", "&") if following else ""
    assert sorted(found) == sorted(people)
    assert siri.get("/admin/unused?after=x", base_url=BASE).status_code == 400


def test_the_first_page_costs_the_same_however_much_there_is(kit: Kit) -> None:
    siri = kit.client("siri")
    few = statements(kit.store, lambda: siri.get("/admin/", base_url=BASE))
    granted(kit, OWN, OTHER, "teacher-kanya")
    assert statements(kit.store, lambda: siri.get("/admin/", base_url=BASE)) <= few


def test_what_waits_leads_to_where_it_is_done(kit: Kit) -> None:
    shown = page(kit, "siri", "/admin/")
    for path in ("/admin/requests/student-mali", "/admin/requests", "/admin/contracts"):
        assert f'href="{path}"' in shown, path


def test_a_parent_finds_their_children_on_the_first_page_and_nobody_elses(standing: Kit) -> None:
    shown = standing.client("parent").get("/admin/", base_url=BASE).text
    assert 'href="/admin/person/student-mali"' in shown
    assert 'href="/admin/usage/student-mali"' in shown
    assert set(re.findall(r'href="/admin/person/([^"]+)"', shown)) == {"student-mali"}
    catch_up(standing.store)
    with reading(standing.store) as connection:
        newest = search(connection, person="student-mali", event="search", limit=1).records[0]
    assert newest.record["detail"]["listed"] == ["student-mali"]
    assert newest.record["resource"] == {"type": "home", "id": "parent-somchai"}
    teacher = standing.client("teacher").get("/admin/", base_url=BASE).text
    assert "/admin/person/" not in teacher


def in_care(kit: Kit, first: int, number: int, born: date) -> list[str]:
    """So many children born then, in the care of the parent."""
    kept = {"origin": "tests", "recorded_at": clock.now()}
    names = [f"ก{each:03}" for each in range(first, first + number)]
    row = {"family_name": "ใจดี", "birth_date": born, **kept}
    link = {"guardian": "parent-somchai", "kind": "guardian", **kept}
    with writing(kit.store) as connection:
        connection.execute(
            insert(t.Person), [{"id": each, "given_name": each, **row} for each in names]
        )
        connection.execute(
            insert(t.Guardianship),
            [{"id": f"care-{each}", "student": each, **link} for each in names],
        )
    return names


def test_a_home_of_many_children_finds_each_of_them_with_no_more_queries(kit: Kit) -> None:
    today, parent = clock.now().date(), kit.client("parent")
    few = statements(kit.store, lambda: parent.get("/admin/", base_url=BASE))
    many = in_care(kit, 0, 60, today.replace(year=today.year - 9, day=1))
    grown = in_care(kit, 60, 3, today.replace(year=today.year - 30, day=1))
    assert statements(kit.store, lambda: parent.get("/admin/", base_url=BASE)) <= few
    found, path, pages = [], "/admin/", 0
    while path:
        shown, pages = parent.get(path, base_url=BASE).text, pages + 1
        found += re.findall(r'href="/admin/person/([^"]+)"', shown)
        following = re.findall(r'rel="next" href="([^"#]+)', shown)
        path = following[0] if following else ""
    assert [unquote(each) for each in found[:60]] == many
    assert found[60:] == ["student-mali"]
    assert pages == 3
    assert not {*grown} & set(map(unquote, found))
    assert parent.get("/admin/?children=x", base_url=BASE).status_code == 400
