"""What is never signed, and what goes on all the same, on both stores."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select, update

from authz.audit import note
from authz.audit.log import record
from authz.audit.record import Entry
from authz.audit.tables import (
    AuditBatch,
    AuditCheckpoint,
    AuditHead,
    AuditMention,
    AuditRecord,
    AuditTile,
)
from authz.errors import (
    AuditDamagedError,
    CheckpointRefusedError,
    MalformedError,
    SettingError,
)
from authz.service import audit_keys
from authz.service.checkpoints import keep
from authz.service.database import writing
from authz.vocabulary import Event
from tests.stores.checkpoint_log import BEGAN, Log, settings
from tests.stores.test_audit_support import unguard


@pytest.fixture
def trail(store: Engine, tmp_path: Path) -> Log:
    return Log(store, settings(tmp_path / "own"))


def forget(log: Log, last: int) -> None:
    """Make the store what it was when it had that many records: an old backup."""
    with writing(log.store) as connection:
        unguard(connection)
        for table in (AuditRecord, AuditMention):
            connection.execute(delete(table).where(table.sequence > last))
        tip = select(AuditRecord.hash).where(AuditRecord.sequence == last).scalar_subquery()
        connection.execute(update(AuditHead).values(sequence=last, hash=tip))
        for derived in (AuditBatch, AuditTile):
            connection.execute(delete(derived))
        connection.execute(delete(AuditCheckpoint).where(AuditCheckpoint.size > last))


def test_an_old_backup_is_not_signed_over(trail: Log) -> None:
    trail.write(5)
    trail.keep()
    trail.write(5)
    last = trail.keep()
    forget(trail, 5)
    with pytest.raises(CheckpointRefusedError, match=r"latest: The tree has 5 .* has 10\."):
        trail.keep()
    assert len(trail.stored()) == 1
    assert note.checkpoint(note.parse((trail.folder / "latest").read_text("utf-8")).text) == last


def test_an_old_backup_that_grew_again_is_not_signed_over(trail: Log) -> None:
    trail.write(5)
    trail.keep()
    trail.write(5)
    trail.keep()
    forget(trail, 5)
    record(trail.store, [Entry(event=Event.SEARCH, time=BEGAN)] * 20)
    with pytest.raises(CheckpointRefusedError, match="first 10 leaves are not those"):
        trail.keep()


def test_after_an_old_backup_the_log_goes_on_when_somebody_says_so(trail: Log) -> None:
    """The published checkpoints are kept elsewhere as evidence, and it is signed again."""
    trail.write(5)
    trail.keep()
    trail.write(5)
    trail.keep()
    forget(trail, 5)
    trail.folder.rename(trail.folder.with_name("evidence"))
    assert trail.keep().size == 5


def test_another_history_in_the_database_is_not_signed_over(trail: Log) -> None:
    trail.write(5)
    trail.keep()
    (trail.folder / "latest").unlink()
    with writing(trail.store) as connection:
        unguard(connection)
        connection.execute(update(AuditRecord).where(AuditRecord.sequence == 2).values(body=b"{}"))
        for table in (AuditBatch, AuditTile):
            connection.execute(delete(table))
    with pytest.raises(CheckpointRefusedError, match="the database: The first 5 leaves"):
        trail.keep()


def test_another_logs_checkpoint_in_the_folder(trail: Log, tmp_path: Path) -> None:
    trail.write(2)
    other = Log(trail.store, settings(tmp_path / "other", audit_origin="log.example/other"))
    other.keep()
    with writing(trail.store) as connection:
        unguard(connection)
        connection.execute(delete(AuditCheckpoint))
    trail.folder.parent.mkdir(parents=True)
    other.folder.rename(trail.folder)
    with pytest.raises(CheckpointRefusedError, match=r"of the log 'log\.example/other'"):
        trail.keep()


def test_a_checkpoint_of_our_name_by_another_key(trail: Log, tmp_path: Path) -> None:
    trail.write(2)
    trail.keep()
    other = Log(trail.store, settings(tmp_path / "other"))
    audit_keys.rotate(trail.store, other.settings, by="them")
    other.keep()
    trail.folder.rename(tmp_path / "ours")
    other.folder.rename(trail.folder)
    with pytest.raises(CheckpointRefusedError, match="none of our keys"):
        trail.keep()


def test_a_log_keeps_its_name(trail: Log, tmp_path: Path) -> None:
    trail.keep()
    renamed = Log(trail.store, settings(tmp_path / "own", audit_origin="renamed.example"))
    with pytest.raises(CheckpointRefusedError, match="AUTHZ_AUDIT_ORIGIN"):
        renamed.keep()


@pytest.mark.parametrize(
    "content", [b"", b"rubbish", b"\xff\n\n", b"a\n\n\xe2\x80\x94 a AAAAAAA=\n"]
)
def test_what_is_no_checkpoint_in_the_folder(trail: Log, content: bytes) -> None:
    trail.folder.mkdir(parents=True)
    (trail.folder / "latest").write_bytes(content)
    with pytest.raises((AuditDamagedError, MalformedError), match="no checkpoint"):
        trail.keep()
    assert trail.stored() == []


def test_a_changed_checkpoint_in_the_folder(trail: Log) -> None:
    trail.write(3)
    trail.keep()
    latest = trail.folder / "latest"
    latest.write_text(latest.read_text("utf-8").replace("\n3\n", "\n2\n"), "utf-8")
    with pytest.raises(AuditDamagedError, match="is not of this text"):
        trail.keep()


def test_a_folder_that_cannot_be_written(trail: Log, caplog: pytest.LogCaptureFixture) -> None:
    """It is stored, told, and published with the next one; nothing else stops."""
    trail.folder.parent.mkdir(parents=True)
    trail.folder.write_text("a file stands here")
    trail.write(2)
    with caplog.at_level(logging.ERROR):
        first = keep(trail.store, trail.settings)
    assert "AUTHZ_CHECKPOINT_FOLDER: Checkpoints cannot be published" in caplog.text
    trail.write(2)
    second = keep(trail.store, trail.settings)
    assert trail.stored() == [str(first), str(second)]
    trail.folder.unlink()
    third = keep(trail.store, trail.settings)
    assert trail.files() == [str(first), str(second), str(third), str(third)]


def test_nothing_half_written_is_left(trail: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk, say: no file is there by half, and no draft stays."""
    trail.keep()
    before = sorted(trail.folder.rglob("*"))

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    trail.keep()
    assert sorted(trail.folder.rglob("*")) == before
    monkeypatch.undo()
    trail.keep()
    assert len(trail.files()) == 4


