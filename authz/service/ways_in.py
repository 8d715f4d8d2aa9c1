"""A way in to somebody's sign-in is asked for in the screens, and given by a second person (N-45).

Who runs the platform sees nobody's data, and would see a child's with a parent's sign-in of their
own making. So who adds a sign-in, links an account to it, invites or resets it there asks for it;
somebody else who may see the person answers, and what opens it is shown to them alone. The person
and the administrators of their schools are told (:mod:`.ways_in_notices`). Until it is answered,
whoever asked may take it back, and what nobody answers ends by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from secrets import token_hex
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import Connection, Engine, insert, select, update

from authz import clock
from authz.audit.record import Ref
from authz.decision.catalogue import Catalogue
from authz.directory.tables import Person
from authz.errors import ConflictError, NotFoundError
from authz.review.rights import State, said
from authz.service import changing, links, passwords, takeover, users, ways_in_notices
from authz.service.changing import By
from authz.service.database import reading, writing
from authz.service.decide import DecisionPoint
from authz.service.shown import Viewer
from authz.service.tables import SignInRequest
from authz.vocabulary import Event

PAGE: Final = 50


class What(StrEnum):
    """What is asked for."""

    ADD = "add"
    LINK = "link"
    INVITE = "invite"
    RESET = "reset"


class Given(NamedTuple):
    """What opens the sign-in, to be shown once: a first password, an invitation, or neither."""

    name: str
    password: str = ""
    invitation: str = ""


class _Wanted(NamedTuple):
    """What is to be done; ``more`` are its members (an account, or of which kind a sign-in is)."""

    what: What
    name: str
    person: str | None
    more: Mapping[str, Any]


class _Secrets(NamedTuple):
    password: str = ""
    hashed: str = ""


class _UndoneError(Exception):
    """What was tried is taken back."""


def ask(
    store: Engine,
    catalogue: Catalogue,
    what: What,
    name: str,
    *,
    by: str,
    why: str,
    **more: Any,
) -> Given | None:
    """Ask for it; where the sign-in is nobody's on file, it is done at once.

    ``more`` are ``issuer`` and ``subject`` of a link, ``person``, ``local`` and ``auditor`` of a
    sign-in to be added. It is tried and taken back, so that what cannot be is told now, by the
    errors of :mod:`.users` and :mod:`.links`; ForbiddenError as in :mod:`.takeover`.
    """
    made = By.now(by, said(why, "why"))
    person = more.pop("person", None) if what is What.ADD else users.one(store, name).person
    wanted = _Wanted(what, name, person, more)
    if person is None:
        secrets = _secrets(wanted)
        with writing(store) as connection:
            return _done(connection, catalogue, wanted, secrets, made)
    with suppress(_UndoneError), writing(store) as connection:
        _done(connection, catalogue, wanted, _Secrets("", "tried"), made)
        raise _UndoneError
    row = {"id": f"W-{token_hex(8)}", "what": what.value, "name": name, "person": person}
    row |= {"more": more, "asked_by": by, "asked_at": made.at, "why": made.why}
    with writing(store) as connection:
        connection.execute(insert(SignInRequest).values(**row, state=State.WAITING.value))
        _tell(connection, Event.WAY_IN_ASKED, made, row, {}, _shown(row, State.WAITING))
        ways_in_notices.queue_asked(connection, row["id"], person, made)
    return None


def answer(
    point: DecisionPoint, own: DecisionPoint, viewer: Viewer, ident: str, *,
    approves: bool, why: str,
) -> Given | None:  # fmt: skip
    """Approve a request or refuse it; approved it is done, and what opens the sign-in returned.

    NotFoundError where there is no such request of a person whom the viewer may see,
    ConflictError where it is the viewer's own, waits no more, or cannot be done any more.
    """
    made = By.now(viewer.person, said(why, "why"))
    secrets = _secrets(_wanted(_seen(own, viewer, ident, made.at)))
    with writing(point.store) as connection:
        row = _held(connection, ident, made.at)
        if viewer.person == row.asked_by:
            raise ConflictError("Nobody approves what they asked for themselves.", where=ident)
        if viewer.person == row.person:
            raise ConflictError("Nobody approves a way in to their own sign-in.", where=ident)
        state = State.APPROVED if approves else State.REFUSED
        _end(connection, Event.WAY_IN_ANSWERED, made, row, state)
        if not approves:
            return None
        ways_in_notices.queue_given(connection, ident, row.person, made)
        try:
            return _done(connection, point.policy.catalogue, _wanted(row), secrets, made)
        except NotFoundError as error:
            raise ConflictError("The sign-in is not in force any more.", where=ident) from error


def withdraw(store: Engine, ident: str, *, by: str, why: str) -> tuple[What, str]:
    """Take one's own request back, and return what was asked for and the name of the sign-in.

    NotFoundError where it is somebody else's, ConflictError where it waits no more. Of an answer
    at the same moment one is in time: whichever holds the row first.
    """
    made = By.now(by, said(why, "why"))
    with writing(store) as connection:
        row = _held(connection, ident, made.at, SignInRequest.asked_by == by)
        _end(connection, Event.WAY_IN_WITHDRAWN, made, row, State.WITHDRAWN)
        ways_in_notices.queue_taken_back(connection, ident)
    return What(row.what), str(row.name)


def waiting(own: DecisionPoint, viewer: Viewer, limit: int = PAGE) -> list[Mapping[str, Any]]:
    """What waits for somebody like this viewer, the oldest first; never their own.

    ``called`` is the person's name, and ``ends_at`` when it ends without an answer.
    """
    r = SignInRequest
    query = _open().where(r.asked_by != viewer.person, r.person != viewer.person)
    with reading(own.store) as connection:
        query = query.where(ways_in_notices.about(connection, own, viewer))
        rows = connection.execute(query.order_by(r.asked_at, r.id).limit(limit)).mappings()
        return [{**row, "called": _called(row), "ends_at": _ends(row)} for row in rows]


def of(store: Engine, name: str = "") -> list[Mapping[str, Any]]:
    """What waits for a sign-in of that name, or for any, the oldest first; ``ends_at`` is when."""
    r = SignInRequest
    with reading(store) as connection:
        query = _open().order_by(r.asked_at, r.id)
        query = query.where(r.name == name) if name else query
        rows = connection.execute(query.limit(PAGE)).mappings()
        return [{**row, "ends_at": _ends(row)} for row in rows]


def _open() -> Any:
    r, p = SignInRequest, Person
    query = select(*r.__table__.c, p.given_name, p.family_name).join(p, p.id == r.person)
    return query.where(ways_in_notices.still_open(clock.now()))


def _ends(row: Any) -> datetime:
    return cast("datetime", row["asked_at"] + ways_in_notices.LASTS)


def _called(row: Any) -> str:
    return f"{row['given_name']} {row['family_name']}".strip() or str(row["person"])


def _seen(own: DecisionPoint, viewer: Viewer, ident: str, now: datetime) -> Any:
    """The request, if it is of a person whom the viewer may see, and waits."""
    r = SignInRequest
    with reading(own.store) as connection:
        query = select(*r.__table__.c).where(r.id == ident)
        query = query.where(ways_in_notices.about(connection, own, viewer))
        return _that_waits(connection.execute(query).one_or_none(), ident, now)


def _held(connection: Connection, ident: str, now: datetime, *narrowed: Any) -> Any:
    """The same, held until the transaction ends: two answers at once wait."""
    r = SignInRequest
    query = select(*r.__table__.c).where(r.id == ident, *narrowed).with_for_update()
    return _that_waits(connection.execute(query).one_or_none(), ident, now)


def _that_waits(row: Any, ident: str, now: datetime) -> Any:
    """The row; the error that says why it waits no more."""
    if row is None:
        raise NotFoundError("There is no such request.", where=ident)
    if row.state == State.WITHDRAWN.value:
        raise ConflictError("This request was taken back.", where=ident)
    if row.state != State.WAITING.value:
        raise ConflictError("This request was answered already.", where=ident)
    if row.asked_at <= now - ways_in_notices.LASTS:
        raise ConflictError("This request has ended: nobody answered it in time.", where=ident)
    return row


def _end(connection: Connection, event: Event, made: By, row: Any, state: State) -> None:
    """Write down that it waits no more, and why, with the record of it."""
    connection.execute(
        update(SignInRequest)
        .where(SignInRequest.id == row.id)
        .values(state=state.value, answered_by=made.who, answered_at=made.at, answer=made.why)
    )
    values = row._mapping  # noqa: SLF001 (public so)
    _tell(connection, event, made, values, _shown(values, State.WAITING), _shown(values, state))


def _wanted(row: Any) -> _Wanted:
    return _Wanted(What(row.what), row.name, row.person, row.more)


def _secrets(wanted: _Wanted) -> _Secrets:
    """A first password where one is wanted, hashed before any lock is taken."""
    local = wanted.what is What.ADD and wanted.more.get("local", True)
    if not local and wanted.what is not What.RESET:
        return _Secrets()
    password = passwords.made()
    return _Secrets(password, passwords.hashed(password))


def _done(
    connection: Connection, catalogue: Catalogue, wanted: _Wanted, secrets: _Secrets, made: By
) -> Given:
    """Do it within the transaction, unless the person holds more than a roster gives."""
    name, more = wanted.name, wanted.more
    if wanted.what is What.ADD:
        local, auditor = more.get("local", True), more.get("auditor", False)
        hashed = secrets.hashed if local else ""
        new = users.New(name, wanted.person, hashed, auditor=auditor)
        users.added(connection, new, made, catalogue)
        takeover.refuse(connection, wanted.person, made.at, auditor=auditor and local)
        return Given(name, password=secrets.password)
    roles = takeover.OVERSEEING if wanted.what is What.RESET else ()
    takeover.refuse_of(connection, name, made.at, roles)
    if wanted.what is What.LINK:
        links.linked(connection, made, name, more["issuer"], more["subject"])
        return Given(name)
    if wanted.what is What.INVITE:
        return Given(name, invitation=links.inviting(connection, made, name))
    users.renewed(connection, name, secrets.hashed, made)
    return Given(name, password=secrets.password)


def _shown(row: Mapping[str, Any], state: State) -> dict[str, Any]:
    """A request as its record holds it."""
    shown = {"what": row["what"], "person": row["person"], "state": state.value, **row["more"]}
    return shown | {"asked_by": row["asked_by"]}


def _tell(
    connection: Connection, event: Event, made: By, row: Mapping[str, Any],
    before: Mapping[str, Any], after: Mapping[str, Any],
) -> None:  # fmt: skip
    people = [row["person"], row["asked_by"], made.who]
    resource, more = Ref("sign_in", row["name"]), {"request": row["id"]}
    entry = changing.changed(event, made, resource, before, after, people=people, more=more)
    changing.record(connection, [entry])
