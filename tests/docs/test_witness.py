"""The witness of the documentation, against an application: it follows a log that grows."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine

from authz.audit import note
from authz.audit.log import record
from authz.audit.record import Entry
from authz.errors import AuditDamagedError
from authz.service import audit_keys
from authz.service.checkpoints import keep, newest
from authz.service.tokens import create_token
from authz.vocabulary import Event
from tests.api.conftest import Client, open_client
from tests.conftest import ROOT
from tests.stores.checkpoint_log import BEGAN

PAGE = ROOT / "docs/how-to/witness.py"
Witness = Callable[..., None]


@pytest.fixture
def log(sqlite_url: str, tmp_path: Path) -> Iterator[Client]:
    """An application with a checkpoint, and a token that may read its trail."""
    for client in open_client(sqlite_url, tmp_path, checkpoint_folder=tmp_path / "checkpoints"):
        scopes, day = ["audit:read"], timedelta(days=1)
        token = create_token(client.store, client.settings, "dpo", scopes, day, by="tests")
        keep(client.store, client.settings)
        yield replace(client, token=token)


@pytest.fixture
def witness(log: Client, tmp_path: Path) -> Witness:
    """The script, asking the application without a network."""
    spec = importlib.util.spec_from_file_location("witness", PAGE)
    assert spec is not None
    assert spec.loader is not None
    page: Any = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(page)

    def get(url: str, token: str = "") -> bytes:
        answer = log.ask("GET", url, authorization=f"Bearer {token}" if token else None)
        assert answer.status_code == 200, answer.text
        return bytes(answer.data)

    page.get = get
    return lambda key: page.main("", tmp_path / "witness", key.vkey, log.token)


def write(store: Engine) -> None:
    record(store, [Entry(event=Event.DECISION, time=BEGAN)] * 3)


def test_it_follows_a_log_that_grows(log: Client, witness: Witness, tmp_path: Path) -> None:
    (key,) = audit_keys.verifiers(log.settings)
    for _ in range(3):
        witness(key)
        assert (tmp_path / "witness/latest").read_text("utf-8") == newest(log.store)
        write(log.store)
        keep(log.store, log.settings)
    assert len(list((tmp_path / "witness").iterdir())) == 4


def test_it_keeps_the_old_one_when_the_log_is_another(
    log: Client, witness: Witness, tmp_path: Path
) -> None:
    """Whoever has store and key can sign another history, but not for those who saw this one."""
    (key,) = audit_keys.verifiers(log.settings)
    (private,) = audit_keys.signing(log.settings, first=False)
    seen = note.checkpoint(note.parse(newest(log.store)).text)
    other = note.sign(str(replace(seen, root=bytes(32))), key.name, [private])
    kept = tmp_path / "witness/latest"
    kept.parent.mkdir()
    kept.write_text(str(other), "utf-8")
    write(log.store)
    keep(log.store, log.settings)
    with pytest.raises(ValueError, match="DOES NOT GO ON"):
        witness(key)
    assert kept.read_text("utf-8") == str(other)


def test_it_takes_nothing_that_the_key_did_not_sign(
    log: Client, witness: Witness, tmp_path: Path
) -> None:
    stranger = note.public("pdp.example.test", Ed25519PrivateKey.generate())
    with pytest.raises(ValueError, match="not signed by that key"):
        witness(stranger)
    (key,) = audit_keys.verifiers(log.settings)
    kept = tmp_path / "witness/latest"
    kept.parent.mkdir()
    kept.write_text(newest(log.store).replace("\ntime 2", "\ntime 1"), "utf-8")
    with pytest.raises(AuditDamagedError):
        witness(key)
