"""Reviews in the screens: whose they are, what is refused, what a page costs (N-46, N-47)."""

from __future__ import annotations

import hashlib
import io
import json
import re
from datetime import timedelta
from typing import Any, Self
from urllib.parse import urlsplit

import pytest
from pypdf import PdfReader
from sqlalchemy import Engine, event, insert, select, update
from werkzeug.test import Client, TestResponse

from authz import clock
from authz.review.tables import Campaign, CampaignItem
from authz.service import tokens
from authz.service.database import reading, writing
from authz.service.record_facts import import_facts
from tests.admin.kit import BASE, PRIVILEGED, Kit, post

SCHOOL = "school-doi"
FORM: dict[str, Any] = {
    "name": "ทบทวนสิทธิประจำภาคเรียน",
    "kind": ["grant", "mentoring"],
    "organisation": SCHOOL,
    "reviewers_1": "named",
    "named_1": PRIVILEGED["head"],
    "days_1": "14",
    "fallback": PRIVILEGED["siri"],
    "fallback_2": PRIVILEGED["other"],
    "no_answer": "escalate",
    "reminders": "7, 1",
    "undo": "7",
    "why": "ครบภาคเรียน",
}
GRANTED = {
    "fact": "grant", "person": "teacher-danai", "role": "school_admin", "organisation": SCHOOL,
    "from": "2025-01-01", "granted_by": "dpo-siri", "reason": "ช่วยงานทะเบียน",
}  # fmt: skip


CONFLICT = ("analyst", "support_agent")
APART = "ผู้วิเคราะห์ข้อมูลที่ไม่ระบุตัวตนต้องไม่เห็นข้อมูลที่ระบุตัวตนจากงานบริการ"


def grant(kit: Kit) -> None:
    """A teacher who was made an administrator by hand."""
    import_facts(
        kit.store,
        lambda: [json.dumps(GRANTED)],
        name="facts",
        catalogue=kit.console.point.policy.catalogue,
        local=kit.console.settings.local,
        by="tests",
    )


def get(client: Client, path: str) -> TestResponse:
    return client.get(f"/admin{path}", base_url=BASE)


def send(client: Client, path: str, form: dict[str, Any], *, at: str = "/profile") -> TestResponse:
    return post(client, f"/admin{path}", form, at=f"/admin{at}")


def campaign_of(reply: TestResponse) -> str:
    """The id in the address that a reply leads to."""
    found = re.search(r"/campaigns/([0-9a-f]{32})", urlsplit(reply.location).path)
    assert found, reply.location
    return found[1]


def start(kit: Kit, client: Client, **more: Any) -> str:
    """Define, preview and start a review, as the screens do."""
    grant(kit)
    campaign = campaign_of(send(client, "/reviews/campaigns/new", {**FORM, **more}))
    seen = get(client, f"/reviews/campaigns/{campaign}/preview")
    assert seen.status_code == 200
    path = f"/reviews/campaigns/{campaign}"
    assert send(client, f"{path}/start", {"why": "ตามตัวอย่าง"}).status_code == 302
    return campaign


def numbers(kit: Kit, campaign: str, holder: str = "", reviewer: str = "") -> list[int]:
    with reading(kit.store) as connection:
        asked = select(CampaignItem.number).where(CampaignItem.campaign == campaign)
        if holder:
            asked = asked.where(CampaignItem.holder == holder)
        if reviewer:
            asked = asked.where(CampaignItem.reviewer == reviewer)
        return list(connection.scalars(asked.order_by(CampaignItem.number)))


def state(kit: Kit, campaign: str) -> str:
    with reading(kit.store) as connection:
        return str(connection.scalar(select(Campaign.state).where(Campaign.id == campaign)))


def bearer(kit: Kit) -> str:
    """A token for an application that asks."""
    made: str = tokens.create_token(
        kit.store, kit.console.settings, "sis", ("pdp",), timedelta(hours=1),
        by="tests",
    )  # fmt: skip
    return made


