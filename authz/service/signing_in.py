"""Signing in to the screens: password, second factor, new password, signing out (N-40, N-45).

Each step is one function and one record. A record names the sign-in, never a password, a
code, a session or an address. Whether a sign-in exists cannot be told from the answer, nor
from how long it takes.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Select, or_, select, update

from authz import clock
from authz.audit import log
from authz.audit.record import Entry, Ref
from authz.directory.tables import Person
from authz.errors import MalformedError, SettingError, UnauthenticatedError
from authz.service import confirming, console_key, passwords, second_factor, sessions, throttle
from authz.service.database import reading, writing
from authz.service.sessions import Session
from authz.service.tables import SignIn
from authz.vocabulary import Event

HALF_SECONDS: Final = 300
"""How long after the password the code must come."""
HALF: Final = "half a session"
LONGEST_NAME: Final = 64


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
    A hash made under other parameters than today's is made anew.
    """
    key = console_key.secret(folder)
    counted = throttle.buckets(key, name[:LONGEST_NAME], attempt.address, attempt.device)
    with reading(store) as connection:
        throttle.check(connection, counted, clock.now())
        row = connection.execute(in_force(name)).one_or_none()
    right = passwords.verified(row.password_hash if row else "", password)
    if row is None or not right:
        raise turned_away(store, name if row else "", counted)
    kept = passwords.renewed(row.password_hash, password)
    return recognised(store, folder, row, attempt, counted=counted, rehashed=kept)


def recognised(
    store: Engine,
    folder: Path,
    row: Row[Any],
    attempt: Attempt,
    *,
    counted: tuple[str, ...] = (),
    rehashed: str | None = None,
    provider: str = "",
    mfa: bool = False,
) -> Step:
    """The session of a sign-in whose owner was recognised; half of one where a code is due.

    ``row`` is one of :func:`in_force`; ``mfa`` says that a provider saw a second factor.
    """
    code_is_due = bool(row.totp_secret) and not mfa
    if code_is_due and not rehashed:
        return Step(half=_half(folder, row.name, row.password_hash, provider))
    with writing(store) as connection:
        if rehashed:
            _rehash(connection, row, rehashed)
        if code_is_due:
            return Step(half=_half(folder, row.name, str(rehashed), provider))
        throttle.succeeded(connection, counted)
        return Step(token=_session(connection, row.name, attempt, provider, mfa=mfa))


def with_code(store: Engine, folder: Path, half: str, code: str, attempt: Attempt) -> str:
    """The session that the code makes whole; errors as with the password.

    SettingError where the half is too old, none of ours, or of a password that was changed.
    """
    said = console_key.decrypt(folder, half, purpose=HALF, seconds=HALF_SECONDS)
    name, proof, provider = json.loads(said)
    now = clock.now()
    counted = throttle.codes(console_key.secret(folder), name, attempt.device)
    with writing(store) as connection:
        # Locked, looked at, taken and counted in one transaction: no two guesses at a time.
        row = connection.execute(in_force(name).with_for_update(of=SignIn)).one_or_none()
        if row is None or _proof(row.password_hash) != proof:
            raise SettingError("The password was given too long ago.", where="code")
        throttle.check(connection, counted, now)
        if second_factor.take(connection, folder, name, code, now):
            throttle.succeeded(connection, counted)
            return _session(connection, name, attempt, provider, mfa=True)
        _count(connection, name, counted)
    raise _not_right()


def in_force(name: str) -> Select[Any]:
    """The sign-in of that name, if it may be used: not disabled, its person active."""
    return (
        select(*SignIn.__table__.c)
        .outerjoin(Person, Person.id == SignIn.person)
        .where(
            SignIn.name == name,
            SignIn.disabled_at.is_(None),
            or_(SignIn.person.is_(None), Person.status == "active"),
        )
    )


def change_password(store: Engine, folder: Path, session: Session, old: str, new: str) -> str:
    """Give oneself a new password: the session's new token. Every other session ends.

    UnauthenticatedError where the old one is not right, MalformedError where the new one
    will not do, TooManyError after many failures.
    """
    passwords.acceptable(session.name, new)
    confirming.confirm(store, folder, session, old)
    if old == new:
        raise MalformedError("The new password is the old one.", where="new")
    hashed = passwords.hashed(new)
    change = update(SignIn).where(SignIn.name == session.name)
    with writing(store) as connection:
        connection.execute(change.values(password_hash=hashed, must_change=False))
        token = sessions.rotate(connection, session, clock.now(), mfa=session.mfa)
        sessions.end_all(connection, session.name, but=token)
        _changed(connection, session.name, session.person, {"password": hashed})
    return token


def sign_out(store: Engine, session: Session, *, everywhere: bool = False) -> None:
    """End this session, or all of the sign-in."""
    with writing(store) as connection:
        if everywhere:
            sessions.end_all(connection, session.name)
        else:
            sessions.end(connection, session.token)
        _record(connection, Event.SIGNED_OUT, session.name, {"everywhere": everywhere})


def turned_away(store: Engine, name: str, counted: tuple[str, ...] = ()) -> UnauthenticatedError:
    """Count and record the failure; the error to raise, which never says what was wrong."""
    with writing(store) as connection:
        _count(connection, name, counted)
    return _not_right()


def _not_right() -> UnauthenticatedError:
    return UnauthenticatedError("Name, password or code is not right.", where="name")


def _count(connection: Connection, name: str, counted: tuple[str, ...]) -> None:
    throttle.failed(connection, counted, clock.now())
    _record(connection, Event.SIGN_IN_REFUSED, name, {})


def _session(
    connection: Connection, name: str, attempt: Attempt, provider: str, *, mfa: bool
) -> str:
    now = clock.now()
    browser = attempt.browser
    token = sessions.begin(connection, name, now, mfa=mfa, browser=browser, provider=provider)
    told = {"second_factor": mfa, **({"provider": provider} if provider else {})}
    _record(connection, Event.SIGNED_IN, name, told)
    return token


def _half(folder: Path, name: str, password_hash: str, provider: str) -> str:
    """Half a session, which ends when the password changes."""
    said = json.dumps([name, _proof(password_hash), provider])
    return console_key.encrypt(folder, said, purpose=HALF)


def _proof(password_hash: str) -> str:
    return hashlib.sha256(password_hash.encode()).hexdigest()[:32]


def _rehash(connection: Connection, row: Row[Any], hashed: str) -> None:
    same = SignIn.password_hash == row.password_hash  # or it was changed meanwhile
    change = update(SignIn).where(SignIn.name == row.name, same)
    connection.execute(change.values(password_hash=hashed))
    after = {"password": hashed, "same_password": True}
    _changed(connection, row.name, row.person, after)


def _changed(connection: Connection, name: str, person: str | None, after: dict[str, Any]) -> None:
    event = Event.PASSWORD_CHANGED
    entry = confirming.own_change(event, name, person, {"password": True}, after)
    log.append(connection, [entry])


def _record(connection: Connection, event: Event, name: str, detail: dict[str, Any]) -> None:
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
