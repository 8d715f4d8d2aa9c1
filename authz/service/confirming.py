"""That whoever holds a session is its owner, asked before the account itself changes (N-40).

The password is asked again: a browser left open, or a stolen session, changes no password and
no second factor. A sign-in without a password here has shown itself at its provider just now.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from sqlalchemy import Engine, select

from authz import clock
from authz.audit.record import Entry, Ref
from authz.errors import UnauthenticatedError
from authz.service import changing, console_key, passwords, throttle
from authz.service.changing import By, Values
from authz.service.database import reading, writing
from authz.service.sessions import Session
from authz.service.tables import SignIn
from authz.vocabulary import Event

JUST_NOW: Final = timedelta(minutes=10)
"""How old a session from a provider may be and still stand for its owner."""
WHY: Final = "own account"


def confirm(store: Engine, folder: Path, session: Session, password: str) -> None:
    """UnauthenticatedError unless it is the owner; TooManyError after many guesses."""
    now = clock.now()
    if not session.has_password:
        if session.created_at < now - JUST_NOW:
            raise UnauthenticatedError("Sign in at the provider once more.", where="password")
        return
    counted = throttle.own(console_key.secret(folder), session.name)
    with reading(store) as connection:
        throttle.check(connection, counted, now)
        query = select(SignIn.password_hash).where(SignIn.name == session.name)
        kept = connection.scalar(query) or ""
    right = passwords.verified(kept, password)
    _count(store, counted, now, right=right)
    if not right:
        raise UnauthenticatedError("The present password is not right.", where="password")


def _count(store: Engine, counted: tuple[str, ...], now: datetime, *, right: bool) -> None:
    with writing(store) as connection:
        if right:
            throttle.succeeded(connection, counted)
        else:
            throttle.failed(connection, counted, now)


def own_change(event: Event, name: str, person: str | None, before: Values, after: Values) -> Entry:
    """The record of what somebody changed of their own sign-in."""
    by = By.now(person or name, WHY)
    people = [person] if person else []
    return changing.changed(event, by, Ref("sign_in", name), before, after, people=people)