def permits(kit: Kit, given: str, subject: str = "teacher-danai") -> bool:
    """What the decision point answers over HTTP, by AuthZEN."""
    asked = {
        "subject": {"type": "user", "id": subject},
        "action": {"name": "read"},
        "resource": {"type": "contact", "id": "student-mali"},
        "context": {"purpose": "service"},
    }
    reply = Client(kit.app).post(
        "/access/v1/evaluation",
        json=asked,
        headers={"Authorization": f"Bearer {given}"},
        base_url=BASE,
    )
    assert reply.status_code == 200, reply.text
    return bool(reply.json["decision"]) if reply.json else False


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/items",
        "/items/1",
        "/report",
        "/report.csv",
        "/report.json",
        "/report.pdf",
        "/edit",
        "/preview",
    ],
)
def test_a_review_of_another_school_is_not_there(kit: Kit, path: str) -> None:
    campaign = start(kit, kit.client("head"))
    stranger = kit.client("other")
    assert get(stranger, f"/reviews/campaigns/{campaign}{path}").status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/start",
        "/close",
        "/confirm",
        "/cancel",
        "/end",
        "/again",
        "/items/1/undo",
        "/items/1/reassign",
    ],
)
def test_a_review_of_another_school_is_not_changed(kit: Kit, path: str) -> None:
    campaign = start(kit, kit.client("head"))
    form = {"why": "guessed", "to": "admin-suri", "do": "drop"}
    reply = send(kit.client("other"), f"/reviews/campaigns/{campaign}{path}", form)
    assert reply.status_code == 404
    assert state(kit, campaign) == "started"


@pytest.mark.parametrize("number", ["", "\u00b2", "9" * 30])
def test_nothing_that_a_form_says_leads_elsewhere(kit: Kit, number: str) -> None:
    campaign = start(kit, kit.client("head"))
    sent = {"number": number, "verdict": "keep", "back": "https://elsewhere.example/"}
    reply = send(kit.client("siri"), f"/reviews/{campaign}/answer", sent)
    assert reply.status_code == 302
    assert "elsewhere" not in reply.headers["Location"]


def test_an_auditor_reads_a_review_and_changes_nothing(kit: Kit) -> None:
    campaign = start(kit, kit.client("head"))
    auditor = kit.client("audit")
    assert get(auditor, f"/reviews/campaigns/{campaign}").status_code == 200
    assert get(auditor, f"/reviews/campaigns/{campaign}/items/1").status_code == 200
    form = {"why": "no"}
    assert send(auditor, f"/reviews/campaigns/{campaign}/close", form).status_code == 403


def test_a_reviewer_opens_their_own_items_of_a_review_only(kit: Kit) -> None:
    campaign = start(kit, kit.client("head"))
    client = kit.client("siri")  # the fallback, for what the head holds herself
    (own,) = numbers(kit, campaign, PRIVILEGED["head"])
    (strange,) = numbers(kit, campaign, "teacher-danai")
    assert get(client, f"/reviews/{campaign}/{own}").status_code == 200
    assert get(client, f"/reviews/{campaign}/{strange}").status_code == 404
    form = {"number": [own, strange], "verdict": "abstain", "why": "both"}
    assert send(client, f"/reviews/{campaign}/answer", form).status_code == 404


@pytest.mark.parametrize("name", ["other", "parent", "teacher", "krung", "audit"])
def test_nobody_opens_what_somebody_else_reviews(kit: Kit, name: str) -> None:
    campaign = start(kit, kit.client("head"))
    client = kit.client(name)
    number = numbers(kit, campaign, "teacher-danai")[0]
    for path in ("", f"/{number}", "/submit"):
        assert get(client, f"/reviews/{campaign}{path}").status_code == 404
    for path, form in (
        ("/answer", {"number": number, "verdict": "keep", "why": "mine"}),
        ("/submit", {}),
        (f"/{number}/reassign", {"to": "dpo-siri", "why": "mine"}),
    ):
        assert send(client, f"/reviews/{campaign}{path}", form).status_code == 404
    assert state(kit, campaign) == "started"


