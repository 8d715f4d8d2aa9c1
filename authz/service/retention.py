"""Retention of the trail: the oldest records are taken away, and their roots stay (N-49, N-34)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from threading import Event
from typing import Final

from sqlalchemy import Engine

from authz import clock
from authz.audit import note
from authz.audit import retire as segments
from authz.audit.leftover import cut
from authz.audit.retire import Order
from authz.config import Settings
from authz.errors import MalformedError, SettingError
from authz.service import checkpoint_files, checkpoints, journals, roles
from authz.service.database import reading, writing

FIRST: Final = 50
LEAST: Final = 20
MOST: Final = 2000
"""Records that are removed in one transaction: at first, and never fewer and never more."""
HELD: Final = 0.03
"""Seconds that such a transaction is to last; the next is as large as the last one allows."""
GROWS: Final = 1.25
"""And so many times larger than the last, at the most: one that is slow is a small one."""

Progress = Callable[[int, int], None]


def retire(
    store: Engine,
    settings: Settings,
    *,
    older_than: datetime,
    by: str,
    why: str = "",
    progress: Progress | None = None,
) -> int:
    """Take away the oldest records, all from before ``older_than``; how many.

    Only whole batches go, and only what a published checkpoint covers. ForbiddenError for
    whoever does not own the trail; AuditDamagedError where what is to go is damaged.
    """
    now = clock.now()
    if older_than > now:
        raise MalformedError("This moment is still to come.", where="before")
    roles.require_owner(store)
    journals.catch_up(store)
    checkpoints.keep(store, settings)
    covered = _published(settings)
    order = Order(older_than, covered.size, covered.time, by, why, now)
    total = 0
    _remove(store)
    while True:
        with reading(store) as connection:
            plan = segments.planned(connection, order)
        if plan is None:
            break
        with writing(store) as connection:
            done = segments.commit(connection, plan, order)
        _remove(store)
        total += plan.leaves if done else 0
        if progress is not None and done:
            progress(total, total)
    if total:
        checkpoints.keep(store, settings)
    return total


def _remove(store: Engine) -> None:
    """Remove what is retired and still there, in short transactions with rests between them.

    While one holds the lock nobody else writes to SQLite; in a rest as long, others come to it.
    """
    most = FIRST
    with reading(store) as connection:
        left = segments.remaining(connection)
    while left:
        left, part = cut(left, most)
        begun = clock.monotonic()
        with writing(store) as connection:
            began = clock.monotonic()
            segments.remove(connection, part)
            held = clock.monotonic() - began  # the wait for the disk comes after the lock
        most = max(LEAST, min(int(most * HELD / max(held, HELD / GROWS)), MOST))
        Event().wait(clock.monotonic() - begun)


def _published(settings: Settings) -> note.Checkpoint:
    """The newest checkpoint that others can have seen; SettingError where there is none."""
    found = checkpoint_files.latest(settings.checkpoint_folder)
    if found is None:
        raise SettingError(
            "No checkpoint is published, so nothing can be retired.",
            where="AUTHZ_CHECKPOINT_FOLDER",
            hint="See whether the folder can be written.",
        )
    return note.checkpoint(found.text)
