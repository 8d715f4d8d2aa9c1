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


def begin(connection: Connection, name: str, now: datetime, *, mfa: bool, browser: str) -> str:
    """A new session; what the browser is to hold."""
    token = secrets.token_urlsafe(32)
    connection.execute(
        insert(ConsoleSession).values(
            id_hash=_hash(token),
            name=name,
            mfa=mfa,
            created_at=now,
            seen_at=now,
            expires_at=now + LONGEST,
            browser=browser,
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
                SignIn.person,
                SignIn.totp_secret.is_not(None),
                SignIn.must_change,
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
    name, mfa, seen_at, person, has_factor, must_change = row
    if seen_at < now - TOUCH:
        with writing(store) as connection:
            connection.execute(
                update(ConsoleSession)
                .where(ConsoleSession.id_hash == _hash(token))
                .values(seen_at=now)
            )
    return Session(token, name, person or "", bool(mfa), bool(has_factor), bool(must_change))


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
    """One open session, as its owner sees it."""

    browser: str
    created_at: datetime
    seen_at: datetime
    current: bool


def listed(store: Engine, session: Session, now: datetime) -> list[Open]:
    """The sessions of the sign-in that are good now, the newest first."""
    with reading(store) as connection:
        rows = connection.execute(
            select(
                ConsoleSession.browser,
                ConsoleSession.created_at,
                ConsoleSession.seen_at,
                ConsoleSession.id_hash == _hash(session.token),
            )
            .where(
                ConsoleSession.name == session.name,
                ConsoleSession.expires_at > now,
                ConsoleSession.seen_at > now - IDLE,
            )
            .order_by(ConsoleSession.seen_at.desc())
        ).all()
    return [Open(browser, created, seen, bool(own)) for browser, created, seen, own in rows]


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