def test_a_definition_beyond_ones_school_is_not_taken(kit: Kit) -> None:
    for place in ("", "school-suan", "office-lanna"):
        form = {**FORM, "organisation": place}
        assert send(kit.client("head"), "/reviews/campaigns/new", form).status_code == 404


def test_what_is_wrong_with_a_definition_is_told_and_what_was_written_stays(kit: Kit) -> None:
    client = kit.client("head")
    reply = send(client, "/reviews/campaigns/new", {**FORM, "fallback": "", "fallback_2": ""})
    assert reply.status_code == 400
    assert "โปรดระบุผู้ทบทวนสำรอง" in reply.text
    assert FORM["name"] in reply.text


def test_one_item_is_kept_by_its_own_button_and_the_list_stays_where_it_was(kit: Kit) -> None:
    client = kit.client("head")
    campaign = start(kit, client)
    here = f"/reviews/{campaign}?order=flat&only=open"
    shown = get(client, here).text
    (number, *_) = re.findall(r'name="one" value="(\d+)" aria-pressed="false"', shown)
    form = {"one": number, "stay": "yes", "back": here}
    reply = send(client, f"/reviews/{campaign}/answer", form)
    assert reply.location == f"/admin{here}"
    with reading(kit.store) as connection:
        asked = select(CampaignItem.verdict).where(
            CampaignItem.campaign == campaign, CampaignItem.number == int(number)
        )
        assert connection.scalar(asked) == "keep"
    flagged = numbers(kit, campaign, "teacher-danai")[0]
    assert f'id="keep-{flagged}"' not in shown


def test_from_definition_to_report_and_the_next_decision_refuses(kit: Kit) -> None:
    client, given = kit.client("head"), bearer(kit)
    campaign = start(kit, client)
    assert permits(kit, given)
    (number,) = numbers(kit, campaign, "teacher-danai")
    shown = get(client, f"/reviews/{campaign}/{number}")
    assert "ช่วยงานทะเบียน" in shown.text
    answer = f"/reviews/{campaign}/answer"
    form: dict[str, Any] = {"number": number, "verdict": "revoke", "why": ""}
    reply = send(client, answer, form)
    assert "โปรดระบุเหตุผล" in client.get(reply.location, base_url=BASE).text
    form["why"] = "ย้ายไปสอนอย่างเดียว"
    send(client, answer, form)
    for other in numbers(kit, campaign, reviewer=PRIVILEGED["head"]):
        if other != number:
            form = {"number": other, "verdict": "keep", "why": "ยังจำเป็น"}
            assert send(client, answer, form).status_code == 302
    summary = get(client, f"/reviews/{campaign}/submit")
    assert summary.status_code == 200
    own = send(client, f"/reviews/{campaign}/submit", {}, at=f"/reviews/{campaign}/submit")
    assert own.status_code == 302
    if state(kit, campaign) != "applied":  # the head's own right is somebody else's to review
        with reading(kit.store) as connection:
            left = connection.execute(
                select(CampaignItem.number, CampaignItem.reviewer).where(
                    CampaignItem.campaign == campaign, CampaignItem.state == "open"
                )
            ).all()
        names = {person: name for name, person in PRIVILEGED.items()}
        for row in left:
            second = kit.client(names[row.reviewer])
            form = {"number": row.number, "verdict": "keep", "why": "ยังจำเป็น"}
            send(second, answer, form)
            send(second, f"/reviews/{campaign}/submit", {})
    if state(kit, campaign) == "closed":
        path = f"/reviews/campaigns/{campaign}/confirm"
        send(kit.client("siri"), path, {"why": "เห็นด้วย", "do": "confirm"})
    assert state(kit, campaign) == "applied"
    assert not permits(kit, given)
    report = get(client, f"/reviews/campaigns/{campaign}/report")
    assert "ย้ายไปสอนอย่างเดียว" in report.text
    table = get(client, f"/reviews/campaigns/{campaign}/report.csv")
    assert table.content_type.startswith("text/csv")
    undo = f"/reviews/campaigns/{campaign}/items/{number}/undo"
    send(client, undo, {"why": "เข้าใจผิด"})
    assert permits(kit, given)


