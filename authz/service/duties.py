"""What the service owes after a permit: notices and review items (2.7, page 5).

They are opened in the transaction of the decision's record, once per subject, person,
elevation and day; what-ifs and searches open none. A decision whose duties were all opened
before opens nothing, and needs no such transaction (:func:`unopened`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Engine, Select, Table, bindparam, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from authz.audit.record import timestamp
from authz.decision.combine import Decision
from authz.directory.relations import Situation
from authz.privacy.tables import Notice
from authz.review.tables import ReviewItem
from authz.service.database import glance, translated
from authz.service.watch import watch
from authz.vocabulary import ObligationId

UNAPPROVED_REVIEW = timedelta(hours=72)
APPROVED_REVIEW = timedelta(days=30)
_NOTICE = ("recipient", "rule", "subject", "person", "elevation", "day")
_ITEM = ("subject", "person", "elevation", "day")


def _find(table: Any, key: Sequence[str]) -> Select[Any]:
    """Whether a row with this key is there; its values are given in the key's order."""
    wanted = (getattr(table, name) == bindparam(name) for name in key)
    return select(literal_column("1")).where(*wanted)


_FIND: Final = {_NOTICE: _find(Notice, _NOTICE), _ITEM: _find(ReviewItem, _ITEM)}


@dataclass(frozen=True, slots=True)
class Duty:
    """A notice to ``recipient``, or a review item where it is empty."""

    rule: str
    recipient: str
    subject: str
    person: str
    elevation: str
    day: date
    opened_at: datetime
    due_at: datetime


def of(decision: Decision, situation: Situation | None, now: datetime) -> Iterator[Duty]:
    """The duties that this decision brings."""
    if situation is None or not decision.permit:
        return
    catalogue = situation.catalogue
    for rule in decision.rules:
        for recipient in catalogue.obligations.notify.get(rule, ()):
            yield _duty(rule, recipient, situation, now)
        if rule in catalogue.obligations.review and ObligationId.REVIEW in decision.obligations:
            yield _duty(rule, "", situation, now)


def _duty(rule: str, recipient: str, situation: Situation, now: datetime) -> Duty:
    request = situation.question.request
    reviewed = rule in situation.catalogue.obligations.review
    elevated = situation.elevations[:1] if reviewed else ()
    approved = bool(elevated) and elevated[0].approved
    return Duty(
        rule=rule,
        recipient=recipient,
        subject=request.subject.id,
        person=request.resource.id,
        elevation=elevated[0].id if elevated else "",
        day=now.astimezone(situation.place.local).date(),
        opened_at=now,
        due_at=now + (APPROVED_REVIEW if approved else UNAPPROVED_REVIEW),
    )


def unopened(store: Engine, due: Sequence[Duty]) -> list[Duty]:
    """Those of the duties that are not on file yet; StoreUnavailableError.

    What was found on file is believed until anybody commits anything.
    """
    watching, known = watch(store), dict[object, bool]()
    if watching is not None:
        with translated():
            known = watching.look().known
    left = []
    for duty in due:
        key = _NOTICE if duty.recipient else _ITEM
        values = tuple(str(getattr(duty, name)) for name in key)
        if values not in known:
            if glance(store, _FIND[key], *values) is None:
                left.append(duty)
            else:
                known[values] = True
    return left


def open_all(connection: Connection, due: Sequence[Duty], request_id: str) -> None:
    """Put the duties on file, where they are not there already."""
    for duty in due:
        row = {
            "rule": duty.rule,
            "subject": duty.subject,
            "person": duty.person,
            "elevation": duty.elevation,
            "day": duty.day,
            "opened_at": timestamp(duty.opened_at),
            "request_id": request_id,
        }
        if duty.recipient:
            once(connection, Notice.__table__, {**row, "recipient": duty.recipient})
        else:
            once(connection, ReviewItem.__table__, {**row, "due_at": timestamp(duty.due_at)})


def once(connection: Connection, table: object, row: dict[str, object]) -> None:
    """Put a row on file, where there is none of its key."""
    assert isinstance(table, Table)  # noqa: S101 (narrowing for the type checker)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).values(row).on_conflict_do_nothing())
