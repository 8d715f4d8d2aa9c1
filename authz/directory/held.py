"""Roles in force, as a condition of any statement about grants (2.4).

A grant counts from its begin to its end, and where the organisation that it names has not
ended. Whoever asks which roles somebody holds asks it here, so that no list of people to be
asked, told or counted knows somebody whom the decision point would not.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, or_, select

from authz.directory.tables import Grant, Organisation
from authz.vocabulary import Role


def in_force(
    now: datetime, roles: Iterable[Role] = (), *, everywhere: bool = False
) -> ColumnElement[bool]:
    """That a row of :class:`Grant` is in force; of these roles, where some are named.

    ``everywhere`` leaves out what is held at one organisation only.
    """
    named = sorted(role.value for role in roles)
    gone = select(Organisation.id).where(
        Organisation.id == Grant.organisation, Organisation.ended_at.is_not(None)
    )
    tests = [
        Grant.ended_at.is_(None),
        or_(Grant.valid_from.is_(None), Grant.valid_from <= now),
        or_(Grant.valid_until.is_(None), Grant.valid_until > now),
        Grant.organisation.is_(None) if everywhere else ~exists(gone),
    ]
    return and_(*tests, *([Grant.role.in_(named)] if named else []))