def test_a_missing_key_is_not_made_anew(trail: Log) -> None:
    trail.keep()
    (trail.settings.key_folder / "audit").rename(trail.settings.key_folder / "lost")
    with pytest.raises(SettingError, match=r"key of the audit trail is missing.*rotate"):
        trail.keep()
    assert len(trail.stored()) == 1
    trail.write()


def test_a_lost_key_is_replaced_when_somebody_says_so(trail: Log) -> None:
    trail.keep()
    audit = trail.settings.key_folder / "audit"
    audit.rename(trail.settings.key_folder / "lost")
    audit_keys.rotate(trail.store, trail.settings, by="tests")
    with pytest.raises(CheckpointRefusedError, match="none of our keys"):
        trail.keep()
    trail.folder.rename(trail.folder.with_name("evidence"))
    assert trail.keep().size == 1


@pytest.mark.parametrize("content", ["", "{}", "[", '{"kty":"OKP","crv":"X25519","x":"AAAA"}'])
def test_a_key_that_cannot_be_read(trail: Log, content: str) -> None:
    trail.keep()
    (trail.settings.key_folder / "audit" / "000001.json").write_text(content)
    os.utime(trail.settings.key_folder / "audit", ns=(0, 0))
    with pytest.raises(SettingError, match="AUTHZ_KEY_FOLDER: The key of the audit trail cannot"):
        trail.keep()
    assert len(trail.stored()) == 1
