"""What people ask of the audit trail; looking at it is itself recorded (N-49)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine

from authz import clock
from authz.audit import log, pseudonyms
from authz.audit import trail as audit
from authz.audit.record import Entry, Ref
from authz.config import Settings
from authz.service import audit_keys, checkpoints
from authz.service.database import reading
from authz.service.journals import catch_up
from authz.vocabulary import Event

Progress = Callable[[int, int], None]
WINDOWS: Final = 100
"""How many windows one search by an operator goes through."""


def search(
    store: Engine, *, by: str, client: bool = False, asked_as: str = "", **asked: Any
) -> audit.Page:
    """The records that fit, newest first; who looked for what is recorded before they leave.

    ``by`` is an operator, or a ``client`` whose request is ``asked_as``. For an
    operator :data:`WINDOWS` in which nothing fits are passed over (:mod:`authz.audit.search`);
    after those the page is empty, and its ``after`` says where to go on.
    """
    catch_up(store)
    looked_for = {k: v for k, v in asked.items() if v not in (None, "") and k != "limit"}
    with reading(store) as connection:
        wanted = {**asked, **_named(connection, asked)}
        page = audit.search(connection, **wanted)
        for _ in range(0 if client else WINDOWS - 1):
            if page.records or not page.after:
                break
            page = audit.search(connection, **{**wanted, "after": page.after})
        records = pseudonyms.shown(connection, [found.record for found in page.records])
    pairs = zip(page.records, records, strict=True)
    page = replace(page, records=[replace(found, record=record) for found, record in pairs])
    look = _look(by, "search", looked_for, str(asked.get("person") or ""))
    if client:
        look = replace(look, application=by, subject=Ref("client", by), request_id=asked_as)
    log.record(store, [look])
    return page


def _named(connection: Connection, asked: Mapping[str, Any]) -> dict[str, list[str]]:
    """The ids under which the trail may hold the people asked for."""
    return {
        name: pseudonyms.aliases(connection, asked[name])
        for name in ("person", "subject")
        if asked.get(name)
    }


def export(
    store: Engine,
    settings: Settings,
    path: Path,
    *,
    by: str,
    asked: Mapping[str, Any],
    progress: Progress | None = None,
) -> int:
    """Write a bundle of the whole trail, or of the records that were ``asked`` for; how many.

    What is asked is what a search takes, or ``chain`` with ``first`` and ``last``. The
    export is recorded before, and its record is in the bundle: it proves what was asked.
    """
    looked_for = {name: value for name, value in asked.items() if value not in (None, "")}
    look = _look(by, "export", looked_for, str(asked.get("person") or ""))
    receipt = log.record(store, [look])[0]
    signed = checkpoints.keep(store, settings)
    also = (receipt.chain, receipt.sequence)
    with reading(store) as connection:
        fitting = _fitting(connection, looked_for)
        return audit.write(
            connection,
            path,
            checkpoint=str(signed),
            vkeys=[each.vkey for each in audit_keys.verifiers(settings)],
            selection=audit.Selection(fitting, also) if looked_for else None,
            progress=progress,
        )


def _fitting(connection: Connection, asked: Mapping[str, Any]) -> Sequence[ColumnElement[bool]]:
    """What the records must fulfil; people are found under their pseudonyms too."""
    place = {name: asked[name] for name in ("chain", "first", "last") if name in asked}
    rest = {name: value for name, value in asked.items() if name not in place}
    rest |= _named(connection, rest)
    return [*audit.conditions(**rest), *(audit.between(**place) if place else ())]


def requests_since(
    store: Engine, since: datetime, most: int | None = None
) -> Iterator[dict[str, Any]]:
    """The recorded decisions since a moment, oldest first, as their records tell them.

    With ``most`` the newest so many of them. They are read as they are taken, from one snapshot,
    so that a year of them needs no more memory than a day.
    """
    catch_up(store)
    with reading(store) as connection:
        for some in audit.forward(connection, most=most, event=Event.DECISION, since=since):
            told = pseudonyms.shown(connection, [found.record for found in some])
            for found, record in zip(some, told, strict=True):
                yield {"chain": found.chain, "sequence": found.sequence, **record}


def _look(by: str, action: str, asked: Mapping[str, Any], person: str) -> Entry:
    return Entry(
        event=Event.TRAIL_READ,
        time=clock.now(),
        application="authz",
        subject=Ref("operator", by),
        action=action,
        resource=Ref("person", person) if person else None,
        detail={"asked": json.loads(json.dumps(asked, default=str))},
        people=[str(asked[name]) for name in ("person", "subject") if asked.get(name)],
    )
