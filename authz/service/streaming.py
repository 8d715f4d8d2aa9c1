"""The trail as a stream of lines, in the one order of all records (N-49).

Reading is recorded, but not each time: a record of every look would itself be the next line,
and whoever follows the stream would never come to its end. One record an hour, process and
reader says who reads, and from where.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import Engine

from authz import __version__, clock
from authz.audit import log, ocsf, outgoing
from authz.audit.record import Entry, Ref
from authz.service import checkpoints
from authz.service.database import reading
from authz.service.journals import catch_up
from authz.vocabulary import Event

PAUSE_SECONDS: Final = 0.25
FIRST: Final = -1
"""What one has had who has had no record."""
_told: dict[tuple[str, str, str], datetime] = {}


class Asked(NamedTuple):
    """What somebody wants: what is after a position, how many lines, in which form.

    At the end, ``wait`` is for how many seconds more is waited for, once.
    """

    after: int = FIRST
    most: int | None = None
    wait: float = 0
    as_ocsf: bool = False


def stream(
    store: Engine, origin: str, by: Ref, asked: Asked, request_id: str = ""
) -> Iterator[bytes]:
    """Pages of lines; who reads is recorded before the first is made."""
    _tell(store, by, asked, request_id)
    catch_up(store)
    checkpoints.sequence_all(store)
    return _pages(store, origin, asked)


def _pages(store: Engine, origin: str, asked: Asked) -> Iterator[bytes]:
    at, left = asked.after + 1, asked.most
    until = time.monotonic() + asked.wait
    while left is None or left > 0:
        most = outgoing.MOST if left is None else min(left, outgoing.MOST)
        with reading(store) as connection:
            page = outgoing.page(connection, at, most)
        if page.end == at:
            if time.monotonic() >= until:
                return
            time.sleep(PAUSE_SECONDS)
            continue
        if page.records:
            yield _lines(origin, page.records, as_ocsf=asked.as_ocsf)
        left = None if left is None else left - (page.end - at)
        at = page.end


def _lines(origin: str, records: list[outgoing.Placed], *, as_ocsf: bool) -> bytes:
    if as_ocsf:
        return ocsf.lines(origin, __version__, records)
    return b"".join(record.line() for record in records)


def _tell(store: Engine, by: Ref, asked: Asked, request_id: str) -> None:
    now = clock.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    reader = (str(store.url), by.type, by.id)
    if _told.get(reader) == hour:
        return
    look = Entry(
        event=Event.TRAIL_READ,
        time=now,
        application=by.id if by.type == "client" else "authz",
        request_id=request_id,
        subject=by,
        action="stream",
        detail={"asked": {"after": asked.after}},
    )
    log.record(store, [look])
    _told[reader] = hour
