"""The second factor: codes of an authenticator (TOTP, RFC 6238), and recovery codes (N-40).

A secret is on file only when its first code was right. A code counts once: its time step is
kept. Recovery codes are shown once, kept as hashes, and each opens once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import pyotp
from sqlalchemy import Connection, Engine, select, update

from authz import clock
from authz.audit import log
from authz.errors import ConflictError, SettingError, UnauthenticatedError
from authz.service import confirming, console_key, sessions
from authz.service.database import reading, writing
from authz.service.sessions import Session
from authz.service.tables import SignIn
from authz.vocabulary import Event

STEP: Final = 30
DRIFT: Final = 1
"""Steps that a clock may be off, either way."""
CODES: Final = 10
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"


@dataclass(frozen=True, slots=True)
class Enrolled:
    """What setting up gives: the session's new token, and the recovery codes, shown once."""

    token: str
    recovery: Sequence[str]


def new_secret() -> str:
    """A secret that is not on file yet."""
    return pyotp.random_base32()


def address(secret: str, name: str) -> str:
    """What an authenticator reads from the picture (``otpauth:``)."""
    return pyotp.TOTP(secret).provisioning_uri(name=name, issuer_name="authz")


def enrol(
    store: Engine, folder: Path, session: Session, secret: str, code: str, *, password: str
) -> Enrolled:
    """Set up the second factor, its first code being right.

    UnauthenticatedError where code or password is not right, or where a factor is on file that
    this session has not shown: a password alone replaces no second factor.
    """
    if session.has_factor and not session.mfa:
        raise UnauthenticatedError("The second factor on file was not shown.", where="code")
    confirming.confirm(store, folder, session, password)
    now = clock.now()
    step = _step(secret, code, now, after=None)
    if step is None:
        raise UnauthenticatedError("The code is not right.", where="code")
    codes = [_recovery_code() for _ in range(CODES)]
    values = {
        "totp_secret": console_key.encrypt(folder, secret),
        "totp_step": step,
        "recovery_codes": [_hash(each) for each in codes],
    }
    with writing(store) as connection:
        before = _on_file(connection, session.name)
        connection.execute(update(SignIn).where(SignIn.name == session.name).values(values))
        token = sessions.rotate(connection, session, now, mfa=True)
        sessions.end_all(connection, session.name, but=token)
        _record(connection, session, before, {"second_factor": True, "recovery_codes": CODES})
    return Enrolled(token, codes)


def renew(store: Engine, folder: Path, session: Session, password: str) -> Sequence[str]:
    """New recovery codes, shown once; the old ones open nothing any more.

    UnauthenticatedError where the password is not right, ConflictError without a factor.
    """
    if not session.has_factor or not session.mfa:
        raise ConflictError("There is no second factor that this session has shown.")
    confirming.confirm(store, folder, session, password)
    codes = [_recovery_code() for _ in range(CODES)]
    with writing(store) as connection:
        before = _on_file(connection, session.name)
        connection.execute(
            update(SignIn)
            .where(SignIn.name == session.name)
            .values(recovery_codes=[_hash(each) for each in codes])
        )
        after = {"second_factor": True, "recovery_codes": CODES, "renewed": True}
        _record(connection, session, before, after)
    return codes


def left(store: Engine, session: Session) -> int:
    """How many recovery codes are left."""
    query = select(SignIn.recovery_codes).where(SignIn.name == session.name)
    with reading(store) as connection:
        return len(connection.scalar(query) or ())


def take(connection: Connection, folder: Path, name: str, code: str, now: datetime) -> bool:
    """Whether the code is right, which uses it up."""
    row = connection.execute(
        select(SignIn.totp_secret, SignIn.totp_step, SignIn.recovery_codes, SignIn.person)
        .where(SignIn.name == name)
        .with_for_update()
    ).one_or_none()
    if row is None or row.totp_secret is None:
        return False
    typed = "".join(code.split()).replace("-", "").lower()
    change = update(SignIn).where(SignIn.name == name)
    step = _step(_readable(folder, row.totp_secret), typed, now, after=row.totp_step)
    if step is not None:
        connection.execute(change.values(totp_step=step))
        return True
    kept = [each for each in row.recovery_codes if each != _hash(typed)]
    if len(kept) == len(row.recovery_codes):
        return False
    connection.execute(change.values(recovery_codes=kept))
    counts = ({"recovery_codes": len(row.recovery_codes)}, {"recovery_codes": len(kept)})
    entry = confirming.own_change(Event.SECOND_FACTOR_CHANGED, name, row.person, *counts)
    log.append(connection, [entry])
    return True


def _readable(folder: Path, kept: str) -> str:
    """The secret on file; none where it is under a key that was lost: a recovery code is left."""
    with suppress(SettingError):
        return console_key.decrypt(folder, kept)
    return ""


def _on_file(connection: Connection, name: str) -> dict[str, Any]:
    row = connection.execute(
        select(SignIn.totp_secret, SignIn.recovery_codes)
        .where(SignIn.name == name)
        .with_for_update()
    ).one()
    return {"second_factor": bool(row.totp_secret), "recovery_codes": len(row.recovery_codes)}


def _step(secret: str, code: str, now: datetime, *, after: int | None) -> int | None:
    """The time step whose code this is, if it was not taken yet; without a secret there is none."""
    if not secret:
        return None
    current = int(now.timestamp()) // STEP
    totp = pyotp.TOTP(secret, interval=STEP)
    for step in range(current - DRIFT, current + DRIFT + 1):
        right = secrets.compare_digest(totp.at(step * STEP).encode(), code.strip().encode())
        if right and (after is None or step > after):
            return step
    return None


def _recovery_code() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(16))


def shown(code: str) -> str:
    """A recovery code in groups of four, as people copy it."""
    return "-".join(code[at : at + 4] for at in range(0, len(code), 4))


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode()).hexdigest()


def _record(
    connection: Connection, session: Session, before: dict[str, Any], after: dict[str, Any]
) -> None:
    entry = confirming.own_change(
        Event.SECOND_FACTOR_CHANGED, session.name, session.person, before, after
    )
    log.append(connection, [entry])
