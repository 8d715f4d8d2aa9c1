"""Whoever runs the platform becomes nobody who oversees it, or was granted a role (N-44, N-45).

Who adds a sign-in, links an account to one, invites its owner or resets it holds a way in for a
moment. In the screens a second person gives it (:mod:`.ways_in`), and nobody does for whoever
holds more than they are given by a roster: a way in to a granted role comes from the operator, at
the command line. A lost password of such a person may be reset in the screens, with the second
person, but not of one who oversees.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Final

from sqlalchemy import Connection, select

from authz.directory.held import in_force
from authz.directory.tables import Grant
from authz.errors import ForbiddenError
from authz.service.tables import SignIn
from authz.vocabulary import Role

OVERSEEING: Final = (Role.DPO, Role.AUDITOR, Role.PLATFORM_ADMIN)


def refuse(
    connection: Connection,
    person: str | None,
    at: datetime,
    roles: Collection[Role] = (),
    *,
    auditor: bool = False,
) -> None:
    """ForbiddenError where the person holds one of these roles; without any named, one at all.

    ``auditor`` says that the person becomes one with a password that is shown.
    """
    holds = select(Grant.id).where(Grant.person == person, in_force(at, roles)).limit(1)
    if auditor or (person and connection.scalar(holds) is not None):
        raise ForbiddenError(
            "Who was granted a role gets a way in from the operator.",
            where="person",
            hint="Use `authz user` at the command line.",
        )


def refuse_of(
    connection: Connection, name: str, at: datetime, roles: Collection[Role] = ()
) -> None:
    """The same of the person who signs in by that name."""
    owner = connection.scalar(select(SignIn.person).where(SignIn.name == name))
    refuse(connection, owner, at, roles)
