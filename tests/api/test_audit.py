"""Checkpoints, public keys and proofs over HTTP: checked by what they say alone."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from schemathesis import GenerationMode
from sqlalchemy import select

from authz.audit import merkle, note
from authz.audit.tables import AuditRecord
from authz.service.checkpoints import keep
from authz.service.tokens import create_token
from authz.vocabulary import Event
from tests.api.conftest import EVALUATION, Client, open_client, question
from tests.api.shapes import ask_of_any_shape
from tests.journals import trail_of
from tests.stores.test_audit_support import harm

AUDIT = "/api/v1/audit"
INCLUSION = f"{AUDIT}/proof/inclusion"
CONSISTENCY = f"{AUDIT}/proof/consistency"
OPEN = [f"{AUDIT}/{name}" for name in ("checkpoint", "checkpoints", "key")]
PROOFS = [f"{INCLUSION}?record=main-1", f"{CONSISTENCY}?first=1"]


@pytest.fixture
def auditor(store_url: str, tmp_path: Path) -> Iterator[Client]:
    """Somebody who may read the trail, of an application with some records."""
    for client in open_client(store_url, tmp_path, checkpoint_folder=tmp_path / "checkpoints"):
        for _ in range(3):
            assert client.post(EVALUATION, question()).status_code == 200
        scopes, day = ["audit:read"], timedelta(days=1)
        token = create_token(client.store, client.settings, "dpo", scopes, day, by="tests")
        yield replace(client, token=token)


@pytest.fixture
def signed(auditor: Client) -> Client:
    """The same after a checkpoint."""
    keep(auditor.store, auditor.settings)
    return auditor


def verified(client: Client, source: str) -> note.Checkpoint:
    """What a note says, checked with the public keys that the service gives out."""
    keys = [note.verifier(line) for line in client.ask("GET", f"{AUDIT}/key").text.splitlines()]
    found = note.parse(source)
    assert note.signers(found, keys)
    return note.checkpoint(found.text)


@pytest.mark.parametrize("path", OPEN)
def test_checkpoints_and_keys_need_no_token(signed: Client, path: str) -> None:
    answer = signed.ask("GET", path, authorization=None)
    assert answer.status_code == 200
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    plain = not path.endswith("checkpoints")
    assert answer.content_type == ("text/plain; charset=utf-8" if plain else "application/json")


def test_the_newest_checkpoint(signed: Client) -> None:
    found = signed.ask("GET", f"{AUDIT}/checkpoint")
    assert found.headers["Cache-Control"] == "no-cache"
    assert found.text == (signed.settings.checkpoint_folder / "latest").read_text("utf-8")
    assert verified(signed, found.text).origin == "pdp.example.test"


def test_all_checkpoints(signed: Client) -> None:
    for _ in range(3):
        keep(signed.store, signed.settings)
    first = signed.ask("GET", f"{AUDIT}/checkpoints?limit=3").json
    rest = signed.ask("GET", f"{AUDIT}/checkpoints?limit=3&after={first['after']}").json
    assert (len(first["checkpoints"]), len(rest["checkpoints"])) == (3, 1)
    assert "after" not in rest
    for row in (*first["checkpoints"], *rest["checkpoints"]):
        found = verified(signed, row["note"])
        assert (row["time"], row["size"]) == (found.time, found.size)
        assert b64decode(row["root"]) == found.root


def test_a_record_is_proven_to_whoever_has_the_checkpoint(signed: Client) -> None:
    told = signed.ask("GET", f"{INCLUSION}?record=main-2").json
    entry = told["entry"].encode()
    assert entry.startswith(b"main 2\n{")
    known = verified(signed, told["checkpoint"])
    hashes = [b64decode(each) for each in told["hashes"]]
    leaf = merkle.leaf_hash(entry)
    assert merkle.verify_inclusion(leaf, told["index"], known.size, hashes, known.root)
    assert (b64decode(told["leaf"]), b64decode(told["root"])) == (leaf, known.root)


def test_growth_is_proven_to_whoever_has_both_checkpoints(signed: Client) -> None:
    one = verified(signed, signed.ask("GET", f"{AUDIT}/checkpoint").text)
    signed.ask("GET", f"{INCLUSION}?record=main-1")
    keep(signed.store, signed.settings)
    two = verified(signed, signed.ask("GET", f"{AUDIT}/checkpoint").text)
    assert two.size > one.size
    told = signed.ask("GET", f"{CONSISTENCY}?first={one.size}&second={two.size}").json
    hashes = [b64decode(each) for each in told["hashes"]]
    assert merkle.verify_consistency(one.size, two.size, hashes, one.root, two.root)
    assert signed.ask("GET", f"{CONSISTENCY}?first={one.size}").json == told


@pytest.mark.parametrize("path", PROOFS)
def test_asking_for_a_proof_is_recorded(signed: Client, path: str) -> None:
    assert signed.ask("GET", path, x_request_id="proof-1").status_code == 200
    with trail_of(signed.store) as connection:
        row = connection.execute(
            select(AuditRecord.event, AuditRecord.subject_id, AuditRecord.action).where(
                AuditRecord.request_id == "proof-1"
            )
        ).one()
    assert tuple(row) == (Event.TRAIL_READ, "dpo", "prove")


@pytest.mark.parametrize("path", PROOFS)
def test_a_proof_needs_the_scope(signed: Client, client: Client, path: str) -> None:
    answer = signed.ask("GET", path, authorization=None)
    assert (answer.status_code, answer.json["code"]) == (401, "unauthenticated")
    answer = client.ask("GET", path)
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        (INCLUSION, "record"),
        (f"{INCLUSION}?record=", "record"),
        (f"{INCLUSION}?record=main", "record"),
        (f"{INCLUSION}?record=main-x", "record"),
        (f"{INCLUSION}?record=main-1%00", "record"),
        (f"{INCLUSION}?record=main-{'9' * 19}", "record"),
        (f"{INCLUSION}?record=main-1&size=-1", "size"),
        (f"{INCLUSION}?record=main-1&size=x", "size"),
        (f"{INCLUSION}?record=main-1&size=%D9%A1", "size"),
        (f"{INCLUSION}?record=main-1&size={'9' * 5000}", "size"),
        (f"{INCLUSION}?record=main-1&size=999999", "size"),
        (CONSISTENCY, "first"),
        (f"{CONSISTENCY}?first=2&second=1", "first"),
        (f"{CONSISTENCY}?first=1&second=999999", "second"),
        (f"{AUDIT}/checkpoints?limit=0", "limit"),
        (f"{AUDIT}/checkpoints?limit=1001", "limit"),
        (f"{AUDIT}/checkpoints?after=x", "after"),
        (f"{AUDIT}/checkpoints?after=1/%00", "after"),
    ],
)
def test_what_cannot_be_asked(signed: Client, path: str, field: str) -> None:
    answer = signed.ask("GET", path)
    assert (answer.status_code, answer.json.get("field")) == (400, field)
    assert signed.ask("GET", path, accept_language="th").json["detail"].isascii() is False


@pytest.mark.parametrize(
    "query", ["record=main-999", "record=nobody-1", "record=main-3&size=1", "record=main-0"]
)
def test_a_record_that_is_not_in_the_tree(signed: Client, query: str) -> None:
    answer = signed.ask("GET", f"{INCLUSION}?{query}")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


@pytest.mark.parametrize("path", [OPEN[0], OPEN[2], *PROOFS])
def test_before_the_first_checkpoint(auditor: Client, path: str) -> None:
    answer = auditor.ask("GET", path)
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_no_proof_out_of_a_damaged_trail(signed: Client) -> None:
    harm(signed.store, "DELETE FROM audit_record WHERE sequence = 2")
    answer = signed.ask("GET", f"{INCLUSION}?record=main-2")
    assert (answer.status_code, answer.json["code"]) == (500, "internal")


@pytest.mark.slow
@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("path", [*OPEN, INCLUSION, CONSISTENCY])
def test_no_request_of_any_shape_is_a_500(
    sqlite_url: str, tmp_path: Path, path: str, mode: GenerationMode
) -> None:
    for client in open_client(sqlite_url, tmp_path, checkpoint_folder=tmp_path / "checkpoints"):
        keep(client.store, client.settings)
        day = timedelta(days=1)
        token = create_token(client.store, client.settings, "dpo", ["audit:read"], day, by="tests")
        ask_of_any_shape(client, ("GET", path), mode, token)
