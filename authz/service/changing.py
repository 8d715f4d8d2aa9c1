"""The record of a change: before, after, who, why, in the transaction of the change (N-49).

Every function of :mod:`authz.service` that writes tells what it did here, and nowhere
else; a test walks them all. A record holds ids, dates, switches and the names of fields. A
value filed under a name of :data:`authz.audit.record.MASKED` is masked: that it changed is
seen under ``changed``, which names the fields that differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection

from authz import clock
from authz.audit import log
from authz.audit.log import Ready
from authz.audit.record import Entry, Ref
from authz.vocabulary import Event

APPLICATION: Final = "authz"
UNSAID: Final = "no reason given"
Values = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class By:
    """Who makes a change and why; ``at`` is the moment of all its records, in UTC."""

    who: str
    why: str
    at: datetime

    @classmethod
    def now(cls, who: str, why: str) -> By:
        """The same, now; a reason of white space only is none."""
        return cls(who, why.strip() or UNSAID, clock.now())


def changed(  # noqa: PLR0913 (what a record of a change says, by name)
    event: Event,
    by: By,
    resource: Ref,
    before: Values,
    after: Values,
    *,
    action: str = "",
    people: Iterable[str] = (),
    revision: int | None = None,
    more: Values | None = None,
) -> Entry:
    """The entry of one change. ``before`` is empty where nothing was, ``after`` where nothing is.

    ``people`` are the ids of the persons touched; ``more`` are further members of the
    detail, ``revision`` the directory's after the change.
    """
    touched = sorted(set(people))
    detail = {
        **(more or {}),
        "before": dict(before),
        "after": dict(after),
        "changed": differing(before, after),
        "people": touched,
        "who": by.who,
        "why": by.why,
    }
    return Entry(
        event=event,
        time=by.at,
        application=APPLICATION,
        subject=Ref("operator", by.who),
        action=action or event.value,
        resource=resource,
        directory_revision=revision,
        detail={name: value for name, value in detail.items() if value not in ({}, [], None)},
        people=touched,
    )


def differing(before: Values, after: Values) -> list[str]:
    """The names whose values are not the same on both sides, in their order."""
    return sorted(name for name in {**before, **after} if before.get(name) != after.get(name))


def record(connection: Connection, entries: Sequence[Entry]) -> None:
    """Write the records of the change that this transaction makes; it stands or falls with them."""
    log.append(connection, entries)


def ready(connection: Connection, entries: Sequence[Entry]) -> Sequence[Entry] | Sequence[Ready]:
    """The records, made as far as can be before the transaction of their change.

    Pseudonyms are made in it; where people have them, nothing is made before.
    """
    if not log.names_people(connection):
        return entries
    return [log.ready(entry) for entry in entries]


def record_ready(connection: Connection, records: Sequence[Entry] | Sequence[Ready]) -> None:
    """As :func:`record`, of what :func:`ready` gave."""
    made = [each for each in records if isinstance(each, Ready)]
    if made:
        log.append_encoded(connection, made)
    else:
        record(connection, [each for each in records if isinstance(each, Entry)])
