"""A browser drives a review: by keyboard, on a phone, without JavaScript, in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, expect

from tests.admin.kit import PRIVILEGED, Kit, press, tab_to
from tests.admin.test_reviews import SCHOOL, bearer, grant, numbers, permits, start, state

PHONE: ViewportSize = {"width": 390, "height": 844}
DESK: ViewportSize = {"width": 1280, "height": 900}


def fits(page: Page) -> None:
    """No page is wider than its window."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.fixture
def opened(browser: Browser) -> Iterator[Callable[..., BrowserContext]]:
    """Browsers of some language, width, with JavaScript or without."""
    contexts: list[BrowserContext] = []

    def make(locale: str = "th-TH", *, script: bool = True, phone: bool = False) -> BrowserContext:
        contexts.append(
            browser.new_context(
                locale=locale,
                timezone_id="Asia/Bangkok",
                java_script_enabled=script,
                viewport=PHONE if phone else DESK,
            )
        )
        return contexts[-1]

    yield make
    for each in contexts:
        each.close()


def test_a_review_without_script_from_definition_to_the_next_refusal(
    kit: Kit, opened: Callable[..., BrowserContext]
) -> None:
    grant(kit)
    given = bearer(kit)
    page = kit.page(opened(script=False, phone=True), "head")
    page.goto(f"{kit.url}/admin/reviews/campaigns/new")
    page.fill("[name=name]", "ทบทวนสิทธิประจำภาคเรียน")
    page.uncheck("[name=kind][value=elevation]")
    page.select_option("[name=organisation]", SCHOOL)
    page.select_option("[name=reviewers_1]", "named")
    page.select_option("[name=named_1]", PRIVILEGED["head"])
    page.select_option("[name=fallback]", PRIVILEGED["siri"])
    page.select_option("[name=fallback_2]", PRIVILEGED["other"])
    page.fill("[name=why]", "ครบภาคเรียน")
    press(page, "main form button")
    expect(page.locator("h1")).to_contain_text("ตัวอย่างก่อนเริ่ม")
    page.fill("[name=why]", "ตามตัวอย่าง")
    press(page, "main form button")
    expect(page.locator("[role=status]")).to_contain_text("เริ่มการทบทวนแล้ว")
    campaign = page.url.rsplit("/", 1)[1]
    (number,) = numbers(kit, campaign, "teacher-danai")
    page.goto(f"{kit.url}/admin/reviews/{campaign}/{number}")
    page.fill("form.answer [name=why]", "ย้ายไปสอนอย่างเดียว")
    assert permits(kit, given)
    press(page, "form.answer [value=revoke]")
    for other in numbers(kit, campaign, reviewer=PRIVILEGED["head"]):
        if other != number:
            page.goto(f"{kit.url}/admin/reviews/{campaign}/{other}")
            page.fill("form.answer [name=why]", "ยังจำเป็น")
            press(page, "form.answer [value=keep]")
    page.goto(f"{kit.url}/admin/reviews/{campaign}/submit")
    expect(page.locator(".note.bad")).to_contain_text("เพิกถอนสิทธิ 1 รายการ")
    press(page, "main form button")
    expect(page.locator("[role=status]")).to_contain_text("ส่งผลการพิจารณา")
    officer = kit.page(opened(script=False), "siri")
    for own in numbers(kit, campaign, reviewer=PRIVILEGED["siri"]):
        officer.goto(f"{kit.url}/admin/reviews/{campaign}/{own}")
        officer.fill("form.answer [name=why]", "ยังจำเป็น")
        press(officer, "form.answer [value=keep]")
    officer.goto(f"{kit.url}/admin/reviews/{campaign}/submit")
    press(officer, "main form button")
    assert state(kit, campaign) == "closed"
    assert permits(kit, given)
    officer.goto(f"{kit.url}/admin/reviews/campaigns/{campaign}")
    officer.fill("section [name=why]", "เห็นด้วย")
    press(officer, "[name=do][value=confirm]")
    assert not permits(kit, given)
    page.goto(f"{kit.url}/admin/reviews/campaigns/{campaign}")
    press(page, "text=รายงานปิดการทบทวน")
    expect(page.locator("main")).to_contain_text("ย้ายไปสอนอย่างเดียว")
    fits(page)


def test_an_item_is_answered_by_keyboard_alone(
    kit: Kit, opened: Callable[..., BrowserContext]
) -> None:
    campaign = start(kit, kit.client("head"))
    (number,) = numbers(kit, campaign, "teacher-danai")
    page = kit.page(opened(), "head")
    page.goto(f"{kit.url}/admin/reviews/{campaign}")
    tab_to(page, f'a[href$="/{number}"]')
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("ดนัย อินทร์แก้ว")
    tab_to(page, "form.answer [name=why]")
    page.keyboard.type("ย้ายไปสอนอย่างเดียว")
    tab_to(page, "form.answer [value=revoke]")
    page.keyboard.press("Enter")
    expect(page.locator("[role=status]")).to_contain_text("บันทึกผลการพิจารณาแล้ว 1 รายการ")


def test_a_verdict_changes_the_list_in_its_place(
    kit: Kit, opened: Callable[..., BrowserContext]
) -> None:
    """The page stays, and so does the focus; what is refused is told there too."""
    campaign = start(kit, kit.client("head"))
    page = kit.page(opened(), "head")
    page.goto(f"{kit.url}/admin/reviews/{campaign}?order=flat")
    page.evaluate("document.documentElement.dataset.kept = 'yes'")
    keep = page.locator("button[name=one]").first
    tab_to(page, "button[name=one]")
    page.keyboard.press("Enter")
    expect(keep).to_have_attribute("aria-pressed", "true")
    expect(page.locator("#part [role=status]")).to_contain_text("บันทึกผลการพิจารณาแล้ว 1 รายการ")
    expect(page.locator("#part .progress")).to_contain_text("ตอบแล้ว 1 จาก")
    expect(keep).to_be_focused()
    for box in page.locator("#part [name=number]").all():  # one of them is flagged
        box.check()
    page.fill("#part [name=why]", "ยังจำเป็น")
    page.click("#part [name=verdict][value=keep]")
    expect(page.locator("#part [role=alert]")).to_contain_text("ทีละรายการ")
    assert page.evaluate("document.documentElement.dataset.kept") == "yes"
    expect(page).to_have_url(f"{kit.url}/admin/reviews/{campaign}?order=flat")
