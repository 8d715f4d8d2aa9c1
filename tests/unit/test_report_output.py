"""A report in each form and both languages, held against kept files; and its printed page."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pypdf import PdfReader

from authz.service.reports.cells import Reader
from authz.service.reports.dates import moment
from authz.service.reports.document import Column, Fact, Report, Rows, Table
from authz.service.reports.output import FORMS
from authz.service.reports.page import FONTS, policy
from authz.service.reports.printed import BREAK, breakable, pdf
from authz.service.reviews import report as review_report

LOCAL = ZoneInfo("Asia/Bangkok")
KEPT = Path(__file__).with_name("reports")
NOON = "2026-11-23T05:00:00.000000Z"
KINDS = {"contact": {"th": "ข้อมูลติดต่อ", "en": "Contact"}}
BOTH = pytest.mark.parametrize("language", ["th", "en"])


def report(rows: int = 3) -> Report:
    """A report with what is hard in it: markup, formulas, words, dates, long Thai text."""
    columns = (
        Column("person", {"th": "บุคคล", "en": "Person"}),
        Column("kinds", {"th": "ประเภทข้อมูล", "en": "Kinds of data"}, words=KINDS),
        Column("times", {"th": "ครั้ง", "en": "Times"}),
        Column("last", {"th": "ครั้งล่าสุด", "en": "Last"}, moment=True),
    )
    hard = ["=HYPERLINK(1)", "<b>&\"'</b>", "เด็กหญิงมะลิ ใจดี, ป.๖"]
    people = Rows((hard[n % 3], ["contact", "new"], 1234 * n, NOON) for n in range(rows))
    return Report(
        id="example",
        title={"th": "รายงานตัวอย่าง", "en": "Example"},
        facts=[
            Fact("made_at", {"th": "จัดทำเมื่อ", "en": "Made at"}, NOON, moment=True),
            Fact("nothing", {"th": "ไม่มี", "en": "Nothing"}, None),
        ],
        notes=[{"th": "ผู้ใช้อาจได้รับอนุญาตแล้วแต่ไม่ได้เปิดดูจริง", "en": "May not have looked."}],
        tables=[
            Table("people", {"th": "บุคคล", "en": "People"}, columns, people),
            Table("none", {"th": "ว่าง", "en": "Empty"}, columns, Rows()),
        ],
        main="people",
        letters=[({"th": "ร่างหนังสือ"}, [{"th": "เรียน ผู้ปกครอง"}])],
    )


def made(form: str, language: str, rows: int = 3) -> bytes:
    return b"".join(FORMS[form][0](report(rows), Reader(language, LOCAL)))


@BOTH
@pytest.mark.parametrize("form", ["json", "csv", "html"])
def test_each_form_is_as_it_was(form: str, language: str) -> None:
    """To accept a change: delete the file and run the test, which writes it and fails once."""
    told = made(form, language).decode()
    told = re.sub(r"<style>.*?</style>", "<style></style>", told, flags=re.DOTALL)
    kept = KEPT / f"example.{language}.{form}"
    if not kept.exists():
        kept.write_text(told, encoding="utf-8", newline="")
        pytest.fail(f"{kept.name} was written; look at it")
    assert told == kept.read_bytes().decode()


def test_json_has_ids_and_utc_and_every_row() -> None:
    told = json.loads(made("json", "th", 5000))
    assert (told["report"], told["made_at"], len(told["people"])) == ("example", NOON, 5000)
    assert told["people"][0] == {
        "person": "=HYPERLINK(1)",
        "kinds": ["contact", "new"],
        "times": 0,
        "last": NOON,
    }
    assert told["none"] == []


def test_a_spreadsheet_calculates_nothing() -> None:
    """A cell that would be a formula is a text."""
    assert "\n'=HYPERLINK(1)," in made("csv", "en").decode().replace("\r", "")


@BOTH
def test_the_page_loads_and_runs_nothing(language: str) -> None:
    """E-01: standalone; its fonts are in it, its style is allowed by its hash alone."""
    page = made("html", language).decode()
    assert f'<html lang="{language}">' in page
    assert "&lt;b&gt;" in page
    assert not re.search(r"<script|<img|<link|https?:|url\((?!data:)|\son\w+=|style=", page)
    assert "unsafe" not in policy()
    assert "sha256-" in policy()


def test_a_page_shows_two_thousand_rows_and_says_so() -> None:
    page = made("html", "en", 2500).decode()
    assert page.count("<tr>") == 2001
    assert "The first 2,000 of 2,500 rows" in page


@BOTH
def test_the_printed_page_has_thai_letters_and_breaks_its_tables(language: str) -> None:
    """Issue 4, part 6: printable in Thai; a long table goes on, under its headings."""
    found = PdfReader(io.BytesIO(made("pdf", language, 60)))
    texts = [page.extract_text() for page in found.pages]
    assert len(texts) >= 3
    assert "มะลิ" in texts[0].replace(BREAK, "")
    last = {"th": "ครั้งล่าสุด", "en": "Last"}[language]
    assert all(last in text.replace(BREAK, "") for text in texts[:2])
    assert "เรียน" in texts[-1]
    assert found.trailer["/Root"]["/Lang"] == language  # type: ignore[index]


def test_a_row_that_is_taller_than_a_page_is_printed_whole_under_its_headings() -> None:
    columns = (Column("who", {"en": "Who"}), Column("why", {"en": "Why"}))
    words = [f"reason{number}" for number in range(900)]
    table = Table(
        "items", {"en": "Items"}, columns, Rows([("Mali", " ".join(words)), ("Ton", "x")])
    )
    long = Report(id="x", title={"en": "X"}, facts=[], notes=[], tables=[table], main="items")
    found = PdfReader(io.BytesIO(pdf(long, Reader("en", LOCAL))))
    texts = [page.extract_text().replace(BREAK, "") for page in found.pages]
    assert len(texts) > 1
    assert all("Why" in text for text in texts)
    told = re.findall(r"reason\d+", "".join(" ".join(texts).split("-\n")))
    assert told == words
    assert "Ton" in texts[-1]


def test_thai_lines_break_before_a_leading_vowel_and_nowhere_in_a_letter() -> None:
    assert breakable("ผู้ใช้ข้อมูลเปิดดู") == f"ผู้{BREAK}ใช้ข้อมูล{BREAK}เปิดดู"
    assert breakable("en-US") == f"en-{BREAK}US"
    assert breakable("a" * 40).count(BREAK) == 22


@pytest.mark.parametrize(
    ("language", "told"), [("th", "1 ม.ค. 2570 00:30 น."), ("en", "1 Jan 2027 00:30")]
)
def test_dates_are_local_and_buddhist_in_thai(language: str, told: str) -> None:
    assert moment("2026-12-31T17:30:00.000000Z", language, LOCAL) == told


def test_rows_are_read_again_and_again_and_grow() -> None:
    rows = Rows([("a", 1)])
    assert [*rows] == [*rows] == [["a", 1]]
    rows.add(("b", None))
    assert [*rows] == [["a", 1], ["b", None]]
    assert rows.count == 2


def test_the_fonts_come_with_their_licence() -> None:
    found: Any = {path.name for path in FONTS.iterdir()}
    assert {"OFL.txt", "Sarabun-Regular.ttf", "Sarabun-Bold.ttf"} <= found
    assert "SIL Open Font License" in (FONTS / "OFL.txt").read_text("utf-8")


def test_a_list_in_a_review_is_no_formula_either() -> None:
    """One place says what a spreadsheet would carry out, for texts and for lists of them."""
    assert review_report._cell(["=HYPERLINK(1)", "b"]) == "'=HYPERLINK(1) b"
    assert [review_report._cell(each) for each in ("-x", "x", 7)] == ["'-x", "x", 7]
