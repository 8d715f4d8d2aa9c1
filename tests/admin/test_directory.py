"""Guardianships, consents, requests, contracts and imports in the screens, each change with why."""

from __future__ import annotations

import html
import json
import re
import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, expect
from sqlalchemy import select

from authz import clock
from authz.audit.tables import AuditRecord
from authz.directory import tables as t
from authz.service import tokens
from authz.service.database import reading
from authz.service.rosters import import_oneroster
from tests.admin.kit import BASE, Kit, post, statements
from tests.admin.test_rights import serious

WHY = "คำร้องของมารดา เลขที่ 12/2569"


def send(kit: Kit, name: str, path: str, **form: Any) -> Any:
    return post(kit.client(name), path, {"why": WHY, **form}, at="/admin/profile")


def page(kit: Kit, name: str, path: str) -> str:
    return kit.client(name).get(path, base_url=BASE).text


def may(kit: Kit, subject: str, person: str, category: str = "identity", **context: Any) -> bool:
    """What an application is told over HTTP, with a token of its own."""
    token = tokens.create_token(
        kit.store, kit.console.settings, "app", ["pdp"], timedelta(hours=1), by="t", because="test"
    )
    reply = kit.client().post(
        "/access/v1/evaluation",
        json={
            "subject": {"type": "user", "id": subject},
            "action": {"name": "read"},
            "resource": {"type": category, "id": person},
            "context": context,
        },
        headers={"Authorization": f"Bearer {token}"},
        base_url=BASE,
    )
    assert reply.status_code == 200, reply.text
    return bool(json.loads(reply.text)["decision"])


def last_change(kit: Kit) -> dict[str, Any]:
    with reading(kit.store) as connection:
        bodies = connection.scalars(
            select(AuditRecord.body)
            .where(AuditRecord.event == "fact_changed")
            .order_by(AuditRecord.sequence.desc())
        )
        return dict(json.loads(bodies.first() or b"{}")["detail"])


def test_a_restriction_counts_on_the_next_decision(kit: Kit, thai: BrowserContext) -> None:
    """N-22: by the document named; with the keyboard only, on a phone."""
    assert may(kit, "parent-somchai", "student-mali")
    shown = kit.page(thai, "head")
    shown.set_viewport_size({"width": 390, "height": 844})
    shown.goto(f"{kit.url}/admin/guardianships/student-mali")
    assert serious(shown) == []
    row = shown.locator("tr", has_text="สมชาย")
    row.locator("summary", has_text="จำกัด").focus()
    shown.keyboard.press("Enter")
    shown.keyboard.press("Tab")
    shown.keyboard.type("คำสั่งศาลเยาวชนฯ 7/2569")
    shown.keyboard.press("Tab")
    for _ in range(4):  # past the parts of the date
        if shown.evaluate("document.activeElement.tagName") == "TEXTAREA":
            break
        shown.keyboard.press("Tab")
    shown.keyboard.type(WHY)
    shown.keyboard.press("Tab")
    shown.keyboard.press("Enter")
    expect(shown.locator(".note")).to_contain_text("ข้อจำกัดมีผลแล้ว")
    assert serious(shown) == []
    assert not may(kit, "parent-somchai", "student-mali")
    assert may(kit, "parent-wanida", "student-mali")
    change = last_change(kit)
    assert change["why"] == WHY
    assert change["who"] == "admin-prapai"


def test_ending_a_rosters_guardianship_ends_it_and_it_can_be_recorded_again(kit: Kit) -> None:
    path = "/admin/guardianships/student-mali"
    found = page(kit, "head", path)
    with reading(kit.store) as connection:
        ident = connection.scalars(
            select(t.Guardianship.id).where(
                t.Guardianship.student == "student-mali",
                t.Guardianship.guardian == "parent-somchai",
            )
        ).one()
    assert "มีผล" in found
    send(kit, "head", f"{path}/end_guardianship", id=ident)
    assert not may(kit, "parent-somchai", "student-mali")
    assert "ถูกแทนที่" in page(kit, "head", path)
    send(
        kit, "head", f"{path}/add_guardianship",
        guardian="parent-somchai", kind="parent",
    )  # fmt: skip
    assert may(kit, "parent-somchai", "student-mali")


