"""As people do it who have no JavaScript, or no mouse (N-40); every screen is in the tour."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, BrowserContext, expect

from tests.admin.kit import PASSWORD, Kit, tab_to


def test_signing_in_works_without_javascript(kit: Kit, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, locale="en-GB")
    page = kit.page(context, "head")
    page.click("a[href$='/admin/profile']")
    expect(page.locator("h1")).to_have_text("My account")
    page.click("text=ไทย")
    expect(page.locator("h1")).to_have_text("บัญชีของฉัน")
    page.click("text=ออกจากระบบ >> nth=0")
    expect(page.locator("h1")).to_have_text("เข้าสู่ระบบ")
    context.close()


@pytest.mark.usefixtures("one_moment")
def test_signing_in_works_by_keyboard_alone(kit: Kit, thai: BrowserContext) -> None:
    page = kit.page(thai)
    expect(page.locator("[name=name]")).to_be_focused()
    page.keyboard.type("head")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("การยืนยันตัวตนขั้นที่สอง")
    expect(page.locator("[name=code]")).to_be_focused()
    page.keyboard.type(kit.code("head"))
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("หน้าแรก")
    page.wait_for_load_state()
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


def test_somebody_is_found_and_explained_by_keyboard_alone(kit: Kit, thai: BrowserContext) -> None:
    page = kit.page(thai, "head")
    tab_to(page, "nav a[href$='/admin/people']")
    page.keyboard.press("Enter")
    tab_to(page, "[name=text]")
    page.keyboard.type("มะลิ ใจดี")
    page.keyboard.press("Enter")
    expect(page.locator("#part")).to_be_focused()  # whoever sees no picture goes on there
    tab_to(page, "#part a[href$='/student-mali']")
    page.keyboard.press("Enter")
    tab_to(page, ".tabs a[href*='/admin/access/']")
    page.keyboard.press("Enter")
    page.wait_for_url("**/admin/access/student-mali")
    expect(page.locator("h1")).to_have_text("ใครเห็นข้อมูลของ มะลิ ใจดี")
    tab_to(page, "a[href*='without=guardianship']")
    page.keyboard.press("Enter")
    page.wait_for_url("**without=guardianship**")
    expect(page.locator("#part [role=status]")).to_contain_text("ไม่มีการเปลี่ยนแปลง")
    expect(page.locator("article.line.gone")).to_have_count(1)
