"""Rights with an end in the screens: asked, answered by others, broken glass, reviewed (N-44)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import select, update
from werkzeug.test import Client

from authz import clock
from authz.cli.demo.people import DOI, RIM, SUAN
from authz.decision.request import parse
from authz.directory.tables import Elevation, Grant
from authz.review.tables import ReviewItem, RightRequest
from authz.service.database import reading, writing
from authz.service.decided import Caller
from tests.admin.kit import BASE, PRIVILEGED, Kit, post, press, statements

WHY = "ครูเวรป่วย ต้องทำแทน"


def tomorrow(days: int = 10) -> str:
    return (clock.now() + timedelta(days)).date().isoformat()


def ask(client: Client, **form: Any) -> Any:
    given = {"kind": "role", "role": "mentor", "until": tomorrow(), "why": WHY, **form}
    return post(client, "/admin/rights/ask", given)


def waiting(client: Client) -> list[str]:
    page = client.get("/admin/approvals", base_url=BASE).text
    return re.findall(r'name="id" value="(R-[0-9a-f]+)"', page)


def answer(client: Client, ident: str, what: str = "approve", why: str = "ok") -> Any:
    form = {"id": ident, "answer": what, "why": why}
    return post(client, "/admin/approvals/answer", form, at="/admin/profile")


def grants(kit: Kit, person: str, role: str) -> list[Any]:
    with reading(kit.store) as connection:
        found = select(*Grant.__table__.c).where(Grant.person == person, Grant.role == role)
        return list(connection.execute(found))


def may(kit: Kit, subject: str, person: str, **context: Any) -> bool:
    """What an application would be told, over the decision point of the school's pack."""
    asked = parse(
        {
            "subject": {"type": "user", "id": subject},
            "action": {"name": "read"},
            "resource": {"type": "contact", "id": person},
            "context": context,
        }
    )
    (found,) = kit.console.point.evaluate([asked], Caller("tests"))
    return found.decision.permit


@pytest.mark.usefixtures("one_moment")
def test_a_role_is_given_by_another_and_ends_on_its_day(kit: Kit) -> None:
    ask(kit.client("teacher"))
    (ident,) = waiting(kit.client("siri"))
    assert answer(kit.client("siri"), ident).status_code == 302
    (grant,) = grants(kit, "teacher-danai", "mentor")
    assert (grant.granted_by, grant.reason) == ("dpo-siri", WHY)
    assert grant.valid_until.astimezone(kit.console.settings.local).date().isoformat() == tomorrow()
    page = kit.client("teacher").get("/admin/rights", base_url=BASE).text
    assert "พี่เลี้ยง" in page
    assert waiting(kit.client("siri")) == []


@pytest.mark.usefixtures("one_moment")
def test_an_extension_moves_the_end_of_the_same_right(kit: Kit) -> None:
    teacher, siri = kit.client("teacher"), kit.client("siri")
    ask(teacher)
    answer(siri, waiting(siri)[0])
    begun = grants(kit, "teacher-danai", "mentor")[0].valid_from.isoformat()
    ask(teacher, begun=begun, until=tomorrow(40))
    answer(siri, waiting(siri)[0])
    (grant,) = grants(kit, "teacher-danai", "mentor")
    until = grant.valid_until.astimezone(kit.console.settings.local)
    assert until.date().isoformat() == tomorrow(40)


def test_nobody_answers_their_own_request(kit: Kit) -> None:
    head = kit.client("head")
    ask(head, role="school_admin", organisation=DOI)
    assert waiting(head) == []
    (ident,) = waiting(kit.client("siri"))
    answer(head, ident)
    assert "อนุมัติคำขอของตนเองไม่ได้" in head.get("/admin/rights", base_url=BASE).text
    assert waiting(kit.client("siri")) == [ident]


def test_an_administrator_answers_for_their_own_schools_only(kit: Kit) -> None:
    """N-43: what is asked for at another school is as if it were not there."""
    ask(kit.client("teacher"), role="school_admin", organisation=DOI)
    (ident,) = waiting(kit.client("head"))
    assert waiting(kit.client("other")) == []
    assert answer(kit.client("other"), ident).status_code == 404
    answer(kit.client("head"), ident)
    assert grants(kit, "teacher-danai", "school_admin")


@pytest.mark.parametrize("role", ["dpo", "platform_admin"])
def test_no_school_gives_a_role_that_opens_what_is_everybodys(kit: Kit, role: str) -> None:
    """N-44: whoever is a member of a school would hold it towards themselves, and so open all."""
    ask(kit.client("teacher"), role=role, organisation=DOI)
    head, siri = kit.client("head"), kit.client("siri")
    (ident,) = waiting(siri)
    assert waiting(head) == []
    assert answer(head, ident).status_code == 404
    assert grants(kit, "teacher-danai", role) == []
    answer(siri, ident)
    assert len(grants(kit, "teacher-danai", role)) == 1


def test_a_request_without_a_reason_is_none(kit: Kit) -> None:
    teacher = kit.client("teacher")
    ask(teacher, why="  ")
    assert "เหตุผลจะถูกเก็บไว้" in teacher.get("/admin/rights", base_url=BASE).text
    assert waiting(kit.client("siri")) == []


def test_roles_that_the_pack_keeps_apart_are_refused_when_asked_for(kit: Kit) -> None:
    krung = kit.client("krung")
    ask(krung, role="dpo")
    page = krung.get("/admin/rights", base_url=BASE).text
    assert "ต้องเป็นคนละคนกัน" in page
    assert waiting(kit.client("siri")) == []


