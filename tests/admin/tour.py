"""Every screen with something to see on it: for pictures, for those who cannot see, by keyboard.

A screen is shown to one of those for whom its row of ``OPENINGS`` opens it, at the address of
that row. Where another address shows more, it is in :func:`_places`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import insert, select

from authz import clock
from authz.admin.context import NAME
from authz.admin.screens import SCREENS
from authz.audit.record import timestamp
from authz.audit.tables import AuditHour, AuditPlaceHour
from authz.config.parties import SignInProvider, Words
from authz.directory import tables as t
from authz.privacy.tables import Announcement, ReadingHour
from authz.review.tables import CampaignItem
from authz.service import standing, ways_in
from authz.service.database import reading, writing
from tests.admin.kit import BASE, INCIDENT, PRIVILEGED, Kit, post
from tests.admin.test_openings import OPENINGS
from tests.admin.test_policy import NOTICE
from tests.admin.test_reviews import FORM, campaign_of, numbers, send, start, state
from tests.admin.test_rights import ask

SHOWN_TO: Final = ("head", "siri", "krung", "audit", "teacher", "parent")
"""Whose screen it is, the first of those for whom it opens."""
NO_PAGES: Final = frozenset(
    {
        *("provider_leave", "provider_back", "report_of_person", "report_of_rights"),
        *("campaign_report_csv", "campaign_report_json", "campaign_report_pdf"),
        "incident_breach_file",
    }
)
"""What sends on to somewhere else, or gives a file."""
MORE: Final = ("with_code", "what_if", "home_officer", "home_parent", "not_found")
"""Other looks of a screen, and what is no route of its own."""
WHY: Final = "ตามคำร้องเลขที่ 12/2569"


class Stop(NamedTuple):
    """A screen, its address, and whose sign-in sees it (empty: before signing in)."""

    name: str
    address: str
    who: str


def names() -> list[str]:
    """Every screen that is a page, and the other looks."""
    shown = [each.endpoint for each in SCREENS if each.methods == ("GET",)]
    return [each for each in (*shown, *MORE) if each not in NO_PAGES]


def stops(kit: Kit) -> list[Stop]:
    """All screens, of a school in which something happened."""
    places = dict(_places(kit))
    return [Stop(name, *places.get(name, _row(name))) for name in names()]


def _row(name: str) -> tuple[str, str]:
    address, welcome = OPENINGS.get(name, ("/admin/sign-in", frozenset()))
    return address, next((each for each in SHOWN_TO if each in welcome), "")


def _places(kit: Kit) -> Iterator[tuple[str, tuple[str, str]]]:
    """Make the school one in which something happened, and say where that is seen."""
    _habits(kit)
    post(kit.client("siri"), "/admin/announcements", NOTICE)
    with reading(kit.store) as connection:
        notice = connection.scalar(select(Announcement.id))
    form = {"organisation": "school-doi", "hours": "3", "why": "น้ำท่วม ต้องติดต่อผู้ปกครองโดยด่วน"}
    post(kit.client("other"), "/admin/rights/emergency", form)
    ask(kit.client("teacher"))
    form = {"kind": "rectification", "asked": "ขอแก้ไขวันเกิดตามสูติบัตร", "why": WHY}
    siri, head = kit.client("siri"), kit.client("head")
    post(siri, "/admin/requests/student-mali/open_request", form, at="/admin/profile")
    standing.note(kit.store, kit.console.settings, kit.console.point.policy)
    imports = siri.get("/admin/imports", base_url=BASE).text
    report = imports.split("/admin/imports/report?at=")[1].split('"')[0]
    yield "import_report", (f"/admin/imports/report?at={report}", "siri")
    yield "readers", (f"/admin/announcements/readers?id={notice}", "siri")
    yield "policy_cell", ("/admin/policy/cell?role=parent&category=contact", "head")
    yield "consents", ("/admin/consents/student-dao", "siri")
    yield "contract", ("/admin/contracts/form?id=contract-learnlab", "siri")
    yield "approvals", ("/admin/approvals", "siri")
    yield "incident_breach", (f"/admin/incident/{INCIDENT}/breach?account=teacher-danai", "siri")
    yield "what_if", ("/admin/access/student-mali?day=2036-01-01", "head")
    yield "home_officer", ("/admin/", "siri")
    yield "home_parent", ("/admin/", "parent")
    yield "not_found", ("/admin/person/nobody", "head")
    yield from _provided(kit)
    yield from _reviewed(kit, head)


def _habits(kit: Kit) -> None:
    """Two weeks of decisions, rights that nobody used, and somebody who read too much."""
    now = clock.now()
    since = now - timedelta(days=180)
    row = {"organisation": "school-doi", "valid_from": since, "recorded_at": since}
    row |= {"origin": "facts", "granted_by": "admin-prapai", "reason": "โครงการพี่เลี้ยง"}
    grants = [
        ("teacher-danai", "mentor"),
        ("teacher-kanya", "mentor"),
        ("teacher-somsri", "analyst"),
    ]
    hours = [
        {"hour": timestamp(now - timedelta(days=days))[:13], "decision": decision, "number": number}
        for days in range(1, 14)
        for decision, number in (("permit", 90 + days * 37 % 60), ("refuse", 9 + days * 5 % 11))
    ]
    alert: dict[str, Any] = {"hour": timestamp(now.replace(minute=0, second=0, microsecond=0))}
    alert |= {"subject": "teacher-danai", "role": "teacher", "people": 311, "alerted": True}
    with writing(kit.store) as connection:
        connection.execute(
            insert(t.Grant),
            [{"id": f"g{n}", "person": who, "role": role, **row}
             for n, (who, role) in enumerate(grants)],
        )  # fmt: skip
        connection.execute(insert(AuditHour), hours)
        connection.execute(
            insert(AuditPlaceHour), [{**each, "place": "school-doi"} for each in hours]
        )
        connection.execute(insert(ReadingHour), [alert])


def _provided(kit: Kit) -> Iterator[tuple[str, tuple[str, str]]]:
    """A provider at which people sign in, and somebody who is invited to."""
    provider = SignInProvider(
        key="school",
        issuer="https://login.school.test",
        client_id="authz",
        name=Words(th="บัญชีโรงเรียน", en="the school's account"),
    )
    settings = kit.console.settings.model_copy(update={"oidc": [provider]})
    kit.admin.extensions[NAME] = replace(kit.console, settings=settings)
    krung, form = kit.client("krung"), {"provider": "school", "why": WHY}
    post(krung, "/admin/users/of/parent/invite", form, at="/admin/profile")
    form = {"id": str(ways_in.of(kit.store)[0]["id"]), "answer": "approve", "why": WHY}
    shown = post(kit.client("head"), "/admin/approvals/way-in", form, at="/admin/profile")
    form = {"name": "สุดา", "person": "parent-suda", "way": "password", "why": WHY}
    post(krung, "/admin/users/new", form, at="/admin/profile")
    yield "invitation", (f"/admin/invitation/{shown.text.split('/invitation/')[1][:43]}", "")
    yield "signed_out", ("/admin/signed-out/school", "")


def _reviewed(kit: Kit, head: Any) -> Iterator[tuple[str, tuple[str, str]]]:
    """A review that is over, one that runs, and one that is only defined."""
    over = start(kit, head, name="ทบทวนสิทธิภาคเรียนที่ 1")
    people = {person: name for name, person in PRIVILEGED.items()}
    with reading(kit.store) as connection:
        asked = select(CampaignItem.number, CampaignItem.reviewer, CampaignItem.holder)
        items = connection.execute(asked.where(CampaignItem.campaign == over)).all()
    for number, reviewer, holder in items:
        verdict = "revoke" if holder == "teacher-kanya" else "keep"
        form: dict[str, Any] = {"number": number, "verdict": verdict, "why": "ตรวจแล้ว"}
        send(kit.client(people[reviewer]), f"/reviews/{over}/answer", form)
    for reviewer in {row.reviewer for row in items}:
        send(kit.client(people[reviewer]), f"/reviews/{over}/submit", {})
    if state(kit, over) == "closed":
        form = {"why": "เห็นด้วย", "do": "confirm"}
        send(kit.client("siri"), f"/reviews/campaigns/{over}/confirm", form)
    runs = start(kit, head)
    draft = campaign_of(send(head, "/reviews/campaigns/new", {**FORM, "name": "ทบทวนครูพี่เลี้ยง"}))
    (number, *_) = numbers(kit, runs, "teacher-danai")
    form = {"number": numbers(kit, runs, reviewer=PRIVILEGED["head"])[-1], "why": "ยังจำเป็น"}
    send(head, f"/reviews/{runs}/answer", {**form, "verdict": "keep"})
    mine, runs, over, draft = (
        f"/admin/reviews/{runs}",
        *(f"/admin/reviews/campaigns/{each}" for each in (runs, over, draft)),
    )
    yield "review_items", (mine, "head")
    yield "review_item", (f"{mine}/{number}", "head")
    yield "review_summary", (f"{mine}/submit", "head")
    yield "campaign", (runs, "head")
    yield "campaign_items", (f"{runs}/items", "head")
    yield "campaign_item", (f"{runs}/items/{number}", "head")
    yield "campaign_edit", (f"{draft}/edit", "head")
    yield "campaign_preview", (f"{draft}/preview", "head")
    yield "campaign_report", (f"{over}/report", "head")
