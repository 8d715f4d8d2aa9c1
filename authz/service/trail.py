"""What people ask of the audit trail; looking at it is itself recorded (N-49)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, select

from authz import clock
from authz.audit import log, pseudonyms
from authz.audit import trail as audit
from authz.audit.chain import Verdict
from authz.audit.record import Entry, Ref
from authz.audit.ship import Shipped
from authz.audit.tables import AuditHead
from authz.errors import MalformedError
from authz.service.database import reading
from authz.service.journals import catch_up
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
    """Whether the records are as they were written, of all chains and of the journals here.

    A range of numbers and a checkpoint are of the chain ``main``.
    """
    shipped = catch_up(store)
    with reading(store) as connection:
        found = audit.verify(connection, first=first, last=last, since=since, progress=progress)
        if found.whole and first is None and last is None and since is None:
            found = _others(connection, found, shipped, progress)
    return found


def _others(
    connection: Connection, main: Verdict, shipped: Shipped, progress: Progress | None
) -> Verdict:
    """The chains of the writers; the first damage of them, or all as one."""
    records = main.records
    chains = select(AuditHead.chain).where(AuditHead.chain != main.chain)
    for chain in connection.execute(chains.order_by(AuditHead.chain)).scalars().all():
        found = audit.verify(connection, chain=chain, progress=_after(records, progress))
        records += found.records
        if not found.whole:
            return replace(found, records=records)
    for chain, damage in shipped.damage.items():
        return Verdict(chain, 1, records, None, damage)
    return replace(main, records=records)


def _after(records: int, progress: Progress | None) -> Progress | None:
    """The same progress, of records after so many others."""
    return None if progress is None else lambda count: progress(records + count)


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


def search(store: Engine, *, by: str, **asked: Any) -> audit.Page:
    """The records that fit, newest first; who looked for what is recorded before they leave."""
    catch_up(store)
    looked_for = {k: v for k, v in asked.items() if v not in (None, "") and k != "limit"}
    with reading(store) as connection:
        named = {
            name: pseudonyms.aliases(connection, asked[name])
            for name in ("person", "subject")
            if asked.get(name)
        }
        page = audit.search(connection, **{**asked, **named})
        records = pseudonyms.shown(connection, [found.record for found in page.records])
    pairs = zip(page.records, records, strict=True)
    page = replace(page, records=[replace(found, record=record) for found, record in pairs])
    log.record(store, [_look(by, "search", looked_for, str(asked.get("person") or ""))])
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
    catch_up(store)
    log.record(store, [_look(by, "export", {"first": first, "last": last}, "")])
    with path.open("w", encoding="utf-8", newline="\n") as out, reading(store) as connection:
        return audit.export(connection, out, first=first, last=last, progress=progress)


def checkpoint(store: Engine) -> dict[str, Any]:
    """Where the trail stands, to be kept elsewhere."""
    catch_up(store)
    with reading(store) as connection:
        return audit.checkpoint(connection, clock.now())


def requests_since(store: Engine, since: Any, most: int | None = None) -> Iterator[dict[str, Any]]:
    """The recorded decisions since a moment, oldest first, as their records tell them.

    With ``most`` the newest of them, about so many: whole pages are read.
    """
    catch_up(store)
    with reading(store) as connection:
        after, pages = "", []
        while True:
            page = audit.search(
                connection, event=Event.DECISION, since=since, limit=1000, after=after
            )
            pages.append(page.records)
            if not page.after or (most and sum(len(each) for each in pages) >= most):
                break
            after = page.after
        told = [
            pseudonyms.shown(connection, [found.record for found in records]) for records in pages
        ]
    for records, shown in zip(reversed(pages), reversed(told), strict=True):
        for found, record in zip(reversed(records), reversed(shown), strict=True):
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
