"""Retention of the trail: the oldest records are taken away, and their roots stay (N-49, N-34)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import Engine

from authz import clock
from authz.audit import note
from authz.audit.retire import Order
from authz.audit.retire import retire as retire_segment
from authz.config import Settings
from authz.errors import MalformedError, SettingError
from authz.service import checkpoint_files, checkpoints, journals, roles
from authz.service.database import writing

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
    while True:
        with writing(store) as connection:
            count = retire_segment(connection, order)
        total += count
        if progress is not None and count:
            progress(total, total)
        if not count:
            break
    if total:
        checkpoints.keep(store, settings)
    return total


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
