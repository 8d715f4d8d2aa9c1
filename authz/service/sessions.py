"""Sessions of the screens: they rotate, expire, and end everywhere at once (N-40, N-42).

The browser holds 32 bytes of chance, the store their hash. A session is good while its row
is there, neither time has run out, the sign-in is in force and its person is active.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, Engine, delete, insert, select, update

from authz.directory.tables import Person
from authz.service.database import reading, writing
from authz.service.tables import ConsoleSession, SignIn

IDLE: Final = timedelta(minutes=30)
LONGEST: Final = timedelta(hours=12)
TOUCH: Final = timedelta(minutes=1)
"""A session in use is noted no oftener than this: reading a page writes nothing mostly."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody signed in. ``person`` is empty where the sign-in belongs to nobody on file."""

    token: str
    name: str
    person: str
    mfa: bool
    has_factor: bool
    must_change: bool
    has_password: bool
    provider: str
    """The issuer where they signed in; empty for a password."""
    created_at: datetime


def begin(
    connection: Connection,
    name: str,
    now: datetime,
    *,
    mfa: bool,
    browser: str,
    provider: str = "",
) -> str:
    """A new session; what the browser is to hold. Those that ran out are cleared away."""
    token = secrets.token_urlsafe(32)
    connection.execute(delete(ConsoleSession).where(ConsoleSession.expires_at <= now))
    connection.execute(
        insert(ConsoleSession).values(
            id_hash=_hash(token),
            name=name,
            mfa=mfa,
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST,
            browser=browser,
            provider=provider,
        )
    )
    return token


def find(store: Engine, token: str, now: datetime) -> Session | None:
    """The session of this token, if it is good now; its use is noted."""
    with reading(store) as connection:
        row = connection.execute(
            select(
                ConsoleSession.name,
                ConsoleSession.mfa,
                ConsoleSession.seen_at,
                ConsoleSession.created_at,
                ConsoleSession.provider,
                SignIn.person,
                SignIn.totp_secret.is_not(None),
                SignIn.must_change,
                SignIn.password_hash != "",
            )
            .join(SignIn, SignIn.name == ConsoleSession.name)
            .outerjoin(Person, Person.id == SignIn.person)
            .where(
                ConsoleSession.id_hash == _hash(token),
                ConsoleSession.expires_at > now,
                ConsoleSession.seen_at > now - IDLE,
                SignIn.disabled_at.is_(None),
                SignIn.person.is_(None) | (Person.status == "active"),
            )
        ).one_or_none()
    if row is None:
        return None
    if row.seen_at < now - TOUCH:
        with writing(store) as connection:
            connection.execute(
                update(ConsoleSession)
                .where(ConsoleSession.id_hash == _hash(token))
                .values(seen_at=now)
            )
    name, mfa, _seen, created_at, provider, person, has_factor, must_change, has_password = row
    return Session(
        token=token,
        name=name,
        person=person or "",
        mfa=bool(mfa),
        has_factor=bool(has_factor),
        # Whoever came from a provider has no use for a password that was made for them.
        must_change=bool(must_change) and not provider,
        has_password=bool(has_password),
        provider=provider,
        created_at=created_at,
    )


def rotate(connection: Connection, session: Session, now: datetime, *, mfa: bool) -> str:
    """The same session under a new token, after its rights changed."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        update(ConsoleSession)
        .where(ConsoleSession.id_hash == _hash(session.token))
        .values(id_hash=_hash(token), mfa=mfa, seen_at=now)
    )
    return token


def end(connection: Connection, token: str) -> None:
    """End one session."""
    connection.execute(delete(ConsoleSession).where(ConsoleSession.id_hash == _hash(token)))


def end_all(connection: Connection, name: str, *, but: str = "") -> int:
    """End every session of a sign-in, except one if it is told; how many there were."""
    gone = connection.execute(
        delete(ConsoleSession).where(
            ConsoleSession.name == name, ConsoleSession.id_hash != _hash(but)
        )
    )
    return gone.rowcount


@dataclass(frozen=True, slots=True)
class Open:
    """One open session, as its owner or an operator sees it."""

    browser: str
    created_at: datetime
    seen_at: datetime
    current: bool


def listed(store: Engine, name: str, now: datetime, *, token: str = "") -> list[Open]:
    """The sessions of the sign-in that are good now, the newest first.

    ``token`` is of the session that looks at them, where it is one of them.
    """
    with reading(store) as connection:
        rows = connection.execute(
            select(
                ConsoleSession.browser,
                ConsoleSession.created_at,
                ConsoleSession.seen_at,
                ConsoleSession.id_hash == _hash(token),
            )
            .where(
                ConsoleSession.name == name,
                ConsoleSession.expires_at > now,
                ConsoleSession.seen_at > now - IDLE,
            )
            .order_by(ConsoleSession.seen_at.desc())
        ).all()
    return [Open(browser, created, seen, bool(own)) for browser, created, seen, own in rows]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
