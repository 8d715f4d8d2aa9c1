"""Incidents in the screens, from the opening to the closing, against their clock (E-07, N-50)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import insert, select
from werkzeug.test import Client, TestResponse

from authz import clock
from authz.audit import log, trail
from authz.audit.record import Entry, Ref, timestamp
from authz.decision.request import parse
from authz.privacy.incidents import Incident
from authz.privacy.tables import IncidentRow
from authz.service import incident_register
from authz.service.database import reading, writing
from authz.service.decided import Caller
from authz.vocabulary import Event
from tests.admin.kit import BASE, INCIDENT, Kit, post, press
from tests.admin.test_reviews import Counted

STRANGER = "student-mali"
TITLE = "แฟ้มคะแนนถูกส่งผิดคน"


def get(client: Client, path: str) -> TestResponse:
    return client.get(f"/admin{path}", base_url=BASE)


def send(client: Client, path: str, form: dict[str, Any], *, at: str = "/profile") -> TestResponse:
    return post(client, f"/admin{path}", form, at=f"/admin{at}")


def known(kit: Kit, **ago: float) -> str:
    """A moment before now, as a browser's field sends it."""
    local = (clock.now() - timedelta(**ago)).astimezone(kit.console.settings.local)
    return local.strftime("%Y-%m-%dT%H:%M")


def opened(kit: Kit, client: Client, **more: Any) -> str:
    form = {"title": TITLE, "known_at": known(kit, hours=2), "persons": STRANGER, "why": "แจ้งโดยครู"}
    reply = send(client, "/incidents/new", {**form, **more})
    assert reply.status_code == 302, reply.text
    return reply.location.rpartition("/")[2]


def of(kit: Kit, ident: str) -> Incident:
    return incident_register.get(kit.store, ident)


def misused(kit: Kit, people: int, account: str = "teacher-danai") -> None:
    """Uses of as many people's data by one account."""
    entries = [
        Entry(
            event=Event.DECISION, time=clock.now(), application="portal",
            subject=Ref("user", account), action="read", decision=True, purpose="service",
            resource=Ref("contact", person), rules=["teacher-read"],
        )
        for person in ("student-mali", "student-ton", "student-gone")[:people]
    ]  # fmt: skip
    log.record(kit.store, entries)


def test_from_opening_to_closing_against_the_clock(kit: Kit) -> None:
    client = kit.client("siri")
    ident = opened(kit, client)
    page = get(client, f"/incident/{ident}").text
    assert "เหลือ 69 ชั่วโมง" in page or "เหลือ 70 ชั่วโมง" in page
    assert "ยังขาด" in page
    reply = send(client, f"/incident/{ident}/close", {"why": "เสร็จแล้ว"})
    assert reply.status_code == 400
    assert "ยังปิดไม่ได้" in reply.text
    assign = {"assignee": "dpo-siri", "why": "ดูแลเอง"}
    assert send(client, f"/incident/{ident}/assign", assign).status_code == 302
    assert may_see(kit, ident)
    form = {"title": TITLE, "cause": "ส่งอีเมลผิด", "effect": "คะแนนถูกเห็น", "remedy": "ขอให้ลบ"}
    form |= {"known_at": known(kit, hours=2), "reported_at": "", "why": "สอบถามแล้ว"}
    assert send(client, f"/incident/{ident}/update", form).status_code == 302
    form["reported_at"] = known(kit, minutes=1)
    assert send(client, f"/incident/{ident}/update", {**form, "why": "แจ้งแล้ว"}).status_code == 302
    assert "แจ้งทันกำหนด" in get(client, f"/incident/{ident}").text
    assert send(client, f"/incident/{ident}/close", {"why": "ครบถ้วน"}).status_code == 302
    done = of(kit, ident)
    assert (done.state, done.cause, done.late(clock.now())) == ("closed", "ส่งอีเมลผิด", False)
    assert not may_see(kit, ident)
    assert TITLE not in get(client, "/incidents").text
    assert TITLE in get(client, "/incidents?all=yes").text
    page = get(client, f"/incident/{ident}").text
    assert "แจ้งโดยครู" in page
    assert "ครบถ้วน" in page
    with reading(kit.store) as connection:
        found = [each.record for each in trail.search(connection, person=ident, limit=20).records]
    steps = [each["detail"] for each in found if each["event"].startswith("incident_")]
    assert [each["who"] for each in steps] == ["dpo-siri"] * 5
    assert steps[0]["why"] == "ครบถ้วน"


