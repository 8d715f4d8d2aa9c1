"""The second factor: codes of an authenticator (TOTP, RFC 6238), and recovery codes (N-40).

A secret is on file only when its first code was right. A code counts once: its time step is
kept. Recovery codes are shown once, kept as hashes, and each opens once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import pyotp
from sqlalchemy import Connection, Engine, select, update

from authz import clock
from authz.audit import log
from authz.audit.record import Entry, Ref
from authz.errors import UnauthenticatedError
from authz.service import console_key, sessions
from authz.service.database import writing
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


def enrol(store: Engine, folder: Path, session: Session, secret: str, code: str) -> Enrolled:
    """Set up the second factor, its first code being right; UnauthenticatedError else."""
    now = clock.now()
    step = _step(secret, code, now, after=None)
    if step is None:
        raise UnauthenticatedError("The code is not right.", where="code")
    codes = [_recovery_code() for _ in range(CODES)]
    with writing(store) as connection:
        connection.execute(
            update(SignIn)
            .where(SignIn.name == session.name)
            .values(
                totp_secret=console_key.encrypt(folder, secret),
                totp_step=step,
                recovery_codes=[_hash(each) for each in codes],
            )
        )
        token = sessions.rotate(connection, session, now, mfa=True)
        sessions.end_all(connection, session.name, but=token)
        _record(connection, session.name, "set")
    return Enrolled(token, codes)


def take(connection: Connection, folder: Path, name: str, code: str, now: datetime) -> bool:
    """Whether the code is right, which uses it up."""
    row = connection.execute(
        select(SignIn.totp_secret, SignIn.totp_step, SignIn.recovery_codes)
        .where(SignIn.name == name)
        .with_for_update()
    ).one()
    typed = "".join(code.split()).replace("-", "").lower()
    change = update(SignIn).where(SignIn.name == name)
    step = _step(console_key.decrypt(folder, row.totp_secret), typed, now, after=row.totp_step)
    if step is not None:
        connection.execute(change.values(totp_step=step))
        return True
    left = [each for each in row.recovery_codes if each != _hash(typed)]
    if len(left) == len(row.recovery_codes):
        return False
    connection.execute(change.values(recovery_codes=left))
    _record(connection, name, "recovery_code_used")
    return True


def _step(secret: str, code: str, now: datetime, *, after: int | None) -> int | None:
    """The time step whose code this is, if it was not taken yet."""
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


def _record(connection: Connection, name: str, what: str) -> None:
    entry = Entry(
        event=Event.SECOND_FACTOR_CHANGED,
        time=clock.now(),
        application="authz-console",
        subject=Ref("sign_in", name),
        action=Event.SECOND_FACTOR_CHANGED.value,
        resource=Ref("sign_in", name),
        detail={"who": name, "what": what},
    )
    log.append(connection, [entry])
