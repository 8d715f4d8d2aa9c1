"""Finding records: who saw whose data, when and why (N-49, E-07).

Newest first, by keyset: a page begins where the last one ended, however far back, and
costs the same. What is shown is the record itself; the index columns only find it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, literal, select, tuple_

from authz.audit.record import indexed, timestamp
from authz.audit.tables import AuditRecord
from authz.errors import MalformedError

MOST: Final = 1000
_ORDER: Final = (AuditRecord.time, AuditRecord.chain, AuditRecord.sequence)


@dataclass(frozen=True, slots=True)
class Found:
    """A record that a search found, and where it stands."""

    chain: str
    sequence: int
    hash: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some records; ``after`` asks for those that follow, and is empty after the last."""

    records: list[Found]
    after: str


def conditions(  # noqa: PLR0913 - what people ask of the trail, by name
    *,
    person: str | Sequence[str] | None = None,
    subject: str | Sequence[str] | None = None,
    application: str | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    decision: bool | None = None,
    rule: str | None = None,
    purpose: str | None = None,
    request_id: str | None = None,
    event: str | None = None,
) -> list[ColumnElement[bool]]:
    """What records must fit that are asked for, ``since <= time < until``.

    ``person`` is whose data or what was changed, ``subject`` who asked; each may be several
    ids of the same. A rule is found where it permitted and where it refused.
    """
    equal = {
        AuditRecord.application: application,
        AuditRecord.purpose: purpose,
        AuditRecord.request_id: request_id,
        AuditRecord.event: event,
        AuditRecord.decision: None if decision is None else "permit" if decision else "refuse",
    }
    asked: list[ColumnElement[bool]] = [
        column == indexed(value) for column, value in equal.items() if value is not None
    ]
    for column, ids in ((AuditRecord.resource_id, person), (AuditRecord.subject_id, subject)):
        if ids is not None:
            several = [ids] if isinstance(ids, str) else ids
            asked.append(column.in_([indexed(each) for each in several]))
    if rule is not None:
        asked.append(AuditRecord.rules.contains(f"|{indexed(rule)}|", autoescape=True))
    if since is not None:
        asked.append(AuditRecord.time >= timestamp(since))
    if until is not None:
        asked.append(AuditRecord.time < timestamp(until))
    return asked


def between(chain: str, first: int = 1, last: int | None = None) -> list[ColumnElement[bool]]:
    """What the records ``first`` to ``last`` of a chain fit."""
    found = [AuditRecord.chain == chain, AuditRecord.sequence >= first]
    return [*found, AuditRecord.sequence <= last] if last is not None else found


def search(connection: Connection, *, limit: int = 100, after: str = "", **asked: Any) -> Page:
    """The newest records that fit all that is asked, in the words of :func:`conditions`."""
    fitting = conditions(**asked)
    if after:
        fitting.extend(_older(after))
    return _page(connection, fitting, max(1, min(limit, MOST)))


def _page(connection: Connection, asked: list[ColumnElement[bool]], limit: int) -> Page:
    rows = connection.execute(
        select(*_ORDER, AuditRecord.hash, AuditRecord.body)
        .where(*asked)
        .order_by(*(column.desc() for column in _ORDER))
        .limit(limit + 1)
    ).all()
    shown = rows[:limit]
    found = [Found(row[1], row[2], row[3].hex(), json.loads(row[4])) for row in shown]
    more = len(rows) > limit
    return Page(found, "{}/{}/{}".format(*shown[-1][:3]) if more else "")


def _older(after: str) -> list[ColumnElement[bool]]:
    """What comes after that place; the bound on time alone is what an index can use."""
    try:
        time, chain, sequence = after.split("/")
        place = (literal(time), literal(chain), literal(int(sequence)))
    except ValueError as error:
        raise MalformedError("This is no place in a search.", where="after") from error
    return [AuditRecord.time <= time, tuple_(*_ORDER) < tuple_(*place)]
