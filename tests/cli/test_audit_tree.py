"""Checkpoints, keys and proofs on the command line, as an operator uses them."""

from __future__ import annotations

import json
from base64 import b64decode
from pathlib import Path

import pytest

from authz.audit import merkle, note
from tests.cli.conftest import Shell


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A log with a few records: each token that is made is one."""
    made = Shell(tmp_path_factory.mktemp("log"))
    made.environment["AUTHZ_AUDIT_ORIGIN"] = "log.example"
    assert "no key yet" in made("audit", "key", "show").stderr
    for name in ("one", "two"):
        assert made("token", "create", "--client", name).returncode == 0
    return made


def test_a_checkpoint_a_proof_and_a_rotation(shell: Shell) -> None:
    first = shell("audit", "checkpoint")
    assert first.returncode == 0, first.stderr
    latest = shell.folder / "checkpoints/latest"
    assert latest.read_text("utf-8") == first.stdout
    old = note.verifier(shell("audit", "key", "show").stdout)
    known = note.checkpoint(note.parse(first.stdout).text)
    assert (known.origin, known.size) == ("log.example", 3)
    assert note.signers(note.parse(first.stdout), [old]) == (old,)

    told = json.loads(shell("audit", "prove", "main-2").stdout)
    leaf = merkle.leaf_hash(told["entry"].encode())
    hashes = [b64decode(each) for each in told["hashes"]]
    assert merkle.verify_inclusion(leaf, told["index"], known.size, hashes, known.root)

    rotated = shell("audit", "key", "rotate")
    new = note.verifier(rotated.stdout)
    assert shell("audit", "key", "show").stdout.split() == [new.vkey, old.vkey]
    second = note.parse(shell("audit", "checkpoint").stdout)
    assert note.signers(second, [old]) == (old,)
    assert note.signers(second, [new]) == (new,)
    assert note.checkpoint(second.text).size == 5


@pytest.mark.parametrize(
    ("words", "status", "code"),
    [(("prove", "2"), 2, "malformed"), (("prove", "main-99"), 1, "not_found")],
)
def test_what_cannot_be_proven(
    shell: Shell, words: tuple[str, ...], status: int, code: str
) -> None:
    done = shell("audit", *words)
    assert (done.returncode, done.stdout) == (status, "")
    assert done.stderr.rstrip().endswith(f"[{code}]")


def test_an_exchanged_store_is_refused(shell: Shell, tmp_path: Path) -> None:
    assert shell("audit", "checkpoint").returncode == 0
    other = Shell(shell.folder)
    other.environment["AUTHZ_AUDIT_ORIGIN"] = "log.example"
    other.environment["AUTHZ_DATABASE_URL"] = f"sqlite:///{tmp_path}/empty.db"
    other.environment["AUTHZ_CHECKPOINT_FOLDER"] = str(shell.folder / "checkpoints")
    done = other("audit", "checkpoint")
    assert (done.returncode, done.stdout) == (1, "")
    assert "[checkpoint_refused]" in done.stderr
