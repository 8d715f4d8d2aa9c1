"""Separation of duties: roles that a pack keeps apart, looked for in whoever holds them (N-44).

Whoever grants a role, in the screens or with a sign-in, or takes its end back, grants it only
where it does not meet another one. A facts file is the operator's and is put on file as it
is; what meets there is told at once, and flagged in every review.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, or_, select

from authz.decision.catalogue import Catalogue, Separation
from authz.directory.tables import Grant
from authz.errors import SeparationError


@dataclass(frozen=True, slots=True)
class Conflict:
    """Roles of one person that the pack keeps apart, and what it says about them."""

    person: str
    roles: tuple[str, ...]
    rule: Separation


def conflicts(
    connection: Connection, catalogue: Catalogue, people: Iterable[str], at: datetime
) -> Mapping[str, list[Conflict]]:
    """What meets in these people at that moment; who has no conflict is left out."""
    found: dict[str, list[Conflict]] = defaultdict(list)
    for person, roles in _held(connection, people, at).items():
        for rule in catalogue.separation:
            both = tuple(role for role in rule.roles if role in roles)
            if len(both) > 1:
                found[person].append(Conflict(person, both, rule))
    return dict(found)


def check(
    connection: Connection, catalogue: Catalogue, person: str, role: str, at: datetime
) -> None:
    """SeparationError where the person must not be given that role, for one they hold."""
    held = _held(connection, [person], at).get(person, set())
    for rule in catalogue.separation:
        others = sorted(held & set(rule.roles) - {role})
        if role in rule.roles and others:
            raise SeparationError(
                f"Who holds {', '.join(others)} must not hold {role} as well.",
                where=rule.id,
                hint=rule.title.get("en", ""),
            )


def _held(connection: Connection, people: Iterable[str], at: datetime) -> dict[str, set[str]]:
    """The roles granted to these people that have not ended; one to come counts as well."""
    wanted = list(dict.fromkeys(people))
    held: dict[str, set[str]] = defaultdict(set)
    for start in range(0, len(wanted), 500):
        rows = connection.execute(
            select(Grant.person, Grant.role).where(
                Grant.person.in_(wanted[start : start + 500]),
                Grant.ended_at.is_(None),
                or_(Grant.valid_until.is_(None), Grant.valid_until > at),
            )
        )
        for person, role in rows:
            held[person].add(role)
    return held
