"""The rows that a roster import changed, on their way into the trail (N-49).

They are kept aside, masked, until the import is done: the chain of the trail is held for
as long as its records take, and not for as long as the import takes.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from tempfile import SpooledTemporaryFile
from types import TracebackType
from typing import Any, Final, Self

from sqlalchemy import Connection

from authz.audit.record import Entry, Ref, masked
from authz.directory.roster.telling import RowChange
from authz.service import changing
from authz.service.changing import By
from authz.vocabulary import Event

ROWS: Final = 200
"""Rows that one record tells: few enough to be read, many enough to be cheap."""
TOGETHER: Final = 50
"""Records that are written with one statement."""
IN_MEMORY: Final = 16 * 2**20
"""Bytes kept in memory; what is more goes to a file without a name."""


class Told:
    """Takes the rows of an import in any order, and gives them back as records."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self._file = SpooledTemporaryFile[bytes](IN_MEMORY)
        self._open: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()

    def __call__(self, row: RowChange) -> None:
        """Take one row; values of people are masked before they are kept."""
        some = self._open.setdefault((row.table, row.how), [])
        some.append(
            {
                "id": row.id,
                "changed": changing.differing(row.before, row.after)
                if row.before and row.after
                else [],
                "people": row.people,
                "before": masked(row.before),
                "after": masked(row.after),
            }
        )
        self.counts[row.how] += 1
        if len(some) >= ROWS:
            self._close(row.table, row.how)

    def _close(self, table: str, how: str) -> None:
        rows = self._open.pop((table, how))
        self._file.write(json.dumps([table, how, rows]).encode() + b"\n")

    def write(self, connection: Connection, by: By, source: str, revision: int) -> None:
        """Write the records of all rows, in the transaction of the import."""
        for table, how in list(self._open):
            self._close(table, how)
        self._file.seek(0)
        some: list[Entry] = []
        for table, how, rows in self._chunks():
            some.append(_entry(by, source, revision, table, how, rows))
            if len(some) >= TOGETHER:
                changing.record(connection, some)
                some = []
        changing.record(connection, some)

    def _chunks(self) -> Iterator[tuple[str, str, list[dict[str, Any]]]]:
        for line in self._file:
            table, how, rows = json.loads(line)
            yield table, how, rows


def _entry(
    by: By, source: str, revision: int, table: str, how: str, rows: list[dict[str, Any]]
) -> Entry:
    people = {person for row in rows for person in row.pop("people")}
    return changing.changed(
        Event.ROSTER_CHANGED,
        by,
        Ref("roster", source),
        {},
        {},
        action=how,
        people=people,
        revision=revision,
        more={
            "table": table,
            "rows": [{name: value for name, value in row.items() if value} for row in rows],
        },
    )
