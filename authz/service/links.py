"""Whose account at a provider opens which sign-in: linked, invited, entered (N-40, N-45).

An account is its issuer and its subject, never an address of e-mail. An operator links one,
or invites: whoever holds the invitation links their own account, once. Somebody whom nobody
linked is refused in the same words as a wrong password.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, delete, insert, select

from authz import clock
from authz.audit.record import Ref
from authz.errors import ConflictError, MalformedError, NotFoundError
from authz.service import changing, sessions, signing_in
from authz.service.changing import By
from authz.service.database import reading, writing
from authz.service.providers import LONGEST, Identity
from authz.service.signing_in import Attempt, Step
from authz.service.tables import SignIn, SignInInvitation, SignInLink
from authz.vocabulary import Event

INVITED: Final = timedelta(days=7)
ACCEPTED: Final = "invitation accepted"


class Link(NamedTuple):
    """An account at a provider that opens a sign-in."""

    issuer: str
    subject: str
    linked_at: datetime
    linked_by: str


def link(
    store: Engine,
    name: str,
    *,
    issuer: str,
    subject: str,
    by: str,
    because: str = "",
) -> None:
    """Let an account at a provider open a sign-in.

    NotFoundError where there is no such sign-in in force, ConflictError where the account
    opens one already, MalformedError where it is none.
    """
    with writing(store) as connection:
        linked(connection, By.now(by, because), name, issuer, subject)


def unlink(
    store: Engine, name: str, *, issuer: str, subject: str, by: str, because: str = ""
) -> None:
    """Let that account open the sign-in no more; its sessions end. NotFoundError if it did not."""
    found = (SignInLink.name == name, SignInLink.issuer == issuer, SignInLink.subject == subject)
    with writing(store) as connection:
        if not connection.execute(delete(SignInLink).where(*found)).rowcount:
            raise NotFoundError("There is no such link.", where=name)
        sessions.end_all(connection, name)
        before = {"issuer": issuer, "subject": subject}
        _record(connection, Event.USER_LINKED, By.now(by, because), name, before, {})


def invite(store: Engine, name: str, *, by: str, because: str = "") -> str:
    """A text of chance with which its holder links their account, once, within a week.

    An earlier invitation to the same sign-in ends. NotFoundError without a sign-in in force.
    """
    with writing(store) as connection:
        return inviting(connection, By.now(by, because), name)


def inviting(connection: Connection, author: By, name: str) -> str:
    """The same within a transaction."""
    text, until = secrets.token_urlsafe(32), author.at + INVITED
    _in_force(connection, name)
    ended = (SignInInvitation.name == name) | (SignInInvitation.expires_at <= author.at)
    connection.execute(delete(SignInInvitation).where(ended))
    connection.execute(
        insert(SignInInvitation).values(
            id_hash=_hash(text), name=name, invited_by=author.who, expires_at=until
        )
    )
    after = {"invited": True, "until": until.isoformat()}
    _record(connection, Event.USER_INVITED, author, name, {}, after)
    return text


def invited(store: Engine, text: str) -> str:
    """The sign-in to which somebody is invited; NotFoundError where the invitation ended."""
    with reading(store) as connection:
        name = connection.scalar(_invitation(text))
    if name is None:
        raise NotFoundError("The invitation was used, or has ended.", where="invitation")
    return str(name)


def of(store: Engine, name: str) -> list[Link]:
    """The accounts that open a sign-in."""
    columns = (SignInLink.issuer, SignInLink.subject, SignInLink.linked_at, SignInLink.linked_by)
    with reading(store) as connection:
        rows = connection.execute(
            select(*columns).where(SignInLink.name == name).order_by(SignInLink.linked_at)
        )
        return [Link(*row) for row in rows]


def enter(
    store: Engine, folder: Path, who: Identity, attempt: Attempt, invitation: str = ""
) -> tuple[str, Step]:
    """The sign-in that this account opens, and its session; half of one where a code is due.

    With an invitation the account is linked first. UnauthenticatedError where it opens none.
    """
    if invitation:
        _accept(store, who, invitation)
    query = select(SignInLink.name).where(
        SignInLink.issuer == who.issuer, SignInLink.subject == who.subject
    )
    with reading(store) as connection:
        name = connection.scalar(query)
        row = connection.execute(signing_in.in_force(name)).one_or_none() if name else None
    if row is None:
        raise signing_in.turned_away(store, name or "")
    step = signing_in.recognised(store, folder, row, attempt, provider=who.issuer, mfa=who.mfa)
    return str(name), step


def _accept(store: Engine, who: Identity, text: str) -> None:
    with writing(store) as connection:
        name = connection.scalar(_invitation(text))
        used = delete(SignInInvitation).where(SignInInvitation.id_hash == _hash(text))
        if name is None or not connection.execute(used).rowcount:
            raise NotFoundError("The invitation was used, or has ended.", where="invitation")
        linked(connection, By.now(name, ACCEPTED), name, who.issuer, who.subject)


def linked(connection: Connection, author: By, name: str, issuer: str, subject: str) -> None:
    """Let an account open a sign-in, within a transaction; errors as of :func:`link`."""
    if not issuer or not 0 < len(subject) <= LONGEST:
        raise MalformedError("It needs an issuer and a subject.", where="subject")
    _in_force(connection, name)
    key = (SignInLink.issuer == issuer, SignInLink.subject == subject)
    if connection.scalar(select(SignInLink.name).where(*key)) is not None:
        raise ConflictError("That account opens a sign-in already.", where=name)
    connection.execute(
        insert(SignInLink).values(
            issuer=issuer,
            subject=subject,
            name=name,
            linked_at=author.at,
            linked_by=author.who,
        )
    )
    after = {"issuer": issuer, "subject": subject}
    _record(connection, Event.USER_LINKED, author, name, {}, after)


def _in_force(connection: Connection, name: str) -> None:
    if connection.execute(signing_in.in_force(name)).one_or_none() is None:
        raise NotFoundError("There is no such sign-in in force.", where=name)


def _invitation(text: str) -> Any:
    return select(SignInInvitation.name).where(
        SignInInvitation.id_hash == _hash(text), SignInInvitation.expires_at > clock.now()
    )


def _record(
    connection: Connection,
    event: Event,
    author: By,
    name: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    person = connection.scalar(select(SignIn.person).where(SignIn.name == name))
    people = [person] if person else []
    resource = Ref("sign_in", name)
    changing.record(
        connection, [changing.changed(event, author, resource, before, after, people=people)]
    )


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
