"""The PDF of a report, with the same words as its page.

Thai is written without spaces between words. A line may be broken where a word can begin
with a leading vowel, and this is told to the library by a space of no width; where there
is none it breaks between letters, never before a mark that stands above or below one.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Any, Final

from fpdf import FPDF, FontFace
from fpdf.enums import TableBordersLayout

from authz.service.reports.cells import Reader
from authz.service.reports.document import Report, Table
from authz.service.reports.page import FONTS, MOST_ROWS, left_out

BREAK: Final = "\u200b"
_BEGINS: Final = re.compile("(?<=[\u0e01-\u0e3a\u0e45-\u0e4e])(?=[\u0e40-\u0e44])")
_LONG: Final = re.compile(r"(?<=[-_/:.])(?=\w)|(?<=\w{18})(?=\w)", re.ASCII)
MARGIN, LINE, SIZE = 15, 6, 11
FOOT: Final = {"th": "หน้า {page} จาก {{nb}}", "en": "Page {page} of {{nb}}"}
NONE: Final = {"th": "ไม่มีรายการ", "en": "Nothing."}
NOTES: Final = {"th": "วิธีอ่านรายงานนี้", "en": "How to read this report"}


def breakable(text: str) -> str:
    """The text with the places where a line may be broken."""
    return _LONG.sub(BREAK, _BEGINS.sub(BREAK, text))


def pdf(report: Report, reader: Reader) -> bytes:
    """The printed page, A4 and as wide as its widest table needs."""
    widest = max((len(table.columns) for table in report.tables), default=0)
    paper = _Paper(reader, "landscape" if widest > 6 else "portrait")  # noqa: PLR2004
    paper.heading(reader.say(report.title), 17)
    for fact in report.facts:
        if fact.value not in (None, "", []):
            paper.fact(reader.say(fact.title), reader.cell(fact, fact.value))
    for table in report.tables:
        paper.table_of(table)
    if report.notes:
        paper.heading(reader.say(NOTES), 13)
        for note in report.notes:
            paper.text_of("• " + reader.say(note))
    for title, text in report.letters:
        paper.add_page()
        paper.heading(reader.say(title), 15)
        for paragraph in text:
            paper.text_of(reader.say(paragraph))
    return bytes(paper.output())


class _Paper(FPDF):
    """Pages with our font, our margins and a number at their foot."""

    def __init__(self, reader: Reader, orientation: Any) -> None:
        super().__init__(orientation=orientation, format="A4")
        self.reader = reader
        for weight, name in (("", "Regular"), ("B", "Bold")):
            self.add_font("Sarabun", weight, FONTS / f"Sarabun-{name}.ttf")
        self.set_text_shaping(use_shaping_engine=True)
        self.set_margin(MARGIN)
        self.set_auto_page_break(auto=True, margin=MARGIN + 5)
        self.set_lang(reader.language)
        self.set_font("Sarabun", size=SIZE)
        self.add_page()

    def footer(self) -> None:
        """The number of the page."""
        self.set_y(-MARGIN)
        self.set_font("Sarabun", size=9)
        said = self.reader.say(FOOT).format(page=self.page_no())
        self.cell(0, 5, said, align="R")
        self.set_font("Sarabun", size=SIZE)

    def heading(self, text: str, size: int) -> None:
        """A heading, with room above it."""
        self.ln(2)
        self.set_font("Sarabun", "B", size)
        self.multi_cell(0, size * 0.55, breakable(text), new_x="LMARGIN", new_y="NEXT", align="L")
        self.set_font("Sarabun", size=SIZE)
        self.ln(1)

    def fact(self, title: str, value: str) -> None:
        """A line of a name and what is said of it."""
        self.set_text_color(90)
        self.cell(60, LINE, title)
        self.set_text_color(0)
        self.multi_cell(0, LINE, breakable(value), new_x="LMARGIN", new_y="NEXT", align="L")

    def text_of(self, text: str) -> None:
        """A paragraph."""
        self.multi_cell(0, LINE, breakable(text), new_x="LMARGIN", new_y="NEXT", align="L")
        self.ln(1)

    def table_of(self, table: Table) -> None:
        """A table whose headings come again on each page."""
        self.heading(self.reader.say(table.title), 13)
        if table.note:
            self.text_of(self.reader.say(table.note))
        rows = list(islice(self.reader.rows(table), MOST_ROWS))
        if not rows:
            self.text_of(self.reader.say(NONE))
            return
        self.set_font("Sarabun", size=9)
        with self.table(
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            line_height=5,
            text_align="LEFT",
            padding=1,
            headings_style=FontFace(emphasis="BOLD"),
            col_widths=_widths([self.reader.headings(table), *rows]),
        ) as printed:
            printed.row([breakable(cell) for cell in self.reader.headings(table)])
            for row in rows:
                printed.row([breakable(cell) for cell in row])
        self.set_font("Sarabun", size=SIZE)
        if more := left_out(table, self.reader):
            self.text_of(more)


def _widths(rows: list[Any]) -> tuple[int, ...]:
    """How wide the columns are, each by its longest cell, but no heading is broken in a word."""
    longest = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    words = [max(map(len, heading.split() or [""])) + 3 for heading in rows[0]]
    return tuple(max(min(each, 30), word) for each, word in zip(longest, words, strict=True))
