"""The tree of schools, and who administers what: for scopes and for finding reviewers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, or_, select

from authz.directory import tables as t
from authz.directory.held import in_force
from authz.vocabulary import Role


def living(table: Any, now: datetime) -> ColumnElement[bool]:
    """On file, not ended, and not past its last day; what is yet to begin is living too."""
    return and_(table.ended_at.is_(None), or_(table.valid_until.is_(None), table.valid_until > now))


@dataclass(frozen=True)
class Schools:
    """Organisations that are on file: their names, what is above them, who administers them."""

    parents: Mapping[str, str]
    names: Mapping[str, str]
    admins: Mapping[str, tuple[str, ...]]

    @cached_property
    def _children(self) -> Mapping[str, tuple[str, ...]]:
        found: dict[str, list[str]] = defaultdict(list)
        for child, parent in self.parents.items():
            found[parent].append(child)
        return {parent: tuple(children) for parent, children in found.items()}

    def below(self, organisation: str) -> frozenset[str]:
        """It and all below it; a loop in the tree ends by itself."""
        found, waiting = {organisation}, [organisation]
        while waiting:
            for child in self._children.get(waiting.pop(), ()):
                if child not in found:
                    found.add(child)
                    waiting.append(child)
        return frozenset(found)

    def line(self, organisation: str) -> list[tuple[str, ...]]:
        """The administrators of it, of what is above it, and so on up."""
        found, seen = [], set[str]()
        while organisation and organisation not in seen:
            seen.add(organisation)
            found.append(self.admins.get(organisation, ()))
            organisation = self.parents.get(organisation, "")
        return found

    def administered_by(self, person: str) -> frozenset[str]:
        """The organisations that somebody administers, with all below them."""
        own = [place for place, people in self.admins.items() if person in people]
        return frozenset().union(*(self.below(place) for place in own))


def read(connection: Connection, now: datetime) -> Schools:
    """The tree as it is now."""
    organisation = t.Organisation
    rows = connection.execute(
        select(organisation.id, organisation.parent, organisation.name)
        .where(organisation.ended_at.is_(None))
        .order_by(organisation.name, organisation.id)
    ).all()
    admins: dict[str, dict[str, None]] = defaultdict(dict)
    held = connection.execute(
        select(t.Grant.organisation, t.Grant.person)
        .join(t.Person, t.Person.id == t.Grant.person)
        .where(
            t.Grant.organisation.is_not(None),
            in_force(now, [Role.SCHOOL_ADMIN]),
            t.Person.status == "active",
        )
        .order_by(t.Grant.recorded_at, t.Grant.person)
    ).all()
    for place, person in held:
        admins[str(place)][person] = None
    return Schools(
        parents={row.id: row.parent or "" for row in rows},
        names={row.id: row.name for row in rows},
        admins={place: tuple(people) for place, people in admins.items()},
    )
