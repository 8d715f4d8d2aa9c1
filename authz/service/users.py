"""Sign-ins of the screens: added, disabled, reset; each change is recorded (N-40, N-45).

A password is made here, shown once to whoever asked, and kept as an argon2id hash only. The
last sign-in of somebody who runs the platform stays: nobody else could add another one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, Engine, func, insert, or_, select, update

from authz.audit.record import Ref
from authz.decision.catalogue import Catalogue
from authz.directory.held import in_force
from authz.directory.recording import revision
from authz.directory.tables import Grant, Person
from authz.errors import ConflictError, MalformedError, NotFoundError
from authz.service import changing, passwords, separation, sessions
from authz.service.changing import By
from authz.service.database import reading, writing
from authz.service.tables import SignIn
from authz.vocabulary import Event, Role

LONGEST: Final = 64
SIGNS: Final = frozenset("._@+-")
PAGE: Final = 50
ORIGIN = "sign-in"
"""Where a role given with a sign-in comes from."""
NO_FACTOR: dict[str, Any] = {"totp_secret": None, "totp_step": None, "recovery_codes": []}


class New(NamedTuple):
    """A sign-in to be added; without the hash of a password it opens by a provider only."""

    name: str
    person: str | None
    hashed: str = ""
    auditor: bool = False


def add(
    store: Engine,
    name: str,
    *,
    person: str | None,
    by: str,
    because: str = "",
    auditor: bool = False,
    catalogue: Catalogue | None = None,
    local: bool = True,
) -> str:
    """Add a sign-in and return its first password; ConflictError where the name is taken.

    An auditor reads in the screens and changes nothing; the role is given here only, is the
    person's own, and meets none that the pack of ``catalogue`` keeps apart from it
    (SeparationError). A sign-in that is not ``local`` has no password, and opens by a
    provider's account only.
    """
    password = passwords.made() if local else ""
    new = New(name, person, passwords.hashed(password) if local else "", auditor=auditor)
    with writing(store) as connection:
        added(connection, new, By.now(by, because), catalogue)
    return password


def added(connection: Connection, new: New, author: By, catalogue: Catalogue | None) -> None:
    """The same within a transaction, with the hash of a password made before."""
    name, person, hashed, auditor = new
    if auditor and person is None:
        raise MalformedError("An auditor is a person of the directory.", where="person")
    if auditor and catalogue is None:
        raise ValueError("what the pack keeps apart from an auditor must be known")
    if not (0 < len(name) <= LONGEST and all(map(_of_a_name, name))):
        raise MalformedError("A name has up to 64 letters, digits or . @ + - _.", where="name")
    row: dict[str, Any] = {"person": person, "must_change": bool(hashed)}
    row |= {"created_at": author.at, "created_by": author.who, "recovery_codes": []}
    if connection.scalar(select(SignIn.name).where(SignIn.name == name)) is not None:
        raise ConflictError("There is a sign-in of that name already.", where=name)
    if person is not None:
        _person_exists(connection, person)
    connection.execute(insert(SignIn).values(name=name, password_hash=hashed, **row))
    if auditor and catalogue is not None:
        separation.check(connection, catalogue, str(person), Role.AUDITOR.value, author.at)
        _audits(connection, str(person), author)
    given = {"role": Role.AUDITOR.value} if auditor else {}
    _record(connection, Event.USER_ADDED, author, name, {}, _shown(row) | given)


def disable(store: Engine, name: str, *, by: str, because: str = "") -> None:
    """End a sign-in; NotFoundError where there is none in force.

    ConflictError where it is the last one of somebody who runs the platform.
    """
    author = By.now(by, because)
    with writing(store) as connection:
        _not_the_last(connection, name, author.at)
        _change(connection, Event.USER_DISABLED, author, name, {"disabled_at": author.at})
        sessions.end_all(connection, name)


def reset(store: Engine, name: str, *, by: str, because: str = "") -> str:
    """Give a sign-in a new password, to be changed at once, and return it.

    Its second factor is gone too, for whoever lost both, and every session of it ends.
    """
    password = passwords.made()
    hashed = passwords.hashed(password)
    with writing(store) as connection:
        renewed(connection, name, hashed, By.now(by, because))
    return password


def renewed(connection: Connection, name: str, hashed: str, author: By) -> None:
    """The same within a transaction, with the hash of a password made before."""
    values = {"password_hash": hashed, "must_change": True, **NO_FACTOR}
    _change(connection, Event.USER_RESET, author, name, values)
    sessions.end_all(connection, name)


def end_sessions(store: Engine, name: str, *, by: str, because: str = "") -> int:
    """Sign somebody out everywhere; how many sessions there were."""
    author, query = By.now(by, because), select(SignIn.person).where(SignIn.name == name)
    with writing(store) as connection:
        number = sessions.end_all(connection, name)
        if number:
            person = connection.scalar(query)
            before, after = (
                {"sessions": number, "person": person},
                {"sessions": 0, "person": person},
            )
            _record(connection, Event.SESSIONS_ENDED, author, name, before, after)
    return number


class Known(NamedTuple):
    """A sign-in as a list shows it: ids and states, and no name of a person."""

    name: str
    person: str | None
    status: str | None
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    must_change: bool
    has_password: bool
    has_factor: bool


def listed(store: Engine, *, text: str = "", after: str = "", limit: int = PAGE) -> list[Known]:
    """Sign-ins by name, after that one; ``text`` is a part of the name, or a person's id."""
    query = _known().where(SignIn.name > after).order_by(SignIn.name).limit(limit)
    if text:
        part = func.lower(SignIn.name).contains(text.lower(), autoescape=True)
        query = query.where(or_(part, SignIn.person == text))
    with reading(store) as connection:
        return [Known(*row) for row in connection.execute(query)]


def one(store: Engine, name: str) -> Known:
    """A sign-in, in force or not; NotFoundError where there is none."""
    with reading(store) as connection:
        row = connection.execute(_known().where(SignIn.name == name)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such sign-in.", where=name)
    return Known(*row)


def _known() -> Any:
    return select(
        SignIn.name,
        SignIn.person,
        Person.status,
        SignIn.created_at,
        SignIn.created_by,
        SignIn.disabled_at,
        SignIn.must_change,
        SignIn.password_hash != "",
        SignIn.totp_secret.is_not(None),
    ).outerjoin(Person, Person.id == SignIn.person)


def _not_the_last(connection: Connection, name: str, now: datetime) -> None:
    held = in_force(now, [Role.PLATFORM_ADMIN], everywhere=True)
    platform = connection.scalars(
        select(SignIn.name)
        .join(Person, Person.id == SignIn.person)
        .where(
            SignIn.disabled_at.is_(None),
            Person.status == "active",
            SignIn.person.in_(select(Grant.person).where(held)),
        )
        .with_for_update(of=SignIn)
    )
    if list(platform) == [name]:
        raise ConflictError(
            "It is the last sign-in of somebody who runs the platform.",
            where=name,
            hint="Add another one first.",
        )


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


def _of_a_name(character: str) -> bool:
    """Letters of any script with their marks (Thai vowels stand above), digits, a few signs."""
    return character.isalnum() or character in SIGNS or unicodedata.category(character)[0] == "M"


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
