"""Checkpoints: where the trail stands, signed, stored and published (N-49).

Whoever can write the store can write another history. A checkpoint that somebody else has
a copy of binds it: only a tree that begins with the leaves of the last checkpoint is
signed, the last one of the database and the last one of the folder alike. An old backup
that was restored and a store that was exchanged are noticed here, before anything is
signed over them.

:func:`keep` is what is to be called at the interval, and once more before the end.
"""

from __future__ import annotations

import logging
import re
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, insert, select, tuple_

from authz import clock
from authz.audit import note
from authz.audit.merkle import verify_consistency
from authz.audit.note import Checkpoint, Note
from authz.audit.record import timestamp
from authz.audit.sequence import MOST, lock, sequence
from authz.audit.tables import AuditCheckpoint
from authz.audit.tree import consist, root, size
from authz.config import Settings
from authz.errors import CheckpointRefusedError, MalformedError, NotFoundError, SettingError
from authz.service import audit_keys, checkpoint_files, journals
from authz.service.database import reading, writing

MOST_LISTED: Final = 1000
_NEWEST_FIRST: Final = (AuditCheckpoint.size.desc(), AuditCheckpoint.time.desc())
"""A tree does not shrink, though a clock may be set back."""
_AFTER: Final = re.compile(r"([0-9]{1,18})/([0-9TZ:.-]{1,40})", re.ASCII)
_log = logging.getLogger(__name__)


class Known(NamedTuple):
    """A checkpoint that was signed before, and where it is kept."""

    checkpoint: Checkpoint
    where: str


class Listed(NamedTuple):
    """Some checkpoints as rows, the newest first; ``after`` asks for those before them."""

    rows: list[dict[str, Any]]
    after: str


def keep(store: Engine, settings: Settings) -> Note:
    """Put what is recorded, in journals too, into the tree and sign it, even when nothing is."""
    journals.catch_up(store)
    sequence_all(store)
    return checkpoint(store, settings)


def sequence_all(store: Engine) -> int:
    """Put what is recorded into the tree, in short transactions; how many records."""
    count = 0
    while True:
        with writing(store) as connection:
            done = sequence(connection, MOST)
        count += done
        if done < MOST:
            return count


def checkpoint(store: Engine, settings: Settings) -> Note:
    """Sign where the tree stands, store it and publish it.

    CheckpointRefusedError where the tree does not go on from the last checkpoint;
    SettingError where there is no key to sign with. That it cannot be published is told in
    the log, and made up for with the next one.
    """
    known = _published(settings)
    with writing(store) as connection:
        lock(connection)
        last = _newest(connection)
        stored = note.checkpoint(note.parse(last).text) if last is not None else None
        if stored is not None:
            known.append(Known(stored, "the database"))
        keys = audit_keys.signing(settings, first=not known)
        leaves = size(connection)
        top = root(connection, leaves)
        now = Checkpoint(settings.origin, leaves, top, _moment(stored, leaves))
        for before in known:
            _require_growth(connection, before, now)
        signed = note.sign(str(now), settings.origin, keys)
        row = {"time": now.time, "size": now.size, "root": now.root, "note": str(signed)}
        connection.execute(insert(AuditCheckpoint), row)
    try:
        audit_keys.settle(settings)
        publish(store, settings)
    except SettingError as error:
        _log.error("%s", error)
    return signed


def publish(store: Engine, settings: Settings) -> int:
    """Write the stored checkpoints that are not in the folder yet; how many there were."""
    asked = select(AuditCheckpoint.time, AuditCheckpoint.note).order_by(*_NEWEST_FIRST)
    with (
        reading(store) as connection,
        connection.execution_options(yield_per=10).execute(asked) as rows,
    ):
        return checkpoint_files.publish(
            settings.checkpoint_folder, ((row.time, row.note) for row in rows)
        )


def newest(store: Engine) -> str:
    """The newest checkpoint, as it was signed; NotFoundError before the first."""
    with reading(store) as connection:
        found = _newest(connection)
    if found is None:
        raise NotFoundError("There is no checkpoint yet.")
    return found


def listed(store: Engine, *, limit: int = 100, after: str = "") -> Listed:
    """The checkpoints, the newest first; what ``after`` may be, the page before says."""
    asked = (
        select(
            AuditCheckpoint.time, AuditCheckpoint.size, AuditCheckpoint.root, AuditCheckpoint.note
        )
        .order_by(*_NEWEST_FIRST)
        .limit(limit + 1)
    )
    if after:
        asked = asked.where(tuple_(AuditCheckpoint.size, AuditCheckpoint.time) < _place(after))
    with reading(store) as connection:
        rows = [dict(row) for row in connection.execute(asked).mappings()]
    shown = rows[:limit]
    more = len(rows) > limit
    return Listed(shown, f"{shown[-1]['size']}/{shown[-1]['time']}" if more else "")


def _newest(connection: Connection) -> str | None:
    asked = select(AuditCheckpoint.note).order_by(*_NEWEST_FIRST).limit(1)
    return connection.execute(asked).scalar_one_or_none()


def _moment(last: Checkpoint | None, leaves: int) -> str:
    """The time; where nothing happened and the clock was set back, just after the last one.

    So that size and time together always say which checkpoint is the newest.
    """
    now = clock.now()
    if last is not None and last.size == leaves and last.time:
        now = max(now, datetime.fromisoformat(last.time) + timedelta(microseconds=1))
    return timestamp(now)


def _place(after: str) -> tuple[int, str]:
    named = _AFTER.fullmatch(after)
    if named is None:
        raise MalformedError("This is no place in the list.", where="after")
    return int(named[1]), named[2]


def _published(settings: Settings) -> list[Known]:
    """The last checkpoint of the folder, which must be ours; none where it cannot be read."""
    where = str(settings.checkpoint_folder / checkpoint_files.LATEST)
    try:
        found = checkpoint_files.latest(settings.checkpoint_folder)
    except SettingError as error:
        _log.error("%s", error)
        return []
    if found is None:
        return []
    known = Known(note.checkpoint(found.text), where)
    _require_origin(known, settings.origin)
    try:
        ours = audit_keys.verifiers(settings)
    except NotFoundError:
        return [known]
    if not note.signers(found, ours):
        raise CheckpointRefusedError(
            "The last checkpoint is signed by none of our keys.",
            where=where,
            hint="Put the folder of keys back, or take the other log's checkpoints away.",
        )
    return [known]


def _require_origin(known: Known, origin: str) -> None:
    if known.checkpoint.origin != origin:
        raise CheckpointRefusedError(
            f"The last checkpoint is of the log {known.checkpoint.origin!r}, not {origin!r}.",
            where=known.where,
            hint="A log keeps its name: set AUTHZ_AUDIT_ORIGIN, or take the other log's away.",
        )


def _require_growth(connection: Connection, known: Known, now: Checkpoint) -> None:
    """Refuse a tree that does not begin with the leaves of a checkpoint signed before."""
    _require_origin(known, now.origin)
    before = known.checkpoint
    if before.size > now.size:
        raise CheckpointRefusedError(
            f"The tree has {now.size} leaves, and the last checkpoint has {before.size}.",
            where=known.where,
            hint="Records are gone: was an old backup restored? Run `authz audit verify`.",
        )
    proof = consist(connection, before.size, now.size)
    if not verify_consistency(before.size, now.size, proof.hashes, before.root, now.root):
        raise CheckpointRefusedError(
            f"The first {before.size} leaves are not those of the last checkpoint.",
            where=known.where,
            hint="This is another history: was the store exchanged? Run `authz audit verify`.",
        )
