"""What people ask of the audit trail; looking at it is itself recorded (N-49)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from authz import clock
from authz.audit import log
from authz.audit import trail as audit
from authz.audit.chain import Verdict
from authz.audit.record import Entry, Ref
from authz.errors import MalformedError
from authz.service.database import reading
from authz.vocabulary import Event

Progress = Callable[[int], None]


def verify(
    store: Engine,
    *,
    first: int | None = None,
    last: int | None = None,
    since: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
) -> Verdict:
    """Whether the records are as they were written."""
    with reading(store) as connection:
        return audit.verify(connection, first=first, last=last, since=since, progress=progress)


def verify_file(path: Path, *, since: Mapping[str, Any] | None = None) -> Verdict:
    """Whether an exported file is whole."""
    try:
        return audit.verify_export(_Lines(path), since=since)
    except (OSError, UnicodeDecodeError) as error:
        raise MalformedError("It cannot be read.", where=str(path)) from error


class _Lines(Iterable[str]):
    """The lines of a file, each time anew."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __iter__(self) -> Iterator[str]:
        with self.path.open(encoding="utf-8") as stream:
            yield from stream


def search(
    store: Engine, *, by: str, client: bool = False, asked_as: str = "", **asked: Any
) -> audit.Page:
    """The records that fit, newest first; who looked for what is recorded before they leave.

    ``by`` is an operator, or a ``client`` whose request is ``asked_as``. Windows in which
    nothing fits are passed over (:mod:`authz.audit.search`).
    """
    looked_for = {k: v for k, v in asked.items() if v not in (None, "") and k != "limit"}
    with reading(store) as connection:
        page = audit.search(connection, **asked)
        while not client and not page.records and page.after:
            page = audit.search(connection, **{**asked, "after": page.after})
    look = _look(by, "search", looked_for, str(asked.get("person") or ""))
    if client:
        look = replace(look, application=by, subject=Ref("client", by), request_id=asked_as)
    log.record(store, [look])
    return page


def export(
    store: Engine,
    path: Path,
    *,
    by: str,
    first: int = 1,
    last: int | None = None,
    progress: Progress | None = None,
) -> int:
    """Write records to a file, and return how many there were."""
    log.record(store, [_look(by, "export", {"first": first, "last": last}, "")])
    with path.open("w", encoding="utf-8", newline="\n") as out, reading(store) as connection:
        return audit.export(connection, out, first=first, last=last, progress=progress)


def checkpoint(store: Engine) -> dict[str, Any]:
    """Where the trail stands, to be kept elsewhere."""
    with reading(store) as connection:
        return audit.checkpoint(connection, clock.now())


def requests_since(store: Engine, since: Any) -> Iterator[dict[str, Any]]:
    """The recorded decisions since a moment, oldest first, as their records tell them."""
    with reading(store) as connection:
        after, pages = "", []
        while True:
            page = audit.search(
                connection, event=Event.DECISION, since=since, limit=1000, after=after
            )
            pages.append(page.records)
            if not page.after:
                break
            after = page.after
    for records in reversed(pages):
        for found in reversed(records):
            yield {"sequence": found.sequence, **found.record}


def _look(by: str, action: str, asked: Mapping[str, Any], person: str) -> Entry:
    return Entry(
        event=Event.TRAIL_READ,
        time=clock.now(),
        application="authz",
        subject=Ref("operator", by),
        action=action,
        resource=Ref("person", person) if person else None,
        detail={"asked": json.loads(json.dumps(asked, default=str))},
    )
