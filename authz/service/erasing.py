"""An approved erasure carried out: nobody can tell from the trail any more who it was (N-34).

What goes with it beside the trail, and what stays for which reason, is :mod:`.personal`.
"""

from __future__ import annotations

from sqlalchemy import (
    ColumnElement,
    Connection,
    Delete,
    Engine,
    Update,
    delete,
    or_,
    select,
    update,
)

from authz.audit.pseudonyms import OPTION, Names
from authz.audit.record import Ref
from authz.audit.tables import AuditPseudonym
from authz.directory.recording.revision import advance
from authz.directory.tables import Erasure
from authz.errors import ConflictError, NotFoundError
from authz.privacy.tables import ReadingHour
from authz.review.rights import State
from authz.service import changing
from authz.service.changing import By
from authz.service.database import writing
from authz.service.tables import (
    SignIn,
    SignInInvitation,
    SignInLink,
    SignInNotice,
    SignInRequest,
)
from authz.service.users import NO_FACTOR
from authz.vocabulary import Event


def erase(store: Engine, person: str, *, by: str, because: str) -> None:
    """Destroy the key of the person's pseudonym, and what is kept beside the trail.

    The records stay, and the chain verifies. ConflictError where no erasure of the person is
    approved and in force; NotFoundError where nothing of theirs is there to be forgotten.
    """
    author = By.now(by, because)
    with writing(store) as connection:
        revision = advance(connection)
        _approved(connection, person, author)
        pseudonym = connection.scalar(
            select(AuditPseudonym.pseudonym).where(AuditPseudonym.person == person)
        )
        gone = {
            "has_key": pseudonym is not None,
            # How many they read in which hour would tell which records are theirs.
            "hours": _rows(connection, delete(ReadingHour).where(ReadingHour.subject == person)),
            "sign_in_notices": _notices(connection, person),
            "sign_in_requests": _requests(connection, person),
            "sign_ins": _sign_ins(connection, person),
        }
        if not any(gone.values()):
            raise NotFoundError("Nothing of this person is there to be forgotten.", where=person)
        entry = changing.changed(
            Event.PERSON_ERASED,
            author,
            Ref("person", pseudonym or person),
            gone,
            {"has_key": False, **dict.fromkeys(list(gone)[1:], 0)},
            revision=revision,
        )
        changing.record(connection, [entry])
        connection.execute(delete(AuditPseudonym).where(AuditPseudonym.person == person))
    names: Names | None = store.get_execution_options().get(OPTION)
    if names is not None:
        names.forget()


def _notices(connection: Connection, person: str) -> int:
    """The messages to the person, and those about requests that go."""
    n = SignInNotice
    theirs = select(SignIn.name).where(SignIn.person == person)
    about = select(SignInRequest.id).where(_goes(person))
    return _rows(connection, delete(n).where(or_(n.name.in_(theirs), n.request.in_(about))))


def _requests(connection: Connection, person: str) -> int:
    """The person's own requests go; of others' it is blotted out that they had a hand in them."""
    r = SignInRequest
    asked = update(r).where(r.asked_by == person).values(asked_by="", why="")
    answered = update(r).where(r.answered_by == person).values(answered_by="", answer="")
    gone = _rows(connection, delete(r).where(_goes(person)))
    return gone + _rows(connection, asked) + _rows(connection, answered)


def _sign_ins(connection: Connection, person: str) -> int:
    """Those that have ended forget whose they were, and what they were opened by."""
    s = SignIn
    ended = (s.person == person) & s.disabled_at.is_not(None)
    for opened in (SignInLink, SignInInvitation):
        theirs = opened.name.in_(select(s.name).where(ended))
        connection.execute(delete(opened).where(theirs))
    nothing = {"person": None, "password_hash": "", **NO_FACTOR}
    return _rows(connection, update(s).where(ended).values(nothing))


def _goes(person: str) -> ColumnElement[bool]:
    """That a request is about the person, or waits and nobody stands behind it any more."""
    r = SignInRequest
    return (r.person == person) | (r.asked_by == person) & (r.state == State.WAITING.value)


def _rows(connection: Connection, change: Delete | Update) -> int:
    """How many rows it changed."""
    return connection.execute(change.execution_options(preserve_rowcount=True)).rowcount


def _approved(connection: Connection, person: str, by: By) -> None:
    found = select(Erasure.person).where(
        Erasure.person == person, Erasure.ended_at.is_(None), Erasure.approved_at <= by.at
    )
    if connection.scalar(found) is None:
        raise ConflictError(
            "No erasure of this person is approved.",
            where=person,
            hint="Put the fact `erasure` on file first (`authz import facts`).",
        )