def test_a_form_writes_what_a_facts_file_would(kit: Kit) -> None:
    """4.4: one way to do a thing; the row and its record are those of the same line."""
    path = "/admin/guardianships/student-mali/add_guardianship"
    form = {"guardian": "parent-anan", "kind": "guardian", "since": "2026-05-01"}
    send(kit, "head", path, **form, until="2027-05-01")
    change = last_change(kit)
    assert change["fact"] == "guardianship"
    assert change["key"] == json.dumps(["parent-anan", "student-mali", "guardian"])
    assert change["after"]["valid_from"] == "2026-04-30T17:00:00+00:00"
    assert change["after"]["valid_until"] == "2027-04-30T17:00:00+00:00"
    assert (change["who"], change["why"]) == ("admin-prapai", WHY)


def test_nobody_records_a_guardianship_of_their_own(kit: Kit) -> None:
    """N-43, N-44: it gives a right, and somebody else gives it."""
    path, head = "/admin/guardianships/student-mali", kit.client("head")
    form = {"guardian": "admin-prapai", "kind": "parent", "why": WHY}
    assert post(head, f"{path}/add_guardianship", form, at="/admin/profile").status_code == 302
    assert "บันทึกตนเองเป็นผู้ปกครองไม่ได้" in head.get(path, base_url=BASE).text
    assert not may(kit, "admin-prapai", "student-mali", "learner_profile")


@pytest.mark.parametrize("guardian", ["student-dao", "nobody", "parent-thongchai"])
def test_nobody_of_another_school_becomes_a_guardian_by_guessing(kit: Kit, guardian: str) -> None:
    path = "/admin/guardianships/student-mali/add_guardianship"
    assert send(kit, "head", path, guardian=guardian, kind="parent").status_code == 404


@pytest.mark.parametrize("screen", ["guardianships", "consents", "requests"])
@pytest.mark.parametrize("person", ["student-dao", "nobody"])
def test_another_schools_student_is_not_there(kit: Kit, screen: str, person: str) -> None:
    assert kit.client("head").get(f"/admin/{screen}/{person}", base_url=BASE).status_code == 404


def test_a_search_for_an_adult_finds_those_of_ones_own_schools_only(kit: Kit) -> None:
    path = "/admin/guardianships/student-mali?find="
    assert 'value="parent-anan"' in page(kit, "head", path + "อนันต์")
    assert 'value="parent-thongchai"' not in page(kit, "head", path + "ธงชัย")
    assert 'value="parent-thongchai"' in page(kit, "siri", path + "ธงชัย")


def test_without_a_reason_nothing_changes(kit: Kit) -> None:
    path = "/admin/guardianships/student-mali"
    send(kit, "head", f"{path}/restrict_guardian", id="parent-somchai", basis="x", why=" ")
    assert may(kit, "parent-somchai", "student-mali")


def test_a_restriction_is_lifted_by_a_document(kit: Kit) -> None:
    path = "/admin/guardianships/student-ploy"
    assert not may(kit, "parent-anan", "student-ploy")
    send(kit, "head", f"{path}/lift_restriction", id="parent-anan", basis="")
    assert not may(kit, "parent-anan", "student-ploy")
    send(kit, "head", f"{path}/lift_restriction", id="parent-anan", basis="คำสั่งศาล 9/2569")
    assert may(kit, "parent-anan", "student-ploy")
    assert last_change(kit)["why"] == f"คำสั่งศาล 9/2569: {WHY}"


def test_a_consent_is_recorded_and_withdrawn(kit: Kit) -> None:
    """E-03, N-36."""
    path = "/admin/consents/student-mali"
    send(kit, "siri", f"{path}/give_consent", purpose="marketing")
    shown = page(kit, "siri", path)
    (ident,) = re.findall(r'name="id" value="([^"]+)"', shown)
    assert "มีผล" in shown
    send(kit, "siri", f"{path}/withdraw_consent", id=html.unescape(ident))
    assert "ถอนเมื่อ" in page(kit, "siri", path)
    assert last_change(kit)["after"]["withdrawn_at"]
    reply = send(kit, "siri", f"{path}/withdraw_consent", id=html.unescape(ident))
    assert reply.status_code == 404