def may_see(kit: Kit, case: str) -> bool:
    """Whether the officer reads the person's data on this case."""
    asked = {
        "subject": {"type": "user", "id": "dpo-siri"},
        "action": {"name": "read"},
        "resource": {"type": "assessment_result", "id": STRANGER},
        "context": {"purpose": "legal_duty", "case": case},
    }
    (found,) = kit.console.point.evaluate([parse(asked)], Caller("tests"))
    return found.decision.permit


@pytest.mark.parametrize(
    ("path", "form", "said"),
    [
        ("/incidents/new", {"title": " ", "known_at": "2026-01-01T10:00", "why": "x"}, "สั้น"),
        ("/incidents/new", {"title": "T", "known_at": "2999-01-01T10:00", "why": "x"}, "ผ่านมาแล้ว"),
        ("/incidents/new", {"title": "T", "known_at": "ก่อน", "why": "x"}, "ผ่านมาแล้ว"),
        ("/incidents/new", {"title": "T", "known_at": "2026-01-01T10:00", "why": " "}, "เหตุผล"),
        ("/incident/{0}/assign", {"assignee": "teacher-danai", "why": "x"}, "เลือกเจ้าหน้าที่"),
        ("/incident/{0}/assign", {"assignee": "dpo-siri", "why": " "}, "เหตุผล"),
        ("/incident/{0}/update", {"title": "unchanged", "why": "x"}, "ไม่มีการเปลี่ยนแปลง"),
        ("/incident/{0}/update", {"title": "unchanged", "cause": "C", "why": " "}, "เหตุผล"),
        ("/incident/{0}/close", {"not_reported": "ไม่กระทบใคร", "why": "x"}, "ยังปิดไม่ได้"),
    ],
)
def test_what_cannot_be_is_told_and_what_was_typed_stays(
    kit: Kit, path: str, form: dict[str, str], said: str
) -> None:
    client = kit.client("siri")
    if form.get("title") == "unchanged":
        form = {**form, "title": of(kit, INCIDENT).title, "known_at": local(kit, INCIDENT)}
    reply = send(client, path.format(INCIDENT), form)
    assert reply.status_code == 400
    assert said in reply.text
    for name in ("cause", "not_reported"):
        assert form.get(name, "") in reply.text
    assert of(kit, INCIDENT).state == "open"


def local(kit: Kit, ident: str) -> str:
    at = of(kit, ident).known_at.astimezone(kit.console.settings.local)
    return at.strftime("%Y-%m-%dT%H:%M")


def test_the_platform_writes_down_and_does_not_see_whom_it_concerns(kit: Kit) -> None:
    client = kit.client("krung")
    ident = opened(kit, client)
    page = get(client, f"/incident/{ident}").text
    assert STRANGER not in page
    assert "มะลิ" not in page
    assert "1 คน" in page
    assert get(client, f"/incident/{ident}/breach").status_code == 403
    assert get(client, f"/incident/{ident}/breach/csv?account=x").status_code == 403
    assert "ร่างหนังสือแจ้ง" not in page
    seen = get(kit.client("siri"), f"/incident/{ident}").text
    assert STRANGER in seen


def test_an_auditor_reads_and_changes_nothing(kit: Kit) -> None:
    client = kit.client("audit")
    page = get(client, f"/incident/{INCIDENT}").text
    assert "/assign" not in page
    assert get(client, f"/incident/{INCIDENT}/breach?account=nobody").status_code == 200
    assert (
        send(client, f"/incident/{INCIDENT}/breach", {"account": "x", "why": "x"}).status_code
        == 403
    )


@pytest.mark.parametrize("path", ["", "/breach", "/breach/pdf?account=x"])
def test_an_incident_that_is_not_there_is_not_found(kit: Kit, path: str) -> None:
    assert get(kit.client("siri"), f"/incident/none{path}").status_code == 404


@pytest.mark.parametrize("path", ["assign", "update", "close"])
def test_what_is_not_there_is_not_changed(kit: Kit, path: str) -> None:
    form = {"assignee": "dpo-siri", "cause": "C", "not_reported": "N", "why": "x"}
    assert send(kit.client("siri"), f"/incident/none/{path}", form).status_code == 404


