"""Who asks for a report, whether they may, and the record that they did (N-30, N-49)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Engine

from authz import clock
from authz.audit import log
from authz.audit.record import Entry, Ref
from authz.decision.request import Action, Entity, Question, Request
from authz.directory import reader
from authz.directory.relations import Situation
from authz.errors import ForbiddenError
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.shown import APPLICATION
from authz.vocabulary import Event, Relation, Role

OPERATOR: Final = "operator"
USER: Final = "user"
_APPLICATIONS: Final = {OPERATOR: "authz", USER: APPLICATION}


@dataclass(frozen=True, slots=True)
class Asker:
    """Who reads a report: an operator at the command line, a client, or somebody it asks for.

    ``for_person`` is the person of the directory on whose behalf ``name`` asks.
    """

    name: str
    type: str = OPERATOR
    for_person: str | None = None
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Told:
    """What a report is asked about, for its record."""

    report: str
    asked: Mapping[str, Any] = field(default_factory=dict)
    person: str = ""


def may_see_accesses(point: DecisionPoint, person: str, asker: str, now: datetime) -> bool:
    """Whether a person may know who saw this person's data.

    It is the person, who is active; or an active guardian while the person is a minor and
    no custody restriction stands between them (N-22, N-30); or a data-protection officer.
    """
    asked = Question(Request(Entity(USER, asker), Action("read"), Entity("access_log", person)))
    with reading(point.store) as connection:
        facts = reader.read_people(connection, asked)
    situation = Situation(asked, facts, now, point.place, point.policy.catalogue)
    holds = situation.relations(None)

    def both(*names: Relation) -> bool:
        return all(getattr(holds, name.value) for name in names)

    if both(Relation.SELF):
        return True
    if both(Relation.CUSTODY_RESTRICTED):
        return False
    return both(Relation.GUARDIAN, Relation.MINOR) or Role.DPO.value in situation.roles


def allowed(point: DecisionPoint, told: Told, by: Asker) -> None:
    """Raise ForbiddenError, recorded, where the asker is somebody who may not see it."""
    if by.for_person is None:
        return
    if may_see_accesses(point, told.person, by.for_person, clock.now()):
        return
    record(point.store, told, by, decision=False)
    raise ForbiddenError(
        "This report is for the person, for their guardian while they are a minor, and for "
        "the data-protection officer.",
        where=told.report,
    )


def record(store: Engine, told: Told, by: Asker, *, decision: bool | None = None) -> None:
    """Record that the report was read, before it leaves (N-49)."""
    asked = {name: value for name, value in told.asked.items() if value not in (None, "", ())}
    detail: dict[str, Any] = {"asked": asked}
    if by.for_person is not None:
        detail["for"] = by.for_person
    entry = Entry(
        event=Event.TRAIL_READ,
        time=clock.now(),
        application=_APPLICATIONS.get(by.type, by.name),
        request_id=by.request_id,
        subject=Ref(USER, by.for_person) if by.for_person else Ref(by.type, by.name),
        action=f"report.{told.report}",
        resource=Ref("person", told.person) if told.person else None,
        decision=decision,
        detail=detail,
    )
    log.record(store, [entry])
