"""The policy's pages: the matrix, its cells, its versions, a trial, notices (N-23, N-52, E-08)."""

from __future__ import annotations

import html
import re

import pytest

from authz.decision.request import parse
from authz.policy import matrix
from authz.service import policies, standing
from authz.service.decided import Caller
from tests.admin.kit import BASE, Kit, post

NOTICE = {
    "title_th": "นโยบายฉบับใหม่", "title_en": "A new policy", "text_th": "โปรดอ่าน",
    "text_en": "Please read.", "audience": "staff", "why": "ตามรอบปี",
}  # fmt: skip


def page(kit: Kit, name: str, path: str) -> str:
    return kit.client(name).get(path, base_url=BASE).text


def test_the_matrix_is_the_packs(kit: Kit) -> None:
    shown = page(kit, "head", "/admin/policy")
    linked = set(re.findall(r"cell\?role=(\w+)&amp;category=(\w+)", shown))
    assert linked == {
        (cell.role, cell.category) for cell in matrix.matrix(kit.console.point.policy)
    }


def test_each_cell_opens_its_rules_with_their_words(kit: Kit) -> None:
    """N-23: the reason, the condition in words, the fields and the promises."""
    shown = page(kit, "head", "/admin/policy/cell?role=parent&category=contact")
    for said in ("ท่านเป็นผู้ปกครองของนักเรียนซึ่งยังเป็นผู้เยาว์", "ผู้เยาว์", "N-22", "parent-update"):
        assert said in shown
    assert "teacher-read" not in shown


def test_every_cell_opens(kit: Kit) -> None:
    head = kit.client("head")
    for cell in matrix.matrix(kit.console.point.policy):
        path = f"/admin/policy/cell?role={cell.role}&category={cell.category}"
        assert head.get(path, base_url=BASE).status_code == 200


@pytest.mark.parametrize("asked", ["role=parent&category=x", "role=x&category=contact"])
def test_a_cell_that_is_not_there_is_not_found(kit: Kit, asked: str) -> None:
    reply = kit.client("head").get(f"/admin/policy/cell?{asked}", base_url=BASE)
    assert reply.status_code == 404


def test_the_versions_say_what_changed(kit: Kit) -> None:
    console = kit.console
    standing.note(kit.store, console.settings, console.point.policy)
    shown = page(kit, "head", "/admin/policy/versions")
    assert console.point.policy.digest[:16] in shown
    assert "มีผล" in shown


def trial(kit: Kit, text: str) -> tuple[int, str]:
    reply = post(kit.client("siri"), "/admin/policy/trial", {"text": text})
    return reply.status_code, html.unescape(reply.text)


def test_a_trial_names_the_decisions_that_would_change_and_changes_none(kit: Kit) -> None:
    asked = parse(
        {
            "subject": {"type": "user", "id": "parent-somchai"},
            "action": {"name": "read"},
            "resource": {"type": "identity", "id": "student-mali"},
        }
    )
    (before,) = kit.console.point.evaluate([asked], Caller("tests"))
    text = policies.text(kit.console.settings.policy)
    stricter = text.replace(
        "p, parent-read, parent, read, identity|contact|", "p, parent-read, parent, read, contact|"
    )
    status, shown = trial(kit, stricter)
    assert status == 200
    assert "~ rule parent-read: categories" in shown
    assert re.search(r'figure warn">1<', shown)
    assert re.search(r'figure bad">0<', shown)
    (after,) = kit.console.point.evaluate([asked], Caller("tests"))
    assert before.decision.permit is after.decision.permit is True


@pytest.mark.parametrize(
    "line",
    [
        "p, x, parnt, read, identity, service*, r.rel.guardian, allow",
        'p, x, parent, read, identity, service*, __import__("os").system("true"), allow',
    ],
)
def test_a_trial_of_a_pack_with_a_defect_says_where(kit: Kit, line: str) -> None:
    text = policies.text(kit.console.settings.policy)
    status, shown = trial(kit, f"{text}\n{line}\n")
    assert status == 400
    assert f"policy.csv:{len(text.splitlines()) + 2}" in shown


def test_a_notice_is_read_and_who_has_not_is_seen(kit: Kit) -> None:
    """N-52, E-08."""
    assert "ยังไม่มีประกาศเกี่ยวกับนโยบาย" in page(kit, "siri", "/admin/announcements")
    post(kit.client("siri"), "/admin/announcements", NOTICE)
    head = kit.client("head")
    shown = head.get("/admin/notices", base_url=BASE).text
    (ident,) = re.findall(r'name="id" value="([^"]+)"', shown)
    readers = f"/admin/announcements/readers?id={ident}"
    row = r"{}</small></th>\s*<td[^>]*><span class=\"tag {}\">"
    assert re.search(row.format("admin-prapai", "warn"), page(kit, "siri", readers))
    post(head, "/admin/notices", {"id": ident})
    assert re.search(row.format("admin-prapai", "good"), page(kit, "siri", readers))
    assert re.search(row.format("dpo-siri", "warn"), page(kit, "siri", readers))
    assert "teacher-danai" not in page(kit, "siri", readers)  # holds no granted role
    again = post(head, "/admin/notices", {"id": ident}, at="/admin/profile")
    assert again.status_code == 302
    assert "อ่านแล้วเมื่อ" in head.get("/admin/notices", base_url=BASE).text


@pytest.mark.parametrize("missing", ["text_th", "title_en", "why", "audience"])
def test_a_notice_is_in_both_languages(kit: Kit, missing: str) -> None:
    post(kit.client("siri"), "/admin/announcements", {**NOTICE, missing: " "})
    assert "นโยบายฉบับใหม่" not in page(kit, "head", "/admin/notices")