def test_the_breach_report_drafts_the_notice_and_names_whom_it_concerns(kit: Kit) -> None:
    client = kit.client("siri")
    misused(kit, 3)
    path = f"/incident/{INCIDENT}/breach"
    page = get(client, f"{path}?account=teacher-danai").text
    assert "student-ton" in page
    assert "(ร่าง) แจ้งเหตุละเมิดข้อมูลส่วนบุคคล" in page
    assert "(Draft) Notice of a personal data breach" in page
    assert "[ยังไม่ทราบ โปรดระบุ]" in page
    kinds = {"pdf": b"%PDF", "csv": b"\xef\xbb\xbf", "json": b"{", "html": b"<!"}
    for kind, mark in kinds.items():
        file = get(client, f"{path}/{kind}?account=teacher-danai")
        assert file.data.lower().startswith(mark.lower()), kind
    assert get(client, f"{path}/doc?account=teacher-danai").status_code == 404
    form = {"account": "teacher-danai", "why": "ตามรายงาน"}
    assert send(client, path, {**form, "why": " "}).status_code == 302
    assert incident_register.concerned(kit.store, INCIDENT, 9)[1] == 0
    send(client, path, form)
    people, number = incident_register.concerned(kit.store, INCIDENT, 9)
    assert (people, number) == (["student-mali", "student-ton"], 2)  # who is not on file is not
    with reading(kit.store) as connection:
        read = trail.search(connection, event=Event.TRAIL_READ, limit=1).records[0].record
    assert (read["action"], read["subject"]["id"]) == ("report.breach", "dpo-siri")


def test_a_report_of_nothing_is_told(kit: Kit) -> None:
    client = kit.client("siri")
    path = f"/incident/{INCIDENT}/breach"
    assert "ไม่มีโทเคน" in get(client, f"{path}?token=none").text
    assert get(client, f"{path}?since=tomorrow").status_code == 400
    assert "ไม่มีการใช้" in get(client, f"{path}?account=nobody").text


@pytest.mark.usefixtures("one_moment")
def test_the_list_goes_on_where_a_page_ended_and_costs_the_same(kit: Kit) -> None:
    client = kit.client("siri")
    get(client, "/incidents")
    with Counted(kit.store) as few:
        get(client, "/incidents")
    with writing(kit.store) as connection:
        row = dict(connection.execute(select(IncidentRow.__table__)).mappings().one())
        at = clock.now()
        rows = [
            {**row, "id": f"I-{number:03}", "title": f"เหตุที่ {number:03}",
             "known_at": timestamp(at - timedelta(minutes=number))}
            for number in range(120)
        ]  # fmt: skip
        connection.execute(insert(IncidentRow), rows)
    seen: list[str] = []
    path = "/incidents"
    for _ in range(3):
        with Counted(kit.store) as many:
            page = get(client, path).text
        assert many.number <= few.number
        seen += re.findall(r"เหตุที่ (\d{3})", page)
        following = re.search(r'rel="next" href="/admin([^"]+)"', page)
        path = following[1].replace("&amp;", "&") if following else ""
    assert sorted(set(seen)) == [f"{number:03}" for number in range(120)]
    assert path == ""


def test_an_incident_is_opened_and_read_on_a_phone_in_both_languages(
    kit: Kit, thai: BrowserContext
) -> None:
    misused(kit, 2)
    page = kit.page(thai, "siri")
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(f"{kit.url}/admin/incidents/new")
    page.fill("[name=title]", TITLE)
    page.fill("[name=why]", "แจ้งโดยครู")
    page.click("main form button")
    page.wait_for_url(re.compile(r"/admin/incident/"))
    expect(page.locator("h1")).to_have_text(TITLE)
    address = page.url
    for screen in ("", "/breach?account=teacher-danai"):
        for language in ("th", "en"):
            page.goto(address + screen)
            if page.locator("html").get_attribute("lang") != language:
                press(page, f"button[name=to][value={language}]")
            wide = page.evaluate("document.documentElement.scrollWidth > innerWidth")
            assert not wide, (screen, language)
            found = Axe().run(page).response["violations"]
            serious = [each["id"] for each in found if each["impact"] in {"serious", "critical"}]
            assert serious == [], (screen, language)