def test_what_waits_is_told_on_the_first_page_and_summed_up_before_it_counts(kit: Kit) -> None:
    client = kit.client("head")
    assert FORM["name"] not in get(client, "/").text
    campaign = start(kit, client)
    assert FORM["name"] in get(client, "/").text
    assert FORM["name"] not in get(kit.client("teacher"), "/").text
    (number,) = numbers(kit, campaign, "teacher-danai")
    form = {"number": number, "verdict": "revoke", "why": "ย้ายแล้ว"}
    send(client, f"/reviews/{campaign}/answer", form)
    page = get(client, f"/reviews/{campaign}/submit").text
    pairs = dict(re.findall(r"<dt>([^<]+)</dt><dd>(\d+)", page))
    assert (pairs["เพิกถอน"], pairs["คงไว้"]) == ("1", "0")
    assert int(pairs["ยังไม่ตอบ"]) >= 1
    assert "เพิกถอนสิทธิ 1 รายการ" in page


def test_a_review_is_called_off_while_it_is_planned(kit: Kit) -> None:
    client = kit.client("head")
    campaign = campaign_of(send(client, "/reviews/campaigns/new", FORM))
    path = f"/reviews/campaigns/{campaign}"
    assert f"{path}/cancel" in get(client, f"{path}/preview").text
    send(client, f"{path}/cancel", {"why": " "})
    assert state(kit, campaign) == "previewed"
    send(client, f"{path}/cancel", {"why": "เปลี่ยนแผน"})
    assert state(kit, campaign) == "cancelled"
    page = get(client, path)
    assert page.status_code == 200
    assert "เปลี่ยนแผน" in page.text
    assert "/report" not in page.text
    send(client, f"{path}/start", {"why": "ลองใหม่"})
    assert state(kit, campaign) == "cancelled"


def test_a_running_review_is_ended_and_says_what_becomes_of_the_verdicts(kit: Kit) -> None:
    client = kit.client("head")
    campaign = start(kit, client)
    path = f"/reviews/campaigns/{campaign}"
    send(client, f"{path}/end", {"why": "ผิดขอบเขต", "do": "drop"})
    assert state(kit, campaign) == "started"  # her own right is in it
    officer = kit.client("siri")
    send(officer, f"{path}/end", {"why": "ผิดขอบเขต"})
    assert state(kit, campaign) == "started"  # neither was chosen
    (number,) = numbers(kit, campaign, "teacher-danai")
    form = {"number": number, "verdict": "revoke", "why": "ย้ายแล้ว"}
    send(client, f"/reviews/{campaign}/answer", form)
    page = get(client, path).text
    assert "ตอบแล้วยังไม่ส่ง 1 รายการ" in page
    assert PRIVILEGED["siri"] not in {row.holder for row in rows_of(kit, campaign)}
    send(officer, f"{path}/end", {"why": "ผิดขอบเขต", "do": "drop"})
    assert state(kit, campaign) == "cancelled"
    assert "ผิดขอบเขต" in get(client, path).text
    report = get(client, f"{path}/report").text
    assert "คงไว้ตามเดิม" in report
    assert "ย้ายแล้ว" in report


def rows_of(kit: Kit, campaign: str) -> list[Any]:
    with reading(kit.store) as connection:
        asked = select(CampaignItem.__table__).where(CampaignItem.campaign == campaign)
        return list(connection.execute(asked))


def test_the_report_is_the_same_in_every_form_and_its_json_has_the_hash(kit: Kit) -> None:
    client = kit.client("siri")
    campaign = start(kit, client)
    path = f"/reviews/campaigns/{campaign}"
    send(client, f"{path}/end", {"why": "ผิดขอบเขต", "do": "drop"})
    file = get(client, f"{path}/report.json").data
    digest = hashlib.sha256(file).hexdigest()
    assert digest in get(client, f"{path}/report").text
    assert digest in get(client, f"{path}/report.csv").text
    span = json.loads(file)["trail"]
    assert span["checkpoint"]["size"] > span["last_leaf"] > span["first_leaf"]
    made = get(client, f"{path}/report.pdf")
    assert (made.content_type, made.data[:5]) == ("application/pdf", b"%PDF-")
    text = "".join(page.extract_text() for page in PdfReader(io.BytesIO(made.data)).pages)
    plain = re.sub("[\\s\u200b]", "", text)
    assert digest in plain
    assert span["checkpoint"]["root"] in plain


