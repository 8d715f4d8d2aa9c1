"""The directory, the explorer and the trail, as people use them (issue: N-41, N-46, N-49)."""

from __future__ import annotations

import html
import re

import pytest
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import select

from authz.audit.search import search
from authz.directory import tables as t
from authz.service import verification, verified
from authz.service.database import reading
from authz.service.journals import catch_up
from tests.admin.kit import BASE, Kit
from tests.world import answered


def test_why_somebody_sees_a_child_is_found_and_asked_what_if(
    kit: Kit, thai: BrowserContext
) -> None:
    page = kit.page(thai, "head")
    page.goto(f"{kit.url}/admin/people?text=มะลิ+ใจดี")
    page.click("main table a")
    page.click(".tabs >> text=ใครเห็นข้อมูล")
    card = page.locator("article.line", has_text="สมชาย ใจดี").first
    expect(card.locator("ol.path > li")).to_have_count(3)
    expect(card.locator("ol.path")).to_contain_text("ผู้เยาว์จนถึง")
    expect(card).to_contain_text("เมื่อบรรลุนิติภาวะ")
    card.locator("a", has_text="ถ้าสิ่งนี้สิ้นสุดลง").click()
    lost = page.locator("article.line.gone")
    expect(lost).to_have_count(1)
    expect(lost).to_contain_text("สมชาย ใจดี")
    expect(lost).to_contain_text("จะไม่มีสิทธิ")


@pytest.mark.parametrize("path", ["person", "access", "rights", "usage"])
def test_another_schools_person_is_not_there(kit: Kit, path: str) -> None:
    client = kit.client("other")
    reply = client.get(f"/admin/{path}/student-mali", base_url=BASE)
    assert reply.status_code == 404
    assert client.get(f"/admin/{path}/nobody", base_url=BASE).status_code == 404
    assert "มะลิ" not in reply.text


def test_a_list_shows_no_person_of_another_school(kit: Kit) -> None:
    shown = _people(kit, "other")
    with reading(kit.store) as connection:
        m = t.Membership
        own = set(connection.scalars(select(m.person).where(m.organisation == "school-suan")))
    assert shown
    assert shown <= own
    assert _people(kit, "head").isdisjoint(shown)


def _people(kit: Kit, name: str) -> set[str]:
    reply = kit.client(name).get("/admin/people", base_url=BASE)
    return set(re.findall(r"/admin/person/([^\"]+)", reply.text))


def test_each_section_of_a_person_is_a_decision_of_its_own(kit: Kit) -> None:
    """E-01: what the role does not open is not there, and every look is on record."""
    parent = kit.client("parent").get("/admin/person/student-mali", base_url=BASE)
    assert "บทบาทที่ได้รับมอบ" not in parent.text
    head = kit.client("head").get("/admin/person/student-mali", base_url=BASE)
    assert "บทบาทที่ได้รับมอบ" in head.text
    asked = {
        (each["resource"]["type"], each["decision"])
        for each in answered(kit.store)
        if each["event"] == "decision" and each["subject"]["id"] == "admin-prapai"
    }
    assert {("person", True), ("guardianship", True), ("grant", True), ("consent", True)} <= asked


def test_the_trail_tells_who_looked(kit: Kit) -> None:
    kit.client("head").get("/admin/person/student-mali", base_url=BASE)
    siri = kit.client("siri")
    told = siri.get("/admin/usage/student-mali?subject=admin-prapai", base_url=BASE).text
    assert "ประไพ ศรีวิชัย" in told
    none = siri.get("/admin/usage/student-mali?subject=nobody", base_url=BASE).text
    assert "ไม่พบบันทึกตามที่ค้นหา" in none
    refused = siri.get("/admin/trail?decision=refuse&category=identity", base_url=BASE)
    assert refused.status_code == 200


def test_a_day_that_is_none_and_a_place_that_is_none_harm_nobody(kit: Kit) -> None:
    siri = kit.client("siri")
    path = "/admin/access/student-mali?day=yesterday&without=nothing"
    assert siri.get(path, base_url=BASE).status_code == 200
    assert siri.get("/admin/people?after=x", base_url=BASE).status_code == 400
    assert siri.get("/admin/trail?after=x", base_url=BASE).status_code == 400


