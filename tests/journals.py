"""Journals in tests: a small one for an engine, its files, and the trail with all of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from authz.audit import journal_files as files
from authz.audit import log, ship
from authz.audit.journal import LIMIT, Journal
from authz.audit.log import Receipt
from authz.audit.ship import Shipper
from authz.audit.trail import Verdict
from authz.config import load
from authz.service import verification
from authz.service.database import reading
from authz.service.journals import catch_up
from tests.world import placed

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


def killed(journal: Journal) -> None:
    """Let go of the chain as a process does that is killed: nothing is written any more."""
    journal.forget()


def verified(engine: Engine) -> Verdict:
    """The verdict on the whole trail of an engine that has no settings, and no checkpoints."""
    nowhere = Path(str(engine.url.database)).parent / "nowhere"
    return verification.verify(engine, load(key_folder=nowhere, checkpoint_folder=nowhere))


def whole(engine: Engine, receipts: list[Receipt]) -> None:
    """All of them are in the trail, and the trail is whole."""
    found = verified(engine)
    assert found.whole, found.damage
    assert {(each.chain, each.sequence) for each in receipts} <= placed(engine).keys()


def damaged(engine: Engine) -> tuple[str, int]:
    """What verification says is wrong; and the text names the journal's file."""
    found = verified(engine).damage
    assert found is not None
    assert ".journal" in found.text or "journal" in found.text
    return found.kind.value, found.sequence


def placed_of(engine: Engine) -> set[tuple[str, int]]:
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT chain, sequence FROM audit_record"))
        return {(row[0], row[1]) for row in rows}
