"""Sends the trail to its receivers, each at its own pace (N-49, N-50).

A receiver has a cursor into the one order of all records; it moves when the receiver has
taken a batch, and only then. Whoever is slow or dead is behind, and loses nothing; records
come at least once, each with its id. Each receiver has a thread of the keeper's, so that
none waits for another and the keeper for none. A batch that is not taken is tried again as
it was, after a time that doubles; the cursor's row says when, so that of several keepers one
tries, and that a keeper which is killed forgets nothing.

What is sent is what is recorded: with pseudonyms, pseudonyms.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from random import SystemRandom
from typing import Any, Final, NamedTuple

from sqlalchemy import Engine, select, update
from sqlalchemy.dialects import postgresql, sqlite

from authz import __version__, clock
from authz.audit import ocsf, otlp, outgoing, webhook
from authz.audit.outgoing import Placed
from authz.audit.record import timestamp
from authz.audit.tables import AuditReceiver
from authz.audit.tree import size
from authz.config import Settings
from authz.config.parties import Receiver
from authz.errors import AuthzError, SettingError
from authz.measures import SENT, UNSENT
from authz.service import sending
from authz.service.database import reading, writing
from authz.service.sending import UndeliveredError, Way

LONGEST_WAIT: Final = 300.0
"""Seconds between two tries, at the most."""
ROUND_SECONDS: Final = 20.0
_LEASE: Final = timedelta(seconds=5)
"""How much longer than a try may take nobody else tries."""
_TOO_LARGE: Final = 413
_chance: Final = SystemRandom()
_log = logging.getLogger(__name__)
_running: dict[tuple[str, str], threading.Thread] = {}


class Cursor(NamedTuple):
    """How far a receiver has come; the columns of its row."""

    name: str
    position: int = 0
    until: int = 0
    failures: int = 0
    due: str = ""
    delivered: str = ""
    error: str = ""


def deliver(store: Engine, settings: Settings) -> None:
    """Let each receiver that nobody is busy with get what there is; waits for none of them."""
    for receiver in settings.audit_receivers:
        key = (str(store.url), receiver.name)
        before = _running.get(key)
        if before is None or not before.is_alive():
            thread = threading.Thread(
                target=_courier,
                args=(store, settings.origin, receiver),
                name=f"authz-to-{receiver.name}",
                daemon=True,
            )
            _running[key] = thread
            thread.start()


def join(store: Engine, seconds: float) -> None:
    """Wait until nobody is busy, for so long at the most: what is left is sent next time."""
    until = time.monotonic() + seconds
    for key, thread in list(_running.items()):
        if key[0] == str(store.url):
            thread.join(max(0.0, until - time.monotonic()))


def _courier(store: Engine, origin: str, receiver: Receiver) -> None:
    until = time.monotonic() + ROUND_SECONDS
    try:
        while attempt(store, origin, receiver) and time.monotonic() < until:
            pass
    except AuthzError as error:
        _log.error("receiver %s: %s", receiver.name, error)
    except Exception:  # noqa: BLE001 (the next round tries again)
        _log.exception("receiver %s failed", receiver.name)


def attempt(store: Engine, origin: str, receiver: Receiver) -> bool:
    """Send the next batch, if one is due; whether it was taken."""
    cursor = cursor_of(store, receiver)
    now = clock.now()
    if not _is_due(cursor.due, now):
        return False
    most = cursor.until - cursor.position if cursor.until else receiver.batch
    with reading(store) as connection:
        page = outgoing.page(connection, cursor.position, most)
    if page.end == cursor.position:
        return False
    lease = now + timedelta(seconds=receiver.seconds) + _LEASE
    if not _moved(store, cursor, until=page.end, due=timestamp(lease)):
        return False  # another keeper has taken it
    claimed = cursor._replace(until=page.end, due=timestamp(lease))
    try:
        if page.records:
            send(receiver, origin, page.records)
    except UndeliveredError as error:
        _failed(store, receiver, claimed, error)
        return False
    SENT.add(receiver.name, by=len(page.records))
    done = timestamp(clock.now())
    if cursor.failures:
        _log.warning("receiver %s takes records again", receiver.name)
    return _moved(
        store, claimed, position=page.end, until=0, failures=0, due="", delivered=done, error=""
    )


def send(receiver: Receiver, origin: str, records: list[Placed]) -> None:
    """Post one batch; UndeliveredError where it is not taken."""
    kind, make = FORMS[receiver.form]
    body = make(origin, records)
    ident = f"{receiver.name}.{records[0].position}-{records[-1].position}"
    headers = {"Content-Type": kind, "User-Agent": f"authz/{__version__}", "webhook-id": ident}
    if receiver.secrets is not None:
        moment = int(clock.now().timestamp())
        headers["webhook-timestamp"] = str(moment)
        try:
            signed = webhook.signatures(_lines(receiver.secrets), ident, moment, body)
        except ValueError as error:
            raise UndeliveredError(f"Its secret cannot be used ({error}).") from error
        headers["webhook-signature"] = signed
    if receiver.token is not None:
        headers["Authorization"] = f"Bearer {_lines(receiver.token)[0]}"
    way = Way(receiver.url, receiver.seconds, receiver.private, receiver.ca)
    answered = sending.post(way, body, headers)
    if receiver.form == "otlp" and (lost := otlp.rejected(answered)):
        _log.error("receiver %s rejected %d records for good", receiver.name, lost)


def cursor_of(store: Engine, receiver: Receiver) -> Cursor:
    """How far the receiver has come; a new one begins where its setting says."""
    columns = [getattr(AuditReceiver, name) for name in Cursor._fields]
    asked = select(*columns).where(AuditReceiver.name == receiver.name)
    with reading(store) as connection:
        row = connection.execute(asked).one_or_none()
    if row is not None:
        return Cursor(*row)
    dialect = postgresql if store.dialect.name == "postgresql" else sqlite
    with writing(store) as connection:
        begin = size(connection) if receiver.begins == "now" else 0
        first = Cursor(receiver.name, begin)._asdict()
        connection.execute(dialect.insert(AuditReceiver).values(first).on_conflict_do_nothing())
        return Cursor(*connection.execute(asked).one())


class Lag(NamedTuple):
    """A receiver, how many records it is behind, how often it failed since, and why."""

    name: str
    records: int
    failures: int
    error: str


def lags(store: Engine, settings: Settings) -> list[Lag]:
    """How far each receiver is behind."""
    if not settings.audit_receivers:
        return []
    with reading(store) as connection:
        tip = size(connection)
        rows = connection.execute(select(*(getattr(AuditReceiver, n) for n in Cursor._fields)))
        known = {row.name: Cursor(*row) for row in rows}
    return [
        Lag(each.name, tip - cursor.position, cursor.failures, cursor.error)
        for each in settings.audit_receivers
        for cursor in (known.get(each.name, Cursor(each.name)),)
    ]


def _moved(store: Engine, cursor: Cursor, **values: Any) -> bool:
    """Change the row if it is as we know it; of several keepers one does."""
    same = [getattr(AuditReceiver, n) == getattr(cursor, n) for n in ("name", "position", "due")]
    with writing(store) as connection:
        done = connection.execute(update(AuditReceiver).where(*same).values(values))
    return done.rowcount == 1


def _failed(store: Engine, receiver: Receiver, cursor: Cursor, error: UndeliveredError) -> None:
    """Wait twice as long as the last time, up to a limit; never all at the same moment."""
    UNSENT.add(receiver.name)
    failures = cursor.failures + 1
    wait = min(LONGEST_WAIT, max(2.0 ** min(failures - 1, 10), error.wait))
    due = clock.now() + timedelta(seconds=wait * _chance.uniform(0.5, 1))
    until = cursor.until
    if error.status == _TOO_LARGE:
        until = cursor.position + max(1, (until - cursor.position) // 2)
    told = _log.error if error.message != cursor.error else _log.info
    told("receiver %s: %s %d times; it waits", receiver.name, error.message, failures)
    _moved(store, cursor, until=until, failures=failures, due=timestamp(due), error=error.message)


def _is_due(due: str, now: datetime) -> bool:
    """Whether it may be tried; a moment too far ahead is of a clock that was set back."""
    if not due:
        return True
    left = (datetime.fromisoformat(due) - now).total_seconds()
    return left <= 0 or left > LONGEST_WAIT + 1


def _lines(path: Path) -> list[str]:
    try:
        found = [line.strip() for line in path.read_text("ascii").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError("The file cannot be read.", where=str(path)) from error
    if not found:
        raise SettingError("The file is empty.", where=str(path))
    return found


FORMS: Final[Mapping[str, tuple[str, Callable[[str, list[Placed]], bytes]]]] = {
    "records": ("application/json", webhook.message),
    "ocsf": ("application/x-ndjson", lambda log, records: ocsf.lines(log, __version__, records)),
    "otlp": ("application/json", lambda log, records: otlp.message(log, __version__, records)),
}
"""How records are spelt for a receiver: the media type, and the body."""
