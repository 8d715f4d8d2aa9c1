"""The cells of a report as text for people: words for ids, local dates, joined lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any

from authz.service.reports.dates import moment
from authz.service.reports.document import Column, Fact, Table, Texts


@dataclass(frozen=True, slots=True)
class Reader:
    """Who reads: a language, ``th`` or ``en``, and a local zone."""

    language: str
    local: tzinfo

    def say(self, texts: Texts) -> str:
        """The text in the reader's language, or in the one there is."""
        return texts.get(self.language) or next(iter(texts.values()), "")

    def cell(self, column: Column | Fact, value: Any) -> str:
        """A cell as text; nothing is an empty one."""
        if value is None or value == "":
            return ""
        if isinstance(value, list | tuple):
            return ", ".join(self._word(column.words, each) for each in value)
        if column.moment:
            return moment(value, self.language, self.local)
        return self._word(column.words, value)

    def rows(self, table: Table) -> Iterator[Sequence[str]]:
        """The rows of a table as text."""
        for row in table.rows:
            yield [self.cell(column, v) for column, v in zip(table.columns, row, strict=True)]

    def headings(self, table: Table) -> list[str]:
        """Its headings."""
        return [self.say(column.title) for column in table.columns]

    def _word(self, words: Mapping[str, Texts], value: Any) -> str:
        known = words.get(str(value))
        if known:
            return self.say(known)
        return f"{value:,}" if isinstance(value, int) else str(value)