FACTS = {
    "objection": ("purpose", t.Objection),
    "erasure": ("", t.Erasure),
    "restriction": ("", t.Restriction),
}


def opened(kit: Kit, person: str, kind: str, **form: Any) -> str:
    path = f"/admin/requests/{person}"
    send(kit, "siri", f"{path}/open_request", kind=kind, asked="ขอใช้สิทธิ", **form)
    return str(re.findall(r"RR-\d{8}-[0-9a-f]{6}", page(kit, "siri", path))[0])


@pytest.mark.parametrize("kind", FACTS)
def test_a_granted_request_writes_its_fact(kit: Kit, kind: str) -> None:
    """N-32, N-34, N-35."""
    person = "student-tan"
    ident = opened(kit, person, kind, purpose="improvement")
    path = f"/admin/requests/{person}"
    table: Any = FACTS[kind][1]

    def on_file() -> int:
        with reading(kit.store) as connection:
            return len(connection.scalars(select(table.person).where(table.person == person)).all())

    assert on_file() == 0
    send(kit, "siri", f"{path}/answer_request", id=ident, outcome="granted", answer="ดำเนินการแล้ว")
    assert on_file() == 1
    send(kit, "siri", f"{path}/close_request", id=ident)
    assert "ปิดแล้ว" in page(kit, "siri", path)


def test_what_is_wrong_is_put_right(kit: Kit) -> None:
    """N-33."""
    ident = opened(kit, "student-tan", "rectification", family_name="ทองดี")
    path = "/admin/requests/student-tan"
    send(kit, "siri", f"{path}/answer_request", id=ident, outcome="granted", answer="แก้ไขแล้ว")
    assert "ทองดี" in page(kit, "siri", path)


def test_a_refused_request_changes_nothing(kit: Kit) -> None:
    ident = opened(kit, "student-tan", "erasure")
    path = "/admin/requests/student-tan"
    send(kit, "siri", f"{path}/answer_request", id=ident, outcome="refused", answer="ยังจำเป็น")
    with reading(kit.store) as connection:
        chosen = select(t.Erasure.person).where(t.Erasure.person == "student-tan")
        assert connection.scalar(chosen) is None


def test_a_request_has_30_days_and_a_late_one_says_so(kit: Kit) -> None:
    """N-37."""
    day = (clock.now() - timedelta(days=45)).date().isoformat()
    ident = opened(kit, "student-tan", "access", opened_at=day)
    shown = page(kit, "siri", "/admin/requests")
    first = re.search(r"RR-[0-9a-f-]+", shown)
    assert first is not None
    assert first[0] == ident
    assert "เกินกำหนด" in shown
    assert ident in page(kit, "head", "/admin/requests")
    assert ident not in page(kit, "other", "/admin/requests")


def test_another_persons_request_is_not_answered_by_its_number(kit: Kit) -> None:
    ident = opened(kit, "student-dao", "access")
    form = {"id": ident, "outcome": "refused", "answer": "x"}
    path = "/admin/requests/student-mali/answer_request"
    assert send(kit, "head", path, **form).status_code == 404


CONTRACT = {
    "id": "K-9", "processor": "processor-songsuk", "purposes": ["event"],
    "categories": ["contact"], "fields-contact": ["email"], "actions": ["read"],
    "everywhere": "yes", "transfer": "domestic", "country": "th",
}  # fmt: skip


