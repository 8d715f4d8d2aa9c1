"""What a line of facts did to the fact of its key, as a record tells it (N-49)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from authz.directory.recording.lines import Fact

ORIGIN = "fact"
LIST = "list"
"""Under this name a record has what stands in a table of its own: persons or members."""
Row = dict[str, Any]
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """What a line did to the fact of its key; values as JSON can hold them."""

    fact: Fact
    before: Row | None
    after: Row

    @property
    def people(self) -> set[str]:
        """The persons whom the fact names or named, and the members of a recipient."""
        kind, found = self.fact.kind, {self.fact.about} - {""}
        named = {
            member.column or name
            for name, member in kind.members.items()
            if member.refers == "person" and member.stored
        }
        for row in (self.before or {}, self.after):
            found.update(str(row[name]) for name in named if row.get(name))
            found.update(row.get(LIST, ()))
        return found


@dataclass(frozen=True, slots=True)
class Author:
    """Who puts the facts on file, why, and when (N-02, N-43)."""

    by: str
    because: str
    now: datetime

    def recorded(self) -> Row:
        """The columns of a row that say so."""
        return {
            "recorded_at": self.now,
            "recorded_by": self.by,
            "recorded_because": self.because,
        }


def listed(row: Row | None, children: list[str] | None) -> Row:
    """The list of a row, under its name in records; nothing where it is empty."""
    return {LIST: sorted(children)} if row is not None and children else {}


def with_schools(changes: list[Change], before: Mapping[str, set[str]]) -> list[Change]:
    """The changes of people, with the schools that they belong to by these facts."""
    standing = {person: sorted(schools) for person, schools in before.items()}
    told = []
    for change in changes:
        fact, was = change.fact, standing.get(change.fact.about, [])
        now = was if fact.delete else sorted(fact.values.get("schools", was))
        standing[fact.about] = now
        old = {**change.before, **_some(was)} if change.before is not None else None
        told.append(Change(fact, old, {**change.after, **_some(now)}))
    return told


def _some(schools: list[str]) -> Row:
    return {"schools": schools} if schools else {}


def shown(row: Row | None, listed: Row) -> Row | None:
    """A row as an audit record may hold it: what is set, as JSON values."""
    if row is None:
        return None
    kept = {
        name: value.isoformat() if isinstance(value, date | datetime) else value
        for name, value in row.items()
        if value not in (None, "") and not name.startswith("recorded_") and name != "origin"
    }
    return {**kept, **listed}