def test_the_first_page_tells_what_concerns_the_reader(kit: Kit) -> None:
    siri = kit.client("siri").get("/admin/", base_url=BASE).text
    assert "case-rights-mali" in siri
    assert "<svg" in siri
    head = kit.client("head").get("/admin/", base_url=BASE).text
    assert "case-rights-mali" not in head
    assert "<svg" in head
    parent = kit.client("parent").get("/admin/", base_url=BASE).text
    assert "การเปลี่ยนแปลงล่าสุด" not in parent
    assert "<svg" not in parent


def test_the_last_verification_is_told_where_the_trail_stands(kit: Kit) -> None:
    client = kit.client("siri")
    assert "ยังไม่เคยตรวจสอบทั้งหมด" in client.get("/admin/trail/state", base_url=BASE).text
    found = verification.verify(kit.store, kit.console.settings)
    assert found.whole
    verified.note(kit.store, found, by="ops-krung", asked={})
    page = client.get("/admin/trail/state", base_url=BASE).text
    assert "ครบถ้วนถูกต้อง" in page
    assert f"{found.records} รายการ โดย ops-krung" in page


def test_a_report_of_a_person_is_taken_along(kit: Kit) -> None:
    """N-30, N-49: whoever may look may take it along, and that leaves a record."""
    kit.client("head").get("/admin/person/student-mali", base_url=BASE)
    path = "/admin/reports/access-of/{}/student-mali"
    kinds = {"html": b"<html", "pdf": b"%PDF-", "csv": b"\xef\xbb\xbf", "json": b'{"report"'}
    parent = kit.client("parent")
    for form, begins in kinds.items():
        reply = parent.get(path.format(form), base_url=BASE)
        assert begins in reply.data[:40], form
    read = [each for each in answered(kit.store) if each["event"] == "trail_read"]
    assert [each["subject"]["id"] for each in read][-4:] == ["parent-somchai"] * 4
    assert parent.get(path.format("exe"), base_url=BASE).status_code == 404
    for name in ("other", "teacher"):
        assert kit.client(name).get(path.format("pdf"), base_url=BASE).status_code == 404


def test_the_trail_is_searched_by_names_and_a_name_of_many_is_chosen_from(kit: Kit) -> None:
    """Nobody knows ids by heart; whoever is shown to choose from is in a record (N-49)."""
    siri, head = kit.client("siri"), kit.client("head")
    assert head.get("/admin/person/student-mali", base_url=BASE).status_code == 200
    found = siri.get("/admin/trail?person=มะลิ ใจดี&event=decision", base_url=BASE).text
    assert "admin-prapai" not in found.split("<table")[0]
    assert "subject=admin-prapai" in found.split("<table")[1]
    many = siri.get("/admin/trail?person=ใจดี&event=decision&since=2020-01-01", base_url=BASE).text
    assert "<table" not in many
    links = re.findall(r'href="(/admin/trail\?[^"]*person=[^"]+)"', many)
    assert len(links) > 1
    assert all("event=decision" in each and "since=2020-01-01" in each for each in links)
    (mali,) = (each for each in links if "person=student-mali" in each)
    assert "<table" in siri.get(html.unescape(mali), base_url=BASE).text
    catch_up(kit.store)
    with reading(kit.store) as connection:
        listed = search(connection, person="student-mali", event="search", limit=20).records
    assert any(len(each.record["detail"]["listed"]) > 1 for each in listed)


def test_what_is_nobodys_name_is_an_id_and_each_finds_only_whom_they_may(kit: Kit) -> None:
    head = kit.client("head")
    head.get("/admin/person/student-mali", base_url=BASE)
    path = "/admin/usage/student-mali?subject="
    assert "ประไพ" in head.get(path + "ประไพ", base_url=BASE).text.split('id="part"')[1]
    parent = kit.client("parent").get(path + "admin-prapai", base_url=BASE).text
    assert "<table" in parent
    assert "<table" not in kit.client("parent").get(path + "สุรีย์", base_url=BASE).text
