"""An approved erasure carried out on the trail: nobody can tell any more who it was (N-34)."""

from __future__ import annotations

from sqlalchemy import Connection, Engine, delete, select

from authz.audit.pseudonyms import OPTION, Names
from authz.audit.record import Ref
from authz.audit.tables import AuditPseudonym
from authz.directory.recording.revision import advance
from authz.directory.tables import Erasure
from authz.errors import ConflictError, NotFoundError
from authz.privacy.tables import ReadingHour
from authz.service import changing
from authz.service.changing import By
from authz.service.database import writing
from authz.vocabulary import Event


def erase(store: Engine, person: str, *, by: str, because: str) -> None:
    """Destroy the key of the person's pseudonym; the records stay, and the chain verifies.

    ConflictError where no erasure of the person is approved and in force; NotFoundError
    where the trail has no pseudonym of theirs, so that there is nothing to forget.
    """
    author = By.now(by, because)
    with writing(store) as connection:
        revision = advance(connection)
        _approved(connection, person, author)
        pseudonym = connection.scalar(
            select(AuditPseudonym.pseudonym).where(AuditPseudonym.person == person)
        )
        if pseudonym is None:
            raise NotFoundError("The trail holds no pseudonym of this person.", where=person)
        entry = changing.changed(
            Event.PERSON_ERASED,
            author,
            Ref("person", pseudonym),
            {"has_key": True},
            {"has_key": False},
            revision=revision,
        )
        changing.record(connection, [entry])
        connection.execute(delete(AuditPseudonym).where(AuditPseudonym.person == person))
        # How many they read in which hour would tell which records are theirs.
        connection.execute(delete(ReadingHour).where(ReadingHour.subject == person))
    names: Names | None = store.get_execution_options().get(OPTION)
    if names is not None:
        names.forget()


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
