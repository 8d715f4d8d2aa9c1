"""Records of the trail for screens: of one person, or of all; a page at a time (N-49).

What the trail itself does not look up (the category) is held against each record here. So a
page may hold fewer records than it could, and ``after`` says whether there is more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine, func, select

from authz.audit.tables import AuditCheckpoint, AuditHead
from authz.directory import tables as t
from authz.service import trail, verified
from authz.service.database import reading
from authz.service.exploring.names import Names, names
from authz.service.verified import Verified

PAGE: Final = 50
LOOKS: Final = 5
"""How many pages of the trail are gone through for one page of a category."""


@dataclass(frozen=True, slots=True)
class Records:
    """Some records, newest first, and the names of the people in them."""

    records: tuple[Mapping[str, Any], ...]
    after: str
    names: Names


@dataclass(frozen=True, slots=True)
class State:
    """Where the trail stands: its records, the newest checkpoint, and what that covers.

    ``verified`` is the last time that all of it was verified.
    """

    records: int
    chains: int
    checkpoint_at: datetime | None
    covered: int
    verified: Verified | None


def records(
    store: Engine, by: str, *, category: str = "", after: str = "", **asked: Any
) -> Records:
    """A page of the records that fit; MalformedError where ``after`` is no place."""
    given = {name: value for name, value in asked.items() if value not in (None, "")}
    found: list[dict[str, Any]] = []
    for _ in range(LOOKS):
        page = trail.search(store, by=by, limit=PAGE, after=after, **given)
        for each in page.records:
            resource = each.record.get("resource") or {}
            if not category or resource.get("type") == category:
                found.append({**each.record, "chain": each.chain, "sequence": each.sequence})
        after = page.after
        if not after or len(found) >= PAGE or not category:
            break
    return Records(tuple(found), after, _names(store, found))


def state(store: Engine) -> State:
    """Where the trail stands now."""
    c, head = AuditCheckpoint, AuditHead
    with reading(store) as connection:
        total = connection.execute(select(func.sum(head.sequence), func.count())).one()
        newest = select(c.time, c.size).order_by(c.time.desc()).limit(1)
        last = connection.execute(newest).first()
    moment = datetime.fromisoformat(last[0]) if last else None
    seen = verified.last(store)
    return State(int(total[0] or 0), total[1], moment, last[1] if last else 0, seen)


def _names(store: Engine, found: list[dict[str, Any]]) -> Names:
    """The people of the records: whoever asked, and whose data it was."""
    idents = {
        part["id"] for record in found for part in (record.get("subject"), record.get("resource"))
        if part and "id" in part
    }  # fmt: skip
    with reading(store) as connection:
        return names(connection, {t.Person: idents})
