"""Signing in as people do it: without JavaScript, by keyboard, on a phone, read aloud (N-40)."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.admin.kit import PASSWORD, Kit

SERIOUS = {"serious", "critical"}


def serious(page: Page) -> list[str]:
    """What axe finds on the page that keeps somebody out."""
    found = Axe().run(page).response["violations"]
    return [f"{each['id']}: {each['help']}" for each in found if each["impact"] in SERIOUS]


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


def test_signing_in_works_by_keyboard_alone(kit: Kit, thai: BrowserContext) -> None:
    page = kit.page(thai)
    page.keyboard.type("head")  # the first field has the focus
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("การยืนยันตัวตนขั้นที่สอง")
    page.keyboard.type(kit.code("head"))
    page.keyboard.press("Enter")
    expect(page.locator("h1")).to_have_text("หน้าแรก")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("main")).to_be_focused()


@pytest.mark.parametrize("locale", ["th-TH", "en-GB"])
def test_nothing_serious_stands_in_anybodys_way(kit: Kit, browser: Browser, locale: str) -> None:
    context = browser.new_context(locale=locale, viewport={"width": 390, "height": 844})
    page = kit.page(context)
    assert serious(page) == []
    page.fill("[name=name]", "krung")
    page.fill("[name=password]", PASSWORD)
    page.click("main button")
    assert serious(page) == []
    page.fill("[name=code]", kit.code("krung"))
    page.click("main button")
    page.wait_for_url(f"{kit.url}/admin/")
    for path in (
        *("profile", "profile/password", "second-factor", "second-factor/codes"),
        *("users", "users/new", "users/of/parent", "nothing"),
    ):
        page.goto(f"{kit.url}/admin/{path}")
        page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
        assert serious(page) == [], path
        wider = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert wider <= 0, f"{path} is wider than a phone"
    context.close()
