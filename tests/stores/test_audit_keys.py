"""The keys that sign checkpoints, on both stores: made, kept, changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from authz.audit import note
from authz.audit.tables import AuditRecord
from authz.errors import (
    AuditUnavailableError,
)
from authz.service import audit_keys
from authz.service.checkpoints import keep
from authz.service.database import reading
from authz.vocabulary import Event
from tests.stores.checkpoint_log import Log, settings


@pytest.fixture
def trail(store: Engine, tmp_path: Path) -> Log:
    return Log(store, settings(tmp_path / "own"))


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
