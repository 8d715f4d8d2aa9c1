"""Parts of a page that are updated in their place, and the same page without JavaScript."""

from __future__ import annotations

import hashlib
import re
import tomllib
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from authz.admin.opening import FILES
from tests.admin.kit import BASE, Kit, statements

PART = {"HX-Request": "true", "HX-Target": "part"}
PAGES = {
    "/admin/people?text=ใจดี": "siri",
    "/admin/people?text=nobody": "siri",
    "/admin/people?after=x": "siri",
    "/admin/classes?school=school-doi": "siri",
    "/admin/class/doi-p5-math": "head",
    "/admin/access/student-mali?day=2030-01-01": "head",
    "/admin/rights/teacher-danai": "head",
    "/admin/usage/student-mali?decision=refuse": "head",
    "/admin/trail?event=signed_in": "audit",
    "/admin/unused": "siri",
    "/admin/users?q=s": "krung",
    "/admin/requests": "siri",
    "/admin/imports": "siri",
}


def the_part(text: str) -> str:
    """The part within a whole page; what differs from one look to the next is taken out."""
    found = text[text.index('<div id="part"') :].split("</main>", maxsplit=1)[0]
    told = found.replace(' tabindex="-1" autofocus', "")
    return re.sub(r"[0-9a-f]{32}|\d\d:\d\d|<code>[^<]*</code>", "", told).strip()


@pytest.mark.usefixtures("one_moment")
@pytest.mark.parametrize("path", PAGES)
def test_a_part_is_what_the_whole_page_shows(standing: Kit, path: str) -> None:
    client = standing.client(PAGES[path])
    if path.startswith(("/admin/usage", "/admin/trail")):
        client.get(path, base_url=BASE)  # what a look records is there for both
    whole = client.get(path, base_url=BASE)
    part = client.get(path, base_url=BASE, headers=PART)
    assert part.status_code == whole.status_code
    assert the_part(part.text) == the_part(whole.text)
    assert not re.search("<html|<main|<header><nav", part.text)
    assert "HX-Target" in part.headers["Vary"]


def test_a_part_costs_less_than_its_page(standing: Kit) -> None:
    siri = standing.client("siri")
    whole = statements(standing.store, lambda: siri.get("/admin/people", base_url=BASE))
    part = statements(
        standing.store, lambda: siri.get("/admin/people", base_url=BASE, headers=PART)
    )
    assert part < whole


@pytest.mark.parametrize("more", [{"HX-Target": "other"}, {"HX-History-Restore-Request": "true"}])
def test_whatever_else_is_asked_for_is_the_whole_page(standing: Kit, more: dict[str, str]) -> None:
    client = standing.client("siri")
    reply = client.get("/admin/people", base_url=BASE, headers={**PART, **more})
    assert "<html" in reply.text


@pytest.fixture(params=[True, False], ids=["script", "no script"])
def context(browser: Browser, request: pytest.FixtureRequest) -> Iterator[BrowserContext]:
    """A browser with JavaScript, and one without."""
    made = browser.new_context(locale="th-TH", java_script_enabled=request.param)
    yield made
    made.close()


def test_lists_and_what_ifs_work_with_a_script_and_without(
    standing: Kit, context: BrowserContext, request: pytest.FixtureRequest
) -> None:
    script = "no script" not in request.node.name
    page = standing.page(context, "siri")
    page.goto(f"{standing.url}/admin/people")
    _mark(page, script=script)
    page.fill("[name=text]", "มะลิ ใจดี")
    page.click("main form button")
    expect(page.locator("#part tbody tr")).to_have_count(1)
    expect(page).to_have_url(re.compile("text="))
    _same(page, script=script)
    page.go_back()
    expect(page.locator("#part tbody tr")).to_have_count(50)
    page.click("nav.bar >> text=หน้าถัดไป")
    expect(page).to_have_url(re.compile("after="))
    expect(page.locator("nav.bar >> text=หน้าแรก")).to_be_visible()
    page.goto(f"{standing.url}/admin/access/student-mali")
    _mark(page, script=script)
    page.locator("a", has_text="ถ้าสิ่งนี้สิ้นสุดลง").first.click()
    page.wait_for_url("**without=**")
    expect(page.locator("#part [role=status]")).to_contain_text("ไม่มีการเปลี่ยนแปลง")
    _same(page, script=script)


def test_a_session_that_ended_leads_the_whole_page_to_signing_in(
    kit: Kit, thai: BrowserContext
) -> None:
    page = kit.page(thai, "siri")
    page.goto(f"{kit.url}/admin/people")
    thai.clear_cookies()
    page.click("main form button")
    expect(page.locator("h1")).to_have_text("เข้าสู่ระบบ")
    expect(page.locator("header")).to_have_count(1)


def test_a_part_that_cannot_be_fetched_says_so_until_it_can(
    standing: Kit, thai: BrowserContext
) -> None:
    page = standing.page(thai, "siri")
    page.goto(f"{standing.url}/admin/people")
    told = page.get_by_text("ติดต่อระบบไม่ได้")
    expect(told).to_be_hidden()
    thai.set_offline(True)
    page.click("main form button")
    expect(told).to_be_visible()
    thai.set_offline(False)
    page.fill("[name=text]", "มะลิ ใจดี")
    page.click("main form button")
    expect(page.locator("#part tbody tr")).to_have_count(1)
    expect(told).to_be_hidden()


def _mark(page: Page, *, script: bool) -> None:
    if script:
        page.evaluate("document.documentElement.dataset.kept = 'yes'")


def _same(page: Page, *, script: bool) -> None:
    """With a script the page stays, and the reader goes on in the part."""
    if script:
        assert page.evaluate("document.documentElement.dataset.kept") == "yes"
        expect(page.locator("#part")).to_be_focused()


def test_files_of_others_are_as_their_registry_has_them() -> None:
    folder = FILES / "vendor"
    sources = tomllib.loads((folder / "sources.toml").read_text("utf-8"))
    for each in sources.values():
        assert hashlib.sha512((folder / each["file"]).read_bytes()).hexdigest() == each["sha512"]
    licences = {f"{name}.LICENSE.txt" for name in sources}
    files = {each["file"] for each in sources.values()}
    assert {path.name for path in folder.iterdir()} == {"sources.toml", *licences, *files}
