"""Local sign-ins of the screens: added, disabled, reset; each change is recorded (N-40, N-45).

A password is made here, shown once to whoever asked, and kept as an argon2id hash only.
"""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import uuid4

from argon2 import PasswordHasher
from sqlalchemy import Connection, Engine, insert, select, update

from authz import clock
from authz.audit import log
from authz.audit.record import Entry, Ref
from authz.directory.recording import revision
from authz.directory.tables import Grant, Person
from authz.errors import ConflictError, MalformedError, NotFoundError
from authz.service import sessions
from authz.service.database import writing
from authz.service.tables import SignIn
from authz.vocabulary import Event, Role

PASSWORD_BYTES = 15
ORIGIN = "sign-in"
"""Where a role given with a sign-in comes from."""


def add(
    store: Engine,
    name: str,
    *,
    person: str | None,
    by: str,
    because: str = "",
    auditor: bool = False,
) -> str:
    """Add a sign-in and return its first password; ConflictError where the name is taken.

    An auditor reads in the screens and changes nothing; the role is given here only, and is
    the person's own.
    """
    if auditor and person is None:
        raise MalformedError("An auditor is a person of the directory.", where="person")
    password, now = _new_password(), clock.now()
    with writing(store) as connection:
        if connection.scalar(select(SignIn.name).where(SignIn.name == name)) is not None:
            raise ConflictError("There is a sign-in of that name already.", where=name)
        if person is not None:
            _person_exists(connection, person)
        connection.execute(
            insert(SignIn).values(
                name=name,
                person=person,
                password_hash=_hash(password),
                must_change=True,
                recovery_codes=[],
                created_at=now,
                created_by=by,
            )
        )
        if auditor:
            _audits(connection, str(person), now, by=by, because=because)
        after: dict[str, object] = {"person": person, "auditor": auditor or None}
        _record(connection, Event.USER_ADDED, name, by, because, after)
    return password


def disable(store: Engine, name: str, *, by: str, because: str = "") -> None:
    """End a sign-in; NotFoundError where there is none in force."""
    with writing(store) as connection:
        _change(connection, name, {"disabled_at": clock.now()})
        sessions.end_all(connection, name)
        _record(connection, Event.USER_DISABLED, name, by, because, {})


def reset(store: Engine, name: str, *, by: str, because: str = "") -> str:
    """Give a sign-in a new password, to be changed at once, and return it.

    Its second factor is gone too, for whoever lost both, and every session of it ends.
    """
    password = _new_password()
    with writing(store) as connection:
        _change(
            connection,
            name,
            {
                "password_hash": _hash(password),
                "must_change": True,
                "totp_secret": None,
                "totp_step": None,
                "recovery_codes": [],
            },
        )
        sessions.end_all(connection, name)
        _record(connection, Event.USER_RESET, name, by, because, {})
    return password


def _audits(connection: Connection, person: str, now: datetime, *, by: str, because: str) -> None:
    connection.execute(
        insert(Grant).values(
            id=uuid4().hex,
            person=person,
            role=Role.AUDITOR.value,
            granted_by=by,
            reason=because,
            origin=ORIGIN,
            recorded_at=now,
            recorded_by=by,
            recorded_because=because,
            valid_from=now,
        )
    )
    revision.advance(connection)


def _new_password() -> str:
    return secrets.token_urlsafe(PASSWORD_BYTES)


def _hash(password: str) -> str:
    return PasswordHasher().hash(password)


def _person_exists(connection: Connection, person: str) -> None:
    if connection.scalar(select(Person.id).where(Person.id == person)) is None:
        raise NotFoundError("There is no such person in the directory.", where=person)


def _change(connection: Connection, name: str, values: dict[str, object]) -> None:
    changed = connection.execute(
        update(SignIn).where(SignIn.name == name, SignIn.disabled_at.is_(None)).values(values)
    )
    if changed.rowcount != 1:
        raise NotFoundError("There is no such sign-in in force.", where=name)


def _record(
    connection: Connection, event: Event, name: str, by: str, because: str, after: dict[str, object]
) -> None:
    log.append(
        connection,
        [
            Entry(
                event=event,
                time=clock.now(),
                application="authz",
                subject=Ref("operator", by),
                action=event.value,
                resource=Ref("sign_in", name),
                detail={"after": after, "who": by, "why": because},
            )
        ],
    )
