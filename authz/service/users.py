"""Local sign-ins of the screens: added, disabled, reset; each change is recorded (N-40, N-45).

A password is made here, shown once to whoever asked, and kept as an argon2id hash only.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from argon2 import PasswordHasher
from sqlalchemy import Connection, Engine, insert, select, update

from authz.audit.record import Ref
from authz.directory.recording import revision
from authz.directory.tables import Grant, Person
from authz.errors import ConflictError, MalformedError, NotFoundError
from authz.service import changing, sessions
from authz.service.changing import By
from authz.service.database import writing
from authz.service.tables import SignIn
from authz.vocabulary import Event, Role

PASSWORD_BYTES = 15
ORIGIN = "sign-in"
"""Where a role given with a sign-in comes from."""
NO_FACTOR: dict[str, Any] = {"totp_secret": None, "totp_step": None, "recovery_codes": []}


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
    password, author = _new_password(), By.now(by, because)
    row: dict[str, Any] = {"person": person, "must_change": True, "created_at": author.at}
    row |= {"created_by": by, "recovery_codes": []}
    with writing(store) as connection:
        if connection.scalar(select(SignIn.name).where(SignIn.name == name)) is not None:
            raise ConflictError("There is a sign-in of that name already.", where=name)
        if person is not None:
            _person_exists(connection, person)
        connection.execute(insert(SignIn).values(name=name, password_hash=_hash(password), **row))
        if auditor:
            _audits(connection, str(person), author)
        given = {"role": Role.AUDITOR.value} if auditor else {}
        _record(connection, Event.USER_ADDED, author, name, {}, _shown(row) | given)
    return password


def disable(store: Engine, name: str, *, by: str, because: str = "") -> None:
    """End a sign-in; NotFoundError where there is none in force."""
    author = By.now(by, because)
    with writing(store) as connection:
        _change(connection, Event.USER_DISABLED, author, name, {"disabled_at": author.at})
        sessions.end_all(connection, name)


def reset(store: Engine, name: str, *, by: str, because: str = "") -> str:
    """Give a sign-in a new password, to be changed at once, and return it.

    Its second factor is gone too, for whoever lost both, and every session of it ends.
    """
    password, author = _new_password(), By.now(by, because)
    values = {"password_hash": _hash(password), "must_change": True, **NO_FACTOR}
    with writing(store) as connection:
        _change(connection, Event.USER_RESET, author, name, values)
        sessions.end_all(connection, name)
    return password


def _audits(connection: Connection, person: str, author: By) -> None:
    connection.execute(
        insert(Grant).values(
            id=uuid4().hex,
            person=person,
            role=Role.AUDITOR.value,
            granted_by=author.who,
            reason=author.why,
            origin=ORIGIN,
            recorded_at=author.at,
            recorded_by=author.who,
            recorded_because=author.why,
            valid_from=author.at,
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


def _change(
    connection: Connection, event: Event, author: By, name: str, values: dict[str, Any]
) -> None:
    """Change a sign-in that is in force, with the record of it."""
    found = connection.execute(
        select(*SignIn.__table__.c)
        .where(SignIn.name == name, SignIn.disabled_at.is_(None))
        .with_for_update()
    ).mappings()
    row = found.one_or_none()
    if row is None:
        raise NotFoundError("There is no such sign-in in force.", where=name)
    connection.execute(update(SignIn).where(SignIn.name == name).values(values))
    _record(connection, event, author, name, _shown(dict(row)), _shown({**row, **values}))


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A sign-in as its record may hold it; the hash goes under a name that is masked."""
    kept = {"person": row["person"], "must_change": row["must_change"]}
    kept |= {"disabled_at": row.get("disabled_at"), "password": row.get("password_hash", True)}
    kept["second_factor"] = bool(row.get("totp_secret"))
    return {name: value for name, value in kept.items() if value is not None}


def _record(
    connection: Connection,
    event: Event,
    author: By,
    name: str,
    before: dict[str, Any],
    after: dict[str, Any],
) -> None:
    person = after.get("person")
    entry = changing.changed(
        event,
        author,
        Ref("sign_in", name),
        before,
        after,
        people=[person] if person else [],
    )
    changing.record(connection, [entry])
