"""Signing where the trail stands, on both stores: what is signed, and what never is."""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Thread

import pytest
from sqlalchemy import Engine, delete, select, update

from authz import clock
from authz.audit import merkle, note
from authz.audit.log import record
from authz.audit.note import Checkpoint, Note
from authz.audit.record import Entry, Ref
from authz.audit.tables import AuditBatch, AuditCheckpoint, AuditHead, AuditRecord, AuditTile
from authz.config import Settings
from authz.errors import (
    AuditDamagedError,
    AuditUnavailableError,
    CheckpointRefusedError,
    MalformedError,
    NotFoundError,
    SettingError,
)
from authz.service import audit_keys, checkpoint_files, proofs
from authz.service.checkpoints import checkpoint, keep, listed, newest
from authz.service.database import reading, writing
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


@pytest.fixture
def trail(store: Engine, tmp_path: Path) -> Log:
    return Log(store, settings(tmp_path / "own"))


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> list[datetime]:
    """What the clock says next; the last one stays."""
    coming: list[datetime] = [BEGAN]
    monkeypatch.setattr(clock, "now", lambda: coming.pop(0) if len(coming) > 1 else coming[0])
    return coming


def test_a_checkpoint_is_signed_stored_and_published(trail: Log) -> None:
    trail.write(5)
    signed = keep(trail.store, trail.settings)
    found = trail.verified(signed)
    assert (found.origin, found.size) == (ORIGIN, 5)
    assert datetime.fromisoformat(found.time).tzinfo is UTC
    assert trail.stored() == [str(signed)] == [newest(trail.store)]
    assert trail.files() == [str(signed)] * 2
    assert (trail.folder / checkpoint_files.place(found.time)).read_text("utf-8") == str(signed)


def test_the_root_is_the_one_over_the_records(trail: Log) -> None:
    trail.write(300)
    tree = merkle.Frontier()
    with reading(trail.store) as connection:
        for number, body in connection.execute(
            select(AuditRecord.sequence, AuditRecord.body).order_by(AuditRecord.sequence)
        ):
            tree.append(merkle.leaf_hash(b"main %d\n%s" % (number, body)))
    found = trail.keep()
    assert (found.size, found.root) == (300, tree.root())


def test_even_when_nothing_happened(trail: Log) -> None:
    empty = trail.keep()
    assert (empty.size, empty.root) == (0, merkle.EMPTY)
    again = trail.keep()
    assert (again.size, again.root) == (0, merkle.EMPTY)
    assert again.time > empty.time
    assert len(trail.stored()) == 2
    assert len(trail.files()) == 3


def test_each_goes_on_from_the_last(trail: Log) -> None:
    found = []
    for count in (1, 4, 300):
        trail.write(count)
        found.append(trail.keep())
    assert [each.size for each in found] == [1, 5, 305]
    told = proofs.consistency(trail.store, 5, by=US)
    assert (told["first"], told["second"], told["checkpoint"]) == (5, 305, newest(trail.store))


def test_a_clock_set_back(trail: Log, times: list[datetime]) -> None:
    """Moments are what the clock said; size and moment together still tell the newest."""
    times[:] = [BEGAN]
    first = trail.keep()
    times[:] = [BEGAN - timedelta(hours=1)]
    second = trail.keep()
    assert second.time == "2026-11-22T13:15:00.000001Z" > first.time
    trail.write()
    third = trail.keep()
    assert third.time == "2026-11-22T12:15:00.000000Z"
    assert note.checkpoint(note.parse(newest(trail.store)).text) == third
    assert (trail.folder / "latest").read_text("utf-8") == newest(trail.store)
    assert len(trail.files()) == 4


def test_two_at_once(trail: Log) -> None:
    trail.write(50)
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(5):
                keep(trail.store, trail.settings)
        except BaseException as error:  # noqa: BLE001 (told below)
            failed.append(error)

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(audit_keys.verifiers(trail.settings)) == 1
    assert len(trail.stored()) == 15
    assert {note.checkpoint(note.parse(each).text).size for each in trail.stored()} == {50}