def test_two_approvals_where_the_setting_wants_two(kit: Kit) -> None:
    object.__setattr__(kit.console.settings, "approvals", 2)
    ask(kit.client("teacher"), role="school_admin", organisation=DOI)
    head, siri = kit.client("head"), kit.client("siri")
    (ident,) = waiting(head)
    answer(head, ident)
    answer(head, ident)  # the same person counts once
    assert grants(kit, "teacher-danai", "school_admin") == []
    answer(siri, ident)
    assert len(grants(kit, "teacher-danai", "school_admin")) == 1


def test_breaking_the_glass(kit: Kit, thai: BrowserContext) -> None:
    """N-44: nothing before; for some hours afterwards, with a banner; then a review."""
    person = "student-dao"  # of another school
    assert not may(kit, PRIVILEGED["head"], person, justification="fire")
    page = kit.page(thai, "head")
    page.goto(f"{kit.url}/admin/rights")
    press(page, "text=การเข้าถึงฉุกเฉิน")
    assert serious(page) == []
    page.select_option("[name=organisation]", SUAN)
    page.fill("[name=hours]", "2")
    page.fill("[name=why]", "ไฟไหม้อาคารเรียน ต้องติดต่อผู้ปกครอง")
    page.click("main button")
    expect(page.locator("aside.note")).to_contain_text("สิทธิฉุกเฉินมีผลอยู่")
    assert may(kit, PRIVILEGED["head"], person, justification="fire")
    page.goto(f"{kit.url}/admin/profile")
    expect(page.locator("aside.note")).to_contain_text("สิทธิฉุกเฉินมีผลอยู่")
    assert serious(page) == []
    page.goto(f"{kit.url}/admin/rights")
    assert serious(page) == []
    reviewer = kit.client("other")
    text = reviewer.get("/admin/approvals", base_url=BASE).text
    assert "ไฟไหม้อาคารเรียน" in text
    assert re.search(r"จำนวนบุคคลที่เปิดดู</dt><dd>1</dd>", text)
    page.click("text=คืนสิทธิทันที >> nth=0")
    page.fill("details[open] textarea", "ติดต่อครบแล้ว")
    page.click("details[open] button")
    expect(page.locator("aside.note")).to_have_count(0)
    assert not may(kit, PRIVILEGED["head"], person, justification="fire")


def serious(page: Any) -> list[str]:
    """What axe finds that keeps people out, once all of the page is there."""
    page.wait_for_load_state()
    found = Axe().run(page).response["violations"]
    return [each["id"] for each in found if each["impact"] in {"serious", "critical"}]


def broken(kit: Kit, who: str = "head", school: str = SUAN) -> str:
    form = {"organisation": school, "hours": "3", "why": "น้ำท่วม"}
    post(kit.client(who), "/admin/rights/emergency", form)
    with reading(kit.store) as connection:
        found = select(Elevation.id).where(Elevation.person == PRIVILEGED[who])
        return str(connection.scalars(found).one())


def test_an_emergency_is_due_for_review_within_72_hours_and_closed_by_another(kit: Kit) -> None:
    ident = broken(kit)
    with reading(kit.store) as connection:
        (item,) = connection.execute(
            select(*ReviewItem.__table__.c).where(ReviewItem.elevation == ident)
        )
    assert clock.parse(item.due_at, clock.zone("UTC")) - clock.parse(
        item.opened_at, clock.zone("UTC")
    ) == timedelta(hours=72)
    form = {"id": ident, "verdict": "justified", "why": "ตรวจแล้ว"}
    siri = kit.client("siri")
    post(kit.client("head"), "/admin/approvals/emergency", form, at="/admin/profile")
    assert "น้ำท่วม" in siri.get("/admin/approvals", base_url=BASE).text  # not by oneself
    post(siri, "/admin/approvals/emergency", form, at="/admin/profile")
    assert "น้ำท่วม" not in siri.get("/admin/approvals", base_url=BASE).text


@pytest.mark.parametrize(("school", "hours"), [(DOI, "3"), (SUAN, "25"), (SUAN, "0"), ("", "3")])
def test_no_emergency_at_ones_own_school_nor_beyond_a_day(
    kit: Kit, school: str, hours: str
) -> None:
    form = {"organisation": school, "hours": hours, "why": "x"}
    post(kit.client("head"), "/admin/rights/emergency", form)
    with reading(kit.store) as connection:
        found = select(Elevation.id).where(Elevation.person == PRIVILEGED["head"])
        assert connection.scalars(found).all() == []


def test_the_list_of_requests_costs_the_same_however_long(kit: Kit) -> None:
    siri = kit.client("siri")

    def cost() -> int:
        return statements(kit.store, lambda: siri.get("/admin/approvals", base_url=BASE))

    ask(kit.client("teacher"))
    few = cost()
    for role in ("analyst", "order_clerk", "support_agent"):
        ask(kit.client("teacher"), role=role)
        ask(kit.client("parent"), role=role)
    assert len(waiting(kit.client("siri"))) == 7
    assert cost() == few


def test_a_request_whose_end_is_past_waits_for_nobody(kit: Kit) -> None:
    ask(kit.client("teacher"))
    (ident,) = waiting(kit.client("siri"))
    with writing(kit.store) as connection:
        connection.execute(update(RightRequest).values(until="2020-01-01T00:00:00.000000Z"))
    assert waiting(kit.client("siri")) == []
    answer(kit.client("siri"), ident)
    assert grants(kit, "teacher-danai", "mentor") == []


def test_the_right_is_another_schools_when_it_is_broken_elsewhere(kit: Kit) -> None:
    broken(kit, school=RIM)
    assert "น้ำท่วม" not in kit.client("other").get("/admin/approvals", base_url=BASE).text
