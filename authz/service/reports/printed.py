"""The PDF of a report, with the same words as its page.

Thai is written without spaces between words. A line may be broken where a word can begin
with a leading vowel, and this is told to the library by a space of no width; where there
is none it breaks between letters, never before a mark that stands above or below one.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import Any, Final

from fpdf import FPDF
from fpdf.enums import MethodReturnValue

from authz.service.reports.cells import Reader
from authz.service.reports.document import Report, Table
from authz.service.reports.page import FONTS, MOST_ROWS, left_out

BREAK: Final = "\u200b"
_BEGINS: Final = re.compile("(?<=[\u0e01-\u0e3a\u0e45-\u0e4e])(?=[\u0e40-\u0e44])")
_LONG: Final = re.compile(r"(?<=[-_/:.])(?=\w)|(?<=\w{18})(?=\w)", re.ASCII)
MARGIN, LINE, SIZE = 15, 6, 11
ROW, PAD, SMALL = 5, 1, 9
"""A line of a table, the room above and below it, and the size of its letters."""
TALL_HEADS: Final = 8
"""Lines of a page that are kept for the headings of a table."""
FOOT: Final = {"th": "หน้า {page} จาก {{nb}}", "en": "Page {page} of {{nb}}"}
NONE: Final = {"th": "ไม่มีรายการ", "en": "Nothing."}
NOTES: Final = {"th": "วิธีอ่านรายงานนี้", "en": "How to read this report"}


def breakable(text: str) -> str:
    """The text with the places where a line may be broken."""
    return _LONG.sub(BREAK, _BEGINS.sub(BREAK, text))


def pdf(report: Report, reader: Reader) -> bytes:
    """The printed page, A4 and as wide as its widest table needs."""
    widest = max((len(table.columns) for table in report.tables), default=0)
    paper = _Paper(reader, "landscape" if widest > 6 else "portrait")  # noqa: PLR2004 (columns that fit upright)
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
        self.broken: dict[tuple[str, str, float], list[str]] = {}
        self.set_draw_color(190)
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
        self.set_font("Sarabun", size=SMALL)
        heads = self.reader.headings(table)
        widths = self._scaled(_widths([heads, *rows]))
        self._heads(heads, widths)
        for row in rows:
            self._row([self._lines(*each) for each in zip(row, widths, strict=True)], heads, widths)
        self.set_font("Sarabun", size=SIZE)
        if more := left_out(table, self.reader):
            self.ln(2)
            self.text_of(more)

    def _scaled(self, widths: tuple[int, ...]) -> list[float]:
        """The same widths, as wide together as the page."""
        return [each * self.epw / sum(widths) for each in widths]

    def _heads(self, heads: list[str], widths: list[float]) -> None:
        self.set_font("Sarabun", "B", SMALL)
        lines = [self._lines(*each) for each in zip(heads, widths, strict=True)]
        self._slab(lines, widths)
        self.set_font("Sarabun", size=SMALL)

    def _lines(self, text: str, width: float) -> list[str]:
        """The lines of a cell. Most are one line, which is seen at a tenth of the cost."""
        key = (self.font_style, text, width)
        if key not in self.broken:
            fits = self.get_string_width(text) <= width - 2 * self.c_margin
            self.broken[key] = [text] if fits and "\n" not in text else self._cut(text, width)
        return self.broken[key]

    def _cut(self, text: str, width: float) -> list[str]:
        found: Any = self.multi_cell(
            width, ROW, breakable(text), dry_run=True, output=MethodReturnValue.LINES, align="L"
        )
        return list(found)

    def _row(self, lines: list[list[str]], heads: list[str], widths: list[float]) -> None:
        """A row; one that is taller than a page goes on over the next ones."""
        tallest = max(1, int(self.eph / ROW) - TALL_HEADS)
        for first in range(0, max(map(len, lines)), tallest):
            slab = [each[first : first + tallest] for each in lines]
            if self.will_page_break(_height(slab)):
                self.add_page()
                self._heads(heads, widths)
            self._slab(slab, widths)

    def _slab(self, lines: list[list[str]], widths: list[float]) -> None:
        left, top = self.l_margin, self.get_y()
        for cell, width in zip(lines, widths, strict=True):
            for number, line in enumerate(cell):
                self.set_xy(left, top + PAD + number * ROW)
                self.cell(width, ROW, line)
            left += width
        below = top + _height(lines)
        self.line(self.l_margin, below, left, below)
        self.set_xy(self.l_margin, below)


def _height(lines: list[list[str]]) -> float:
    return max(map(len, lines)) * ROW + 2 * PAD


def _widths(rows: list[Any]) -> tuple[int, ...]:
    """How wide the columns are, each by its longest cell, but no heading is broken in a word."""
    longest = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    words = [max(map(len, heading.split() or [""])) + 3 for heading in rows[0]]
    return tuple(max(min(each, 30), word) for each, word in zip(longest, words, strict=True))
