"""One statement of many rows: what is to be written is known before anything is.

The values that a row is found by have a name of their own, ``key_`` and the column.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table, bindparam, delete, insert, update

from authz.directory import tables as t
from authz.directory.recording.change import Row

KEY = "key_"


class Do(StrEnum):
    """What is done with the rows."""

    INSERT = "insert"
    UPDATE = "update"
    DELETE = "delete"


class Step(NamedTuple):
    """The rows, all with the same columns, and what is done with them in which table."""

    do: Do
    table: str
    rows: Sequence[Row]


def steps(do: Do, table: Table, rows: Sequence[Row]) -> list[Step]:
    """The step, or none where there are no rows."""
    return [Step(do, table.name, rows)] if rows else []


def keyed(row: Mapping[str, Any], names: Iterable[str]) -> Row:
    """The row as one that is found by the columns of these names."""
    by = frozenset(names)
    return {f"{KEY}{name}" if name in by else name: value for name, value in row.items()}


def run(connection: Connection, step: Step) -> None:
    """Write the rows."""
    table = t.Base.metadata.tables[step.table]
    if step.do is Do.INSERT:
        connection.execute(insert(table), step.rows)
        return
    names = list(step.rows[0])
    where = [table.c[n.removeprefix(KEY)] == bindparam(n) for n in names if n.startswith(KEY)]
    if step.do is Do.DELETE:
        connection.execute(delete(table).where(*where), step.rows)
        return
    others: dict[str, Any] = {n: bindparam(n) for n in names if not n.startswith(KEY)}
    connection.execute(update(table).where(*where).values(others), step.rows)
