"""Which columns of a store hold somebody's id: every text is read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    Date,
    DateTime,
    Engine,
    Integer,
    MetaData,
    TypeDecorator,
    select,
)

from authz.audit.tables import Base as Audit
from authz.directory.tables import Base as Directory
from authz.privacy.tables import Base as Privacy
from authz.review.tables import Base as Review
from authz.service.tables import Base as Service

METADATA: tuple[MetaData, ...] = tuple(
    base.metadata for base in (Directory, Audit, Review, Privacy, Service)
)
"""What the migrations make; a test holds that it is all of it."""


def texts(*metadata: MetaData) -> Iterator[Column[Any]]:
    """Every column of every table in which a person's id could stand."""
    for table in (table for each in metadata for table in each.tables.values()):
        for column in table.columns:
            kind = column.type.impl if isinstance(column.type, TypeDecorator) else column.type
            if not isinstance(kind, (Boolean, Integer, Date, DateTime)):
                yield column


def named(store: Engine, people: Iterable[str]) -> set[tuple[str, str]]:
    """The table and column of each text that holds the id of one of these people."""
    anybody = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, people))})(?!\w)")
    found: set[tuple[str, str]] = set()
    with store.connect() as connection:
        for table in (table for each in METADATA for table in each.tables.values()):
            for row in connection.execute(select(table)).mappings():
                found |= {(table.name, name) for name, value in row.items()
                          if anybody.search(_spelt(value))}  # fmt: skip
    return found


def _spelt(value: Any) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
