"""A way in that is asked for, as its asker reads it, and takes it back (N-45, N-49)."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Browser
from sqlalchemy import insert, select
from werkzeug.test import TestResponse

from authz import clock
from authz.audit.tables import AuditRecord
from authz.directory.recording import revision
from authz.directory.tables import Grant
from authz.service import ways_in
from authz.service.database import writing
from authz.service.journals import catch_up
from tests.admin.kit import BASE, ORDINARY, PRIVILEGED, Kit, post, tab_to

USERS, APPROVALS = "/admin/users", "/admin/approvals"
BACK, ANSWER = f"{USERS}/take-back", f"{APPROVALS}/way-in"


def invited(kit: Kit) -> str:
    """An invitation for the parent, asked for by whoever runs the platform; its id."""
    form = {"why": "asked in person"}
    post(kit.client("krung"), f"{USERS}/of/parent/invite", form, at="/admin/profile")
    return str(ways_in.of(kit.store)[-1]["id"])


def back(kit: Kit, ident: str, who: str = "krung") -> TestResponse:
    return post(kit.client(who), BACK, {"id": ident, "why": "wrong one"}, at="/admin/profile")


def withdrawals(kit: Kit) -> list[dict[str, Any]]:
    catch_up(kit.store)
    with kit.store.connect() as connection:
        chosen = select(AuditRecord.body).where(AuditRecord.event == "way_in_withdrawn")
        return [json.loads(body) for body in connection.scalars(chosen)]


def page_of(kit: Kit, who: str, path: str) -> str:
    return kit.client(who).get(path, base_url=BASE).text


def test_whoever_asked_takes_it_back_and_nobody_answers_it_any_more(kit: Kit) -> None:
    ident = invited(kit)
    assert ident in page_of(kit, "krung", USERS)
    assert "คำเชิญให้เชื่อมบัญชีภายนอก" in page_of(kit, "head", APPROVALS)
    reply = back(kit, ident)
    assert reply.location == f"{USERS}/of/parent"
    assert ways_in.of(kit.store) == []
    assert "คำเชิญให้เชื่อมบัญชีภายนอก" not in page_of(kit, "head", APPROVALS)
    assert "รอการพิจารณา" not in page_of(kit, "head", "/admin/")
    (record,) = withdrawals(kit)
    assert record["detail"]["before"]["state"] == "waiting"
    assert record["detail"]["after"]["state"] == "withdrawn"
    assert record["detail"]["changed"] == ["state"]
    assert (record["detail"]["request"], record["detail"]["why"]) == (ident, "wrong one")
    assert record["subject"]["id"] == PRIVILEGED["krung"]


def test_who_answers_what_was_taken_back_is_told_so(kit: Kit) -> None:
    ident = invited(kit)
    back(kit, ident)
    client, form = kit.client("head"), {"id": ident, "answer": "approve", "why": "met her"}
    assert post(client, ANSWER, form, at="/admin/profile").location == APPROVALS
    assert "ผู้ขอถอนคำขอนี้แล้ว" in client.get(APPROVALS, base_url=BASE).text


def test_what_was_answered_cannot_be_taken_back(kit: Kit) -> None:
    ident = invited(kit)
    form = {"id": ident, "answer": "refuse", "why": "she did not ask me"}
    post(kit.client("head"), ANSWER, form, at="/admin/profile")
    client = kit.client("krung")
    reply = post(client, BACK, {"id": ident, "why": "wrong one"}, at="/admin/profile")
    assert reply.location == USERS
    assert "คำขอนี้มีผลการพิจารณาแล้ว" in client.get(USERS, base_url=BASE).text
    assert withdrawals(kit) == []


def test_nobody_takes_back_what_another_one_asked_for(kit: Kit) -> None:
    ident = invited(kit)
    with writing(kit.store) as connection:
        row: dict[str, Any] = {"id": "g", "person": PRIVILEGED["siri"], "role": "platform_admin"}
        row |= {"origin": "tests", "recorded_at": clock.now()}
        connection.execute(insert(Grant).values(row))
        revision.advance(connection)
    shown = page_of(kit, "siri", USERS)
    assert "รอบุคคลที่สองอนุมัติ" in shown
    assert ident not in shown
    assert back(kit, ident, "siri").status_code == 404
    assert back(kit, ident, "head").status_code == 403
    assert back(kit, "W-nothing").status_code == 404
    assert [each["id"] for each in ways_in.of(kit.store)] == [ident]


def test_a_reason_is_asked_for(kit: Kit) -> None:
    ident = invited(kit)
    client = kit.client("krung")
    post(client, BACK, {"id": ident, "why": " "}, at="/admin/profile")
    assert "โปรดระบุเหตุผล" in client.get(USERS, base_url=BASE).text
    assert [each["id"] for each in ways_in.of(kit.store)] == [ident]


@pytest.mark.parametrize("script", [True, False])
def test_it_is_taken_back_by_keyboard_on_a_phone(kit: Kit, browser: Browser, script: bool) -> None:
    invited(kit)
    context = browser.new_context(
        locale="th-TH", viewport={"width": 390, "height": 844}, java_script_enabled=script
    )
    page = kit.page(context, "krung")
    page.goto(f"{kit.url}{USERS}")
    page.focus("[name=q]")
    tab_to(page, ".note details summary")
    page.keyboard.press("Enter")
    tab_to(page, ".note [name=why]")
    page.keyboard.type("เลือกผิดคน")
    page.keyboard.press("Enter")
    page.wait_for_url(f"{kit.url}{USERS}/of/parent")
    assert "ถอนคำขอแล้ว" in page.inner_text("main")
    assert ways_in.of(kit.store) == []
    context.close()


@pytest.mark.parametrize("language", ["th", "en"])
def test_nobody_is_told_that_something_is_made_which_waits(kit: Kit, language: str) -> None:
    """A first password is made when the request is approved, and not before."""
    told = {
        "th": ("รหัสผ่านแรกในตอนนั้น", "ภายใน 14 วัน", "เมื่อคำขอได้รับอนุมัติ การยืนยันตัวตน"),
        "en": ("is made then", "within 14 days", "Until then nothing changes"),
    }[language]
    client = kit.client("krung")
    client.get("/admin/", base_url=BASE)
    post(client, "/admin/language", {"to": language}, at="/admin/profile")
    form = client.get(f"{USERS}/new", base_url=BASE).text
    one = client.get(f"{USERS}/of/parent", base_url=BASE).text
    assert told[0] in form
    assert told[1] in form
    assert told[2] in one
    assert not re.search("made now|approves each of these|Give a new first password", form + one)


def test_of_a_sign_in_of_nobody_it_is_said_that_it_is_done_at_once(kit: Kit) -> None:
    form = {"name": "spare", "person": "", "way": "password", "why": "for tests"}
    post(kit.client("krung"), f"{USERS}/new", form)
    shown = page_of(kit, "krung", f"{USERS}/of/spare")
    assert "มีผลทันที" in shown
    assert "บุคคลที่สอง" not in shown


def test_who_approves_reads_what_comes_with_it(kit: Kit) -> None:
    krung = kit.client("krung")
    post(krung, f"{USERS}/of/parent/reset", {"why": "lost it"}, at="/admin/profile")
    for way, name in (("password", "a"), ("provider", "b")):
        form = {"name": name, "person": ORDINARY["parent"], "way": way, "why": "new"}
        post(krung, f"{USERS}/new", form, at="/admin/profile")
    shown = page_of(kit, "head", APPROVALS)
    for text in ("การยืนยันตัวตนขั้นที่สองจะถูกยกเลิกด้วย", "ไม่มีรหัสผ่านแรก", "เจ้าของบัญชีเปลี่ยน"):
        assert text in shown
    assert shown.count("สิ้นสุดเองเมื่อ") == 3
