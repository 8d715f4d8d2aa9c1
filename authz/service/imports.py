"""Roster imports, as the trail tells them: counts for all, rows for who oversees (N-02, N-42)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from authz.audit import search as trail
from authz.errors import NotFoundError
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.vocabulary import Event

LIMIT = 30
MOST_ROWS = 500
CHANGED = ("added", "changed", "ended", "returned")


@dataclass(frozen=True, slots=True)
class Import:
    """One import: when, by whom, from which source, and its counts by table."""

    id: str
    at: str
    who: str
    why: str
    source: str
    tables: Mapping[str, Mapping[str, int]]
    changed: int
    detail: Mapping[str, Any]


def listed(point: DecisionPoint, after: str = "") -> tuple[list[Import], str]:
    """The imports, newest first, and what asks for the next page."""
    with reading(point.store) as connection:
        page = trail.search(connection, event=Event.ROSTER_IMPORTED, limit=LIMIT, after=after)
    return [_import(found) for found in page.records], page.after


def _import(found: trail.Found) -> Import:
    detail = found.record.get("detail", {})
    # The tally of birth dates has the name of a value of people, and is masked.
    tables = {k: v for k, v in detail.get("tables", {}).items() if isinstance(v, Mapping)}
    return Import(
        id=found.record["time"],
        at=found.record["time"],
        who=detail.get("who", ""),
        why=detail.get("why", ""),
        source=found.record.get("resource", {}).get("id", ""),
        tables=tables,
        changed=sum(tally.get(how, 0) for tally in tables.values() for how in CHANGED),
        detail=detail,
    )


def report(point: DecisionPoint, ident: str, *, rows: bool) -> tuple[Import, list[dict[str, Any]]]:
    """One import, the newest where none is named; NotFoundError where there is none.

    For who oversees, also the rows that it changed, up to a number.
    """
    asked: dict[str, Any] = _moment(ident) if ident else {}
    with reading(point.store) as connection:
        whole = trail.search(connection, event=Event.ROSTER_IMPORTED, limit=1, **asked).records
        if not whole:
            raise NotFoundError("There is no such import.", where=ident)
        found = _import(whole[0])
        changed = (
            trail.search(
                connection, event=Event.ROSTER_CHANGED, limit=100, **_moment(found.id)
            ).records
            if rows
            else []
        )
    told = [
        {"table": each.record["detail"].get("table", ""), "how": each.record["action"], **row}
        for each in changed
        for row in each.record["detail"].get("rows", ())
    ]
    return found, told[:MOST_ROWS]


def _moment(ident: str) -> dict[str, Any]:
    try:
        at = datetime.fromisoformat(ident)
    except ValueError as error:
        raise NotFoundError("There is no such import.", where=ident) from error
    if at.tzinfo is None:
        raise NotFoundError("There is no such import.", where=ident)
    return {"since": at, "until": at + timedelta(microseconds=1)}
