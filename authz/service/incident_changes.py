"""One change of an incident with its record, in one transaction (E-07, N-50).

Where an incident is assigned and says whom it concerns, the directory gets a ``case`` of
kind ``incident`` of the same id, so that the officer may look at these people's data on that
case and no longer than it is open (2.4, ``on_case``).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, insert, select, update

from authz.audit import log
from authz.audit.record import Entry, Ref, timestamp
from authz.directory.recording.change import Author
from authz.directory.recording.members import Reading
from authz.errors import NotFoundError
from authz.privacy.incidents import Incident
from authz.privacy.tables import IncidentPerson, IncidentRow, IncidentStep
from authz.service.changing import UNSAID
from authz.service.decide import DecisionPoint
from authz.service.incident_rows import persons_of, unknown, values_of
from authz.service.record_facts import put
from authz.vocabulary import Event

_TEXTS: Final = ("title", "cause", "effect", "remedy", "not_reported")


class Change:
    """One change of an incident: the row, its step, the case of the directory, the record."""

    def __init__(
        self, connection: Connection, point: DecisionPoint, by: str, because: str, now: datetime
    ) -> None:
        self.connection = connection
        self.point = point
        self.author = Author(by, because, now)

    def done(
        self, event: Event, before: Incident | None, after: Incident, persons: Sequence[str]
    ) -> None:
        """Put it on file."""
        values = values_of(after)
        self.connection.execute(
            update(IncidentRow).where(IncidentRow.id == after.id).values(values)
        )
        added = self._persons(after.id, persons)
        self._step(event, before, after, added)
        self._case(before, after, changed=bool(added))
        detail = {
            "before": _told(before) if before else {},
            "after": {**_told(after), "persons": added},
            "who": self.author.by,
            "why": self.author.because.strip() or UNSAID,
        }
        entry = Entry(
            event=event,
            time=self.author.now,
            application="authz",
            subject=Ref("operator", self.author.by),
            action=event.value,
            resource=Ref("incident", after.id),
            detail=detail,
            people=[*added, *filter(None, (after.assignee,))],
        )
        log.append(self.connection, [entry])

    def _persons(self, ident: str, persons: Sequence[str]) -> list[str]:
        """Those who are new; NotFoundError of one who is not in the directory."""
        if not persons:
            return []
        strangers = unknown(self.connection, persons)
        if strangers:
            raise NotFoundError("There is no such person in the directory.", where=strangers[0])
        known = set(persons_of(self.connection, ident))
        added = [person for person in dict.fromkeys(persons) if person not in known]
        if added:
            rows = [{"incident": ident, "person": person} for person in added]
            self.connection.execute(insert(IncidentPerson), rows)
        return added

    def _step(
        self, event: Event, before: Incident | None, after: Incident, added: list[str]
    ) -> None:
        old = values_of(before) if before else {}
        new = {k: v for k, v in values_of(after).items() if v and old.get(k) != v}
        number = select(func.count()).where(IncidentStep.incident == after.id).scalar_subquery()
        self.connection.execute(
            insert(IncidentStep).values(
                incident=after.id,
                number=number,
                at=timestamp(self.author.now),
                by=self.author.by,
                action=event.value,
                because=self.author.because,
                members=json.dumps({**new, "persons": added}, ensure_ascii=False),
            )
        )

    def _case(self, before: Incident | None, after: Incident, *, changed: bool) -> None:
        """The case in the directory, where somebody holds it and it concerns somebody."""
        moved = before is None or (before.assignee, before.state) != (after.assignee, after.state)
        persons = persons_of(self.connection, after.id) if moved or changed else []
        if after.assignee is None or not persons:
            return
        fact = {
            "fact": "case",
            "id": after.id,
            "kind": "incident",
            "persons": persons,
            "assignee": after.assignee,
            "opened_at": timestamp(after.opened_at),
            "closed_at": after.closed_at and timestamp(after.closed_at),
        }
        line = json.dumps(fact, ensure_ascii=False)
        known = Reading(self.point.place.local, self.point.policy.catalogue)
        put(self.connection, self.author, lambda: [line], known, f"incident {after.id}")


def _told(incident: Incident) -> dict[str, Any]:
    """What a record says of an incident: states, times and ids, of texts that they are there."""
    values = values_of(incident)
    given = [name for name in _TEXTS if values[name]]
    return {k: v for k, v in values.items() if k not in _TEXTS and v} | {"given": given}
