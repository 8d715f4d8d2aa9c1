"""The printable page: HTML with its style and fonts in it; it loads and runs nothing."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from authz.service.reports.cells import Reader
from authz.service.reports.document import Report, Table

HERE: Final = Path(__file__).with_name("templates")
FONTS: Final = Path(__file__).parents[2] / "static" / "fonts"
MOST_ROWS: Final = 2000
"""Rows of a table on a page; whoever needs all of them takes JSON or CSV."""
LEFT_OUT: Final = {
    "th": "แสดง {shown:,} แถวแรกจาก {all:,} แถว ดูทั้งหมดได้ในรูปแบบ CSV หรือ JSON",
    "en": "The first {shown:,} of {all:,} rows; all of them are in the CSV and JSON forms.",
}
RANGES: Final = {"thai": "U+0E00-0E7F, U+200B-200D, U+25CC", "latin": "U+0000-00FF, U+2000-206F"}


def page(report: Report, reader: Reader) -> str:
    """The page, in the reader's language."""
    made: str = (
        _environment()
        .get_template("report.html")
        .render(
            report=report,
            reader=reader,
            style=style(),
            shown=lambda table: list(islice(reader.rows(table), MOST_ROWS)),
            left_out=lambda table: left_out(table, reader),
        )
    )
    return made


def left_out(table: Table, reader: Reader) -> str:
    """What a page says of the rows that it does not show."""
    count = getattr(table.rows, "count", 0)
    many = count if isinstance(count, int) else 0
    return reader.say(LEFT_OUT).format(shown=MOST_ROWS, all=many) if many > MOST_ROWS else ""


@cache
def style() -> str:
    """The style of the page, with the fonts that it needs for Thai and Latin letters."""
    faces = [
        f"@font-face {{ font-family: Sarabun; font-weight: {weight}; "
        f"src: url(data:font/woff2;base64,{_file(f'sarabun-{name}-{weight}-normal.woff2')}) "
        f'format("woff2"); unicode-range: {span}; }}'
        for weight in (400, 700)
        for name, span in RANGES.items()
    ]
    return "\n".join([*faces, (HERE / "report.css").read_text("utf-8").strip()])


@cache
def policy() -> str:
    """The security policy of the page: its own style and fonts, and nothing else."""
    digest = b64encode(sha256(style().encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; font-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )


def _file(name: str) -> str:
    return b64encode((FONTS / name).read_bytes()).decode()


@cache
def _environment() -> Any:
    return Environment(
        loader=FileSystemLoader(HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