def forget(log: Log, last: int) -> None:
    """Make the store what it was when it had that many records: an old backup."""
    with writing(log.store) as connection:
        connection.execute(delete(AuditRecord).where(AuditRecord.sequence > last))
        tip = select(AuditRecord.hash).where(AuditRecord.sequence == last).scalar_subquery()
        connection.execute(update(AuditHead).values(sequence=last, hash=tip))
        for table in (AuditBatch, AuditTile):
            connection.execute(delete(table))
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


def test_a_key_is_for_the_service_alone(trail: Log) -> None:
    trail.keep()
    audit = trail.settings.key_folder / "audit"
    assert audit.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in audit.iterdir()} == {0o600}


def test_rotation(trail: Log) -> None:
    """The next checkpoint has both signatures, the one after it that of the new key alone."""
    before = keep(trail.store, trail.settings)
    (old,) = audit_keys.verifiers(trail.settings)
    new = audit_keys.rotate(trail.store, trail.settings, by="tests")
    assert audit_keys.verifiers(trail.settings) == (new, old)
    both = keep(trail.store, trail.settings)
    after = keep(trail.store, trail.settings)
    assert note.signers(before, [new, old]) == (old,)
    assert note.signers(both, [new, old]) == (new, old)
    assert note.signers(after, [new, old]) == (new,)
    private = [
        '"d"' in path.read_text("ascii")
        for path in sorted((trail.settings.key_folder / "audit").glob("*.json"))
    ]
    assert private == [False, True]


def test_a_rotation_is_recorded_before_there_is_a_key(trail: Log) -> None:
    (old,) = _after_the_first(trail)
    new = audit_keys.rotate(trail.store, trail.settings, by="Mali")
    with reading(trail.store) as connection:
        where = AuditRecord.event == Event.AUDIT_KEY_ROTATED
        (body,) = connection.execute(select(AuditRecord.body).where(where)).scalars()
    for text in (old.vkey, new.vkey, "Mali"):
        assert text.encode() in body


def test_without_a_record_there_is_no_rotation(trail: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = _after_the_first(trail)

    def fail(*_: object) -> None:
        raise AuditUnavailableError("The record could not be written.")

    monkeypatch.setattr("authz.audit.log.record", fail)
    with pytest.raises(AuditUnavailableError):
        audit_keys.rotate(trail.store, trail.settings, by="tests")
    assert audit_keys.verifiers(trail.settings) == keys


def _after_the_first(trail: Log) -> tuple[note.Verifier, ...]:
    trail.keep()
    return audit_keys.verifiers(trail.settings)


def test_before_the_first(trail: Log) -> None:
    with pytest.raises(NotFoundError):
        newest(trail.store)
    with pytest.raises(NotFoundError):
        audit_keys.verifiers(trail.settings)
    with pytest.raises(NotFoundError):
        proofs.inclusion(trail.store, "main-1", by=US)
    assert listed(trail.store) == ([], "")


def test_pages_of_checkpoints(trail: Log) -> None:
    for _ in range(5):
        trail.write()
        trail.keep()
        trail.keep()
    seen: list[str] = []
    after = ""
    while True:
        page = listed(trail.store, limit=3, after=after)
        seen += [row["note"] for row in page.rows]
        after = page.after
        if not after:
            break
    assert seen == list(reversed(trail.stored()))


@pytest.mark.parametrize("after", ["x", "1", "/", "-1/x", "1/\x00", f"{10**30}/T", "١/T"])
def test_no_place_in_the_list(trail: Log, after: str) -> None:
    with pytest.raises(MalformedError):
        listed(trail.store, after=after)


def test_a_checkpoint_signs_only_what_is_in_the_tree(trail: Log) -> None:
    trail.write(4)
    assert trail.verified(checkpoint(trail.store, trail.settings)).size == 0
    assert trail.keep().size == 4