def test_an_item_says_which_declared_pair_conflicts(kit: Kit) -> None:
    client = kit.client("siri")
    facts = [{**GRANTED, "role": role, "organisation": None} for role in CONFLICT]
    import_facts(
        kit.store,
        lambda: [json.dumps({k: v for k, v in each.items() if v}) for each in facts],
        name="facts",
        catalogue=kit.console.point.policy.catalogue,
        local=kit.console.settings.local,
        by="tests",
    )
    form = {**FORM, "organisation": "", "kind": ["grant"], "role": list(CONFLICT)}
    campaign = campaign_of(send(client, "/reviews/campaigns/new", form))
    path = f"/reviews/campaigns/{campaign}"
    seen = get(client, f"{path}/preview").text
    assert APART in seen
    send(client, f"{path}/start", {"why": "ตรวจ"})
    number = numbers(kit, campaign, "teacher-danai")[0]
    page = get(client, f"{path}/items/{number}").text
    assert APART in page
    assert "เจ้าหน้าที่บริการผู้ใช้" in page


def test_who_stands_in_answers_in_both_names(kit: Kit) -> None:
    client = kit.client("head")
    campaign = start(kit, client)
    today = clock.now().astimezone(kit.console.settings.local).date()
    form = {
        "to": PRIVILEGED["other"],
        "since": today.isoformat(),
        "until": (today + timedelta(days=365)).isoformat(),
        "why": "ลาพักร้อน",
    }
    send(client, "/reviews/delegations", form)
    deputy = kit.client("other")
    number = numbers(kit, campaign, "teacher-danai")[0]
    send(deputy, f"/reviews/{campaign}/answer", {"number": number, "verdict": "keep", "why": "ok"})
    shown = get(client, f"/reviews/{campaign}/{number}").text
    assert "ทำแทน" in shown
    page = get(client, "/reviews/delegations").text
    found = re.search(r'name="delegation" value="([0-9a-f]+)"', page)
    assert found
    send(client, "/reviews/delegations/end", {"delegation": found[1]})
    assert get(deputy, f"/reviews/{campaign}").status_code == 404


class Counted:
    """The statements that a store is asked."""

    def __init__(self, store: Engine) -> None:
        self.store, self.number = store, 0

    def __enter__(self) -> Self:
        event.listen(self.store, "before_cursor_execute", self._count)
        return self

    def __exit__(self, *_: object) -> None:
        event.remove(self.store, "before_cursor_execute", self._count)

    def _count(self, *_: object) -> None:
        self.number += 1


def many(kit: Kit, campaign: str, number: int) -> None:
    """Make a campaign as long as that, by rows like its first."""
    with writing(kit.store) as connection:
        row = connection.execute(
            select(CampaignItem.__table__).where(CampaignItem.campaign == campaign).limit(1)
        ).one()
        first = len(numbers(kit, campaign)) + 1
        rows = [{**row._mapping, "number": each} for each in range(first, number + 1)]
        connection.execute(insert(CampaignItem), rows)
        connection.execute(update(Campaign).values(items=number))


@pytest.mark.usefixtures("one_moment")
@pytest.mark.parametrize(
    "path", ["/reviews", "/reviews/{0}", "/reviews/campaigns/{0}/items", "/reviews/campaigns/{0}"]
)
def test_a_long_list_asks_no_more_than_a_short_one(kit: Kit, path: str) -> None:
    client = kit.client("head")
    campaign = start(kit, client)
    get(client, path.format(campaign))
    with Counted(kit.store) as short:
        get(client, path.format(campaign))
    many(kit, campaign, 300)
    with Counted(kit.store) as long:
        assert get(client, path.format(campaign)).status_code == 200
    assert long.number <= short.number