def test_a_contract_is_recorded_warned_of_and_ended(kit: Kit) -> None:
    """N-24, N-26."""
    until = (clock.now() + timedelta(days=20)).date().isoformat()
    send(kit, "siri", "/admin/contracts/record_contract", **CONTRACT, until=until)
    shown = page(kit, "siri", "/admin/contracts")
    assert "K-9" in shown
    assert re.search(r'class="tag warn">สิ้นสุด', shown)
    with reading(kit.store) as connection:
        row = connection.execute(
            select(*t.Contract.__table__.c).where(t.Contract.id == "K-9")
        ).one()
    assert (row.categories, row.schools, row.country) == ({"contact": ["email"]}, None, "TH")
    form = page(kit, "siri", "/admin/contracts/form?id=K-9")
    assert f'value="{until}"' in form
    send(kit, "siri", "/admin/contracts/end_contract", id="K-9")
    assert last_change(kit)["after"]["ended_at"]
    assert send(kit, "siri", "/admin/contracts/end_contract", id="K-9").status_code == 404


def test_a_contract_with_a_mistake_is_not_recorded_and_what_was_typed_stays(kit: Kit) -> None:
    form = {**CONTRACT, "purposes": []}
    reply = send(kit, "siri", "/admin/contracts/record_contract", **form)
    assert reply.status_code == 400
    assert 'value="K-9"' in reply.text
    assert 'value="email" checked' in reply.text
    assert "K-9" not in page(kit, "siri", "/admin/contracts")


def test_an_import_has_its_report(kit: Kit, tmp_path: Path) -> None:
    """N-42: counts for a school, rows for who oversees."""
    roster = tmp_path / "roster"
    shutil.copytree(kit.demo.roster, roster)
    lines = (roster / "enrollments.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    (roster / "enrollments.csv").write_text("".join(lines[:-1]), encoding="utf-8")
    import_oneroster(kit.store, roster, local=kit.console.settings.local, by="dpo-siri")
    shown = page(kit, "siri", "/admin/imports")
    newest, first = re.findall(r"report\?at=([^\"]+)", shown)
    rows = page(kit, "siri", f"/admin/imports/report?at={newest}")
    assert "<td>การลงทะเบียนเรียนหรือสอน</td><td>สิ้นสุดแล้ว</td>" in rows
    assert "<td>การลงทะเบียนเรียนหรือสอน</td>" not in page(
        kit, "siri", f"/admin/imports/report?at={first}"
    )
    counts = page(kit, "head", f"/admin/imports/report?at={newest}")
    assert ">การลงทะเบียนเรียนหรือสอน</th>" in counts
    assert "<td>การลงทะเบียนเรียนหรือสอน</td>" not in counts
    for at in ("2020-01-01T00:00:00Z", "2020-01-01", "x"):
        reply = kit.client("siri").get(f"/admin/imports/report?at={at}", base_url=BASE)
        assert reply.status_code == 404


@pytest.mark.parametrize("path", ["/admin/requests", "/admin/contracts"])
def test_a_list_costs_the_same_however_long(kit: Kit, path: str) -> None:
    siri = kit.client("siri")

    def cost() -> int:
        return statements(kit.store, lambda: siri.get(path, base_url=BASE))

    few = cost()
    for number in range(3):
        send(kit, "siri", "/admin/contracts/record_contract", **{**CONTRACT, "id": f"K{number}"})
        opened(kit, "student-tan", "access")
    assert cost() == few


def test_a_request_is_put_into_hands_that_are_called_by_name(kit: Kit) -> None:
    """Officers, and who administers the person's school or an organisation above it."""
    shown = page(kit, "head", "/admin/requests/student-mali")
    offered = dict(re.findall(r'<option value="([^"]+)"[^>]*>([^<]+)</option>', shown))
    assert offered["dpo-siri"].startswith("สิริ")
    assert {"admin-prapai", "dpo-siri"} <= offered.keys()
    assert not {"admin-suri", "teacher-danai", "student-mali"} & offered.keys()
    assert '<option value="admin-prapai" selected>' in shown
    path = "/admin/requests/student-mali/open_request"
    send(kit, "head", path, kind="access", asked="ขอสำเนา", assignee="dpo-siri")
    assert '<option value="dpo-siri" selected>' in page(kit, "head", "/admin/requests/student-mali")
