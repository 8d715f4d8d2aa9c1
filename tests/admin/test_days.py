"""Days as Thai readers write them, in fields that browsers have in another era."""

from __future__ import annotations

import re

import pytest

from authz.admin.days import of_the_common_era
from tests.admin.kit import BASE, Kit
from tests.admin.test_directory import page, send


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2027-05-03", "2027-05-03"),
        ("2570-05-03", "2027-05-03"),
        ("2567-02-29", "2024-02-29"),
        ("3/5/2570", "2027-05-03"),
        ("๐๓/๐๕/๒๕๗๐", "2027-05-03"),
        (" 31/12/2569 ", "2026-12-31"),
        ("2569-11-23T06:40", "2026-11-23T06:40"),
        ("3/5/2027", "3/5/2027"),
        ("3/5/70", "3/5/70"),
        ("31/13/2570", "2027-13-31"),
        ("2570-5-3", "2570-5-3"),
        ("", ""),
        ("tomorrow", "tomorrow"),
    ],
)
def test_a_day_of_the_buddhist_era_is_one_day_and_no_other(typed: str, meant: str) -> None:
    assert of_the_common_era(typed) == meant


def test_a_guardianship_ends_in_the_year_that_was_meant(kit: Kit) -> None:
    """A year typed by habit into the field of the browser ends nothing 543 years late."""
    form = {"guardian": "parent-suda", "kind": "guardian", "until": "2570-05-03"}
    send(kit, "head", "/admin/guardianships/student-mali/add_guardianship", **form)
    assert "3 พฤษภาคม 2570" in page(kit, "head", "/admin/guardianships/student-mali")
    refused = {**form, "until": "3/5/2027"}
    send(kit, "head", "/admin/guardianships/student-mali/add_guardianship", **refused)
    listed = page(kit, "head", "/admin/guardianships/student-mali").split("<h2>")[1]
    assert "2027" not in re.sub("<small>.*?</small>|<[^>]+>", " ", listed)  # hints name years


def test_what_was_asked_is_told_in_the_readers_calendar(standing: Kit) -> None:
    shown = page(standing, "siri", "/admin/trail?since=1/11/2569&until=2569-11-30")
    assert "1 พฤศจิกายน 2569" in shown
    assert "30 พฤศจิกายน 2569" in shown
    assert 'name="since" value="2026-11-01"' in shown
    wrong = page(standing, "siri", "/admin/trail?since=1/11/2026")
    assert "“1/11/2026” ไม่ใช่วันที่" in wrong


def test_a_field_of_a_day_says_how_it_counts_years_to_those_who_count_otherwise(
    standing: Kit,
) -> None:
    siri = standing.client("siri")
    thai = siri.get("/admin/trail", base_url=BASE).text
    assert len(re.findall(r"ปี ค\.ศ\. โดย พ\.ศ\. 25\d\d คือ 20\d\d", thai)) == 2
    english = siri.get("/admin/trail", base_url=BASE, headers={"Accept-Language": "en"}).text
    assert "common era" not in english
