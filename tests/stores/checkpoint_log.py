"""A log to take checkpoints of, for the tests: its store, its keys and its folder."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, select

from authz.audit import note
from authz.audit.log import record
from authz.audit.note import Checkpoint, Note
from authz.audit.record import Entry, Ref
from authz.audit.tables import AuditCheckpoint
from authz.config import Settings
from authz.service import audit_keys, checkpoint_files
from authz.service.checkpoints import keep
from authz.service.database import reading
from authz.vocabulary import Event

BEGAN = datetime(2026, 11, 22, 13, 15, tzinfo=UTC)
US = Ref("operator", "tests")
ORIGIN = "pdp.example.test/authz"


@dataclass
class Log:
    """A log with its store, its keys and its folder."""

    store: Engine
    settings: Settings

    @property
    def folder(self) -> Path:
        return self.settings.checkpoint_folder

    def write(self, count: int = 1) -> None:
        record(self.store, [Entry(event=Event.DECISION, time=BEGAN)] * count)

    def keep(self) -> Checkpoint:
        return self.verified(keep(self.store, self.settings))

    def verified(self, signed: Note, keys: int = 1) -> Checkpoint:
        assert len(note.signers(signed, audit_keys.verifiers(self.settings))) == keys
        return note.checkpoint(signed.text)

    def files(self) -> list[str]:
        return [path.read_text("utf-8") for path in checkpoint_files.published(self.folder)]

    def stored(self) -> list[str]:
        order = (AuditCheckpoint.size, AuditCheckpoint.time)
        with reading(self.store) as connection:
            return list(connection.execute(select(AuditCheckpoint.note).order_by(*order)).scalars())


def settings(folder: Path, **more: object) -> Settings:
    about: dict[str, object] = {
        "key_folder": folder / "keys",
        "checkpoint_folder": folder / "checkpoints",
        "public_url": f"https://{ORIGIN}",
    }
    return Settings.model_validate({**about, **more})
