"""Signing in to the screens: password, second factor, new password, signing out (N-40, N-45).

Each step is one function and one record. A record names the sign-in, never a password, a
code, a session or an address. Whether a sign-in exists cannot be told from the answer, nor
from how long it takes.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, Engine, select, update

from authz import clock
from authz.audit import log
from authz.audit.record import Entry, Ref
from authz.errors import MalformedError, UnauthenticatedError
from authz.service import console_key, second_factor, sessions, throttle
from authz.service.database import reading, writing
from authz.service.sessions import Session
from authz.service.tables import SignIn
from authz.vocabulary import Event

SHORTEST: Final = 12
LONGEST: Final = 200
"""Characters of a password: the least that guessing does not reach, the most that is hashed."""

HALF_SECONDS: Final = 300
"""How long after the password the code must come."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """Where an attempt comes from. ``device`` is a browser in which its owner signed in before."""

    address: str
    device: str | None
    browser: str


@dataclass(frozen=True, slots=True)
class Step:
    """What a right password gives: a session's token, or half of one that a code makes whole."""

    token: str = ""
    half: str = ""


def with_password(store: Engine, folder: Path, name: str, password: str, attempt: Attempt) -> Step:
    """A session, or half of one where a second factor is on file.

    UnauthenticatedError where name or password is wrong, TooManyError after many failures.
    """
    now = clock.now()
    counted = _counted(store, folder, name, attempt)
    with reading(store) as connection:
        row = connection.execute(
            select(SignIn.password_hash, SignIn.totp_secret).where(
                SignIn.name == name, SignIn.disabled_at.is_(None)
            )
        ).one_or_none()
    right = _verified(row.password_hash if row else _nobodys(), password[:LONGEST])
    if row is None or not right:
        raise _refused(store, name if row else "", counted)
    if row.totp_secret:
        return Step(half=console_key.encrypt(folder, name))
    with writing(store) as connection:
        return Step(token=_begin(connection, name, counted, attempt, now, mfa=False))


def with_code(store: Engine, folder: Path, half: str, code: str, attempt: Attempt) -> str:
    """The session that the code makes whole; errors as with the password.

    SettingError where the half is too old, or none of ours.
    """
    name = console_key.decrypt(folder, half, seconds=HALF_SECONDS)
    now = clock.now()
    counted = _counted(store, folder, name, attempt)
    with writing(store) as connection:
        if second_factor.take(connection, folder, name, code, now):
            return _begin(connection, name, counted, attempt, now, mfa=True)
    raise _refused(store, name, counted)


def _counted(store: Engine, folder: Path, name: str, attempt: Attempt) -> tuple[str, str]:
    key = console_key.secret(folder)
    counted = throttle.buckets(key, name, attempt.address, attempt.device)
    with reading(store) as connection:
        throttle.check(connection, counted, clock.now())
    return counted


def _begin(
    connection: Connection,
    name: str,
    counted: tuple[str, str],
    attempt: Attempt,
    now: datetime,
    *,
    mfa: bool,
) -> str:
    throttle.succeeded(connection, counted)
    token = sessions.begin(connection, name, now, mfa=mfa, browser=attempt.browser)
    _record(connection, Event.SIGNED_IN, name, {"second_factor": mfa})
    return token


def change_password(store: Engine, session: Session, old: str, new: str) -> None:
    """Give oneself a new password; every other session of the sign-in ends."""
    acceptable(session.name, new)
    with reading(store) as connection:
        kept = connection.scalar(select(SignIn.password_hash).where(SignIn.name == session.name))
    if kept is None or not _verified(kept, old[:LONGEST]):
        raise UnauthenticatedError("The present password is not right.", where="old")
    if old == new:
        raise MalformedError("The new password is the old one.", where="new")
    hashed = PasswordHasher().hash(new)
    with writing(store) as connection:
        connection.execute(
            update(SignIn)
            .where(SignIn.name == session.name)
            .values(password_hash=hashed, must_change=False)
        )
        sessions.end_all(connection, session.name, but=session.token)
        _record(connection, Event.PASSWORD_CHANGED, session.name, {})


def acceptable(name: str, password: str) -> None:
    """MalformedError unless the password is long enough and is not the name again."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise MalformedError(f"A password has {SHORTEST} to {LONGEST} characters.", where="new")
    if name.lower() in password.lower() or len(set(password)) < SHORTEST // 2:
        raise MalformedError("The password is too easy to guess.", where="new")


def sign_out(store: Engine, session: Session, *, everywhere: bool = False) -> None:
    """End this session, or all of the sign-in."""
    with writing(store) as connection:
        if everywhere:
            sessions.end_all(connection, session.name)
        else:
            sessions.end(connection, session.token)
        _record(connection, Event.SIGNED_OUT, session.name, {"everywhere": everywhere})


def _verified(kept: str, password: str) -> bool:
    try:
        return PasswordHasher().verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


@cache
def _nobodys() -> str:
    """A hash that no password has, so that an unknown name costs the same time."""
    return PasswordHasher().hash(secrets.token_urlsafe(32))


def _refused(store: Engine, name: str, counted: tuple[str, str]) -> UnauthenticatedError:
    """Count and record the failure; the error to raise, which never says what was wrong."""
    with writing(store) as connection:
        throttle.failed(connection, counted, clock.now())
        _record(connection, Event.SIGN_IN_REFUSED, name, {})
    return UnauthenticatedError("Name, password or code is not right.", where="name")


def _record(connection: Connection, event: Event, name: str, detail: dict[str, object]) -> None:
    log.append(
        connection,
        [
            Entry(
                event=event,
                time=clock.now(),
                application="authz-console",
                subject=Ref("sign_in", name) if name else None,
                action=event.value,
                resource=Ref("sign_in", name) if name else None,
                detail={"who": name, **detail},
            )
        ],
    )
