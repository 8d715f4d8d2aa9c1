"""What is printed from a browser: the text is all there, on the paper that it takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from io import BytesIO

import pytest
from playwright.sync_api import Browser, BrowserContext
from pypdf import PdfReader

from tests.admin.kit import Kit
from tests.admin.tour import Stop, stops

A4 = (595, 842)


@pytest.fixture(scope="module")
def tour(standing: Kit) -> dict[str, Stop]:
    """The screens, of a school in which a review is over."""
    return {stop.name: stop for stop in stops(standing)}


@pytest.fixture(scope="module")
def desk(browser: Browser) -> Iterator[BrowserContext]:
    """A browser of somebody who reads Thai."""
    context = browser.new_context(locale="th-TH", timezone_id="Asia/Bangkok")
    yield context
    context.close()


def printed(kit: Kit, context: BrowserContext, address: str, who: str) -> PdfReader:
    """The page as the browser prints it."""
    kit.sign_in(context, who)
    page = context.new_page()
    page.goto(f"{kit.url}{address}")
    page.evaluate("document.fonts.ready.then(() => null)")
    found = PdfReader(BytesIO(page.pdf(prefer_css_page_size=True)))
    page.close()
    return found


def text(found: PdfReader) -> str:
    """All that the pages say, letter by letter."""
    return letters("".join(page.extract_text() for page in found.pages))


def letters(said: str) -> str:
    """A text without blanks and Thai marks: a font draws those by glyphs that tell no letter."""
    return re.sub("[\\s\\0\u0e31\u0e34-\u0e3a\u0e47-\u0e4e]", "", said.replace("ำ", "า"))


def size(found: PdfReader) -> set[tuple[int, int]]:
    """The sizes of the pages in points."""
    return {(round(page.mediabox.width), round(page.mediabox.height)) for page in found.pages}


def test_the_report_of_a_person_is_printed_whole(standing: Kit, desk: BrowserContext) -> None:
    address = "/admin/reports/access-of/html/student-mali"
    found = printed(standing, desk, address, "head")
    said = text(found)
    assert size(found) == {A4}
    assert len(found.pages) <= 3
    assert "student-mali" in said
    assert letters("วิธีอ่านรายงานนี้") in said
    assert letters("สำนักงานคณะกรรมการคุ้มครองข้อมูลส่วนบุคคล") in said


def test_the_closing_report_of_a_review_is_two_pages_with_every_item(
    standing: Kit, desk: BrowserContext, tour: dict[str, Stop]
) -> None:
    stop = tour["campaign_report"]
    found = printed(standing, desk, stop.address, stop.who)
    said = text(found)
    assert size(found) == {A4}
    assert len(found.pages) <= 2
    for each in (
        *("รายงานปิดการทบทวน", "เพิกถอน: 1", "กัญญา ทองสุก", "สมศรี บุญเรือง"),
        *("ค่าแฮชของรายงาน", "authz review check"),
    ):
        assert letters(each) in said, each
    for each in ("ออกจากระบบ", "เมนู", "ไฟล์สำหรับตารางคำนวณ"):
        assert letters(each) not in said, each


def test_the_matrix_lies_across_the_page_with_every_role(
    standing: Kit, desk: BrowserContext, tour: dict[str, Stop]
) -> None:
    stop = tour["policy"]
    found = printed(standing, desk, stop.address, stop.who)
    assert size(found) == {A4[::-1]}
    assert len(found.pages) <= 2
    first = letters(found.pages[0].extract_text())
    for category in standing.console.point.policy.catalogue.categories.values():
        assert letters(category.title["th"]) in first, category.id
    for role in ("ผู้ช่วยครู", "พี่เลี้ยง", "หน่วยงานของรัฐ", "เจ้าหน้าที่คุ้มครองข้อมูลส่วนบุคคล"):
        assert letters(role) in first
