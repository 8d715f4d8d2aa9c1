"""A report as JSON, CSV, a printable page or a PDF; the form is chosen by its name."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from authz.service.reports import spreadsheet
from authz.service.reports.cells import Reader
from authz.service.reports.document import Report
from authz.service.reports.page import page
from authz.service.reports.printed import pdf


def as_json(report: Report, _: Reader) -> Iterator[bytes]:
    """Ids and UTC times, for programs; the rows are written as they are read."""
    told = {fact.id: fact.value for fact in report.facts if fact.value not in (None, "", [])}
    yield _text({"report": report.id, **told})[:-1].encode()
    yield b', "notes": ' + _text([dict(note) for note in report.notes]).encode()
    if report.letters:
        letters = [
            {"title": dict(title), "text": [dict(each) for each in text]}
            for title, text in report.letters
        ]
        yield b', "letters": ' + _text(letters).encode()
    for table in report.tables:
        yield f', "{table.id}": ['.encode()
        names = [column.id for column in table.columns]
        between = "\n"
        for row in table.rows:
            members = {n: v for n, v in zip(names, row, strict=True) if v not in (None, "", [])}
            yield (between + _text(members)).encode()
            between = ",\n"
        yield b"]"
    yield b"}\n"


def as_csv(report: Report, reader: Reader) -> Iterator[bytes]:
    """The main table for a spreadsheet, which reads UTF-8 by the mark at its begin.

    A cell that a spreadsheet would take for a formula is led by an apostrophe.
    """
    yield b"\xef\xbb\xbf"
    yield _line(reader.headings(report.table))
    for row in reader.rows(report.table):
        yield _line([spreadsheet.cell(text) for text in row])


def as_html(report: Report, reader: Reader) -> Iterator[bytes]:
    """A page that loads nothing, to be read and to be printed."""
    yield page(report, reader).encode()


def as_pdf(report: Report, reader: Reader) -> Iterator[bytes]:
    """A printed page."""
    yield pdf(report, reader)


Form = Callable[[Report, Reader], Iterator[bytes]]
FORMS: Final[Mapping[str, tuple[Form, str]]] = {
    "json": (as_json, "application/json"),
    "csv": (as_csv, "text/csv; charset=utf-8"),
    "html": (as_html, "text/html; charset=utf-8"),
    "pdf": (as_pdf, "application/pdf"),
}
"""Each form by its name, with its media type."""


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _line(cells: list[str]) -> bytes:
    out = io.StringIO()
    csv.writer(out).writerow(cells)
    return out.getvalue().encode()
