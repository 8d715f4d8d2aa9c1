"""Journals in tests: a small one for an engine, its files, and the trail with all of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine

from authz.audit import journal_files as files
from authz.audit import log, ship
from authz.audit.journal import LIMIT, Journal
from authz.audit.ship import Shipper
from authz.service.database import reading
from authz.service.journals import catch_up

SMALL = 64 * 1024
"""Bytes of a file, so that tests see several."""


def to_journal(
    engine: Engine, folder: Path, *, size: int = SMALL, limit: int = LIMIT, forced: bool = True
) -> Journal:
    """From now on the records of this engine go to journals in ``folder/audit``."""
    journal = Journal(engine, folder / "audit", forced=forced, limit=limit, size=size)
    engine.update_execution_options(
        **{log.JOURNAL: journal, ship.SHIPPER: Shipper(engine, folder / "audit")}
    )
    return journal


def journals(folder: Path) -> list[Path]:
    """The files of the journals in ``folder/audit``."""
    return [path for paths in files.files(folder / "audit").values() for path in paths]


@contextmanager
def trail_of(engine: Engine) -> Iterator[Connection]:
    """A snapshot of the trail with all that the journals hold."""
    assert not catch_up(engine).damage
    with reading(engine) as connection:
        yield connection
