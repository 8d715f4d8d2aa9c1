"""Alive, and ready: the database is there and migrated, and a record could be written (4.3)."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from flask import Flask, Response
from sqlalchemy import Engine

from authz import clock
from authz.api import exchange, problem
from authz.api.context import service
from authz.audit import log, proven
from authz.audit.group import GroupCommit
from authz.audit.record import Entry
from authz.errors import AuthzError, NotReadyError, StoreUnavailableError
from authz.service.database import current, reading, writing
from authz.service.gauges import checkpoint_age
from authz.service.journals import journal_of
from authz.vocabulary import Event

_log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Add the two routes; neither needs a token, and neither tells more than yes or no."""
    app.add_url_rule("/healthz", "healthz", _alive, methods=["GET"])
    app.add_url_rule("/readyz", "readyz", _ready, methods=["GET"])


def _alive() -> Response:
    return exchange.answer({"status": "alive"})


def _ready() -> Response:
    """The policy is loaded, or nobody would answer here; an old checkpoint stops no answer."""
    for name, check in CHECKS.items():
        try:
            check(service().store)
        except AuthzError as error:
            _log.error("request %s: not ready: %s: %s", exchange.request_id(), name, error.message)
            return problem.document(problem.UNAVAILABLE, NotReadyError.code, field=name)
    with reading(service().store) as connection:
        found = checkpoint_age(connection)
    late_by = {} if found is None else {"checkpoint_age": max(0, int(found[0]))}
    return exchange.answer({"status": "ready", **late_by})


def _database(store: Engine) -> None:
    with reading(store) as connection:
        connection.exec_driver_sql("SELECT 1")


def _migrations(store: Engine) -> None:
    here, newest = current(store)
    if here != newest:
        raise StoreUnavailableError(f"The database is at {here}, the newest is {newest}.")


def _audit(store: Engine) -> None:
    """That a record can be written: tried by one for all who ask, and not each time."""
    _tried(store, [])


def _try(store: Engine, _: Sequence[object]) -> Sequence[object]:
    """Write a record as a decision would, and take it back; and force the journal to disk."""
    if proven.lately(store):
        return ()
    journal = journal_of(store)
    if journal is not None:
        journal.probe()
    with writing(store) as connection:
        log.append(connection, [Entry(event=Event.DECISION, time=clock.now())])
        connection.rollback()
    proven.note(store)
    return ()


_tried: Final = GroupCommit[Engine, object, object](_try, log.unavailable)


CHECKS: Mapping[str, Callable[[Engine], None]] = {
    "database": _database,
    "migrations": _migrations,
    "audit": _audit,
}
