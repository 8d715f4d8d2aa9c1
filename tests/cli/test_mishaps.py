"""Pipes, closed ends, full disks and databases of another release, as the commands meet them."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.waiting import PATIENCE

FACTS = (
    '{"fact": "guardianship", "guardian": "a", "student": "b", "kind": "parent"}\n'
    '{"fact": "person", "id": "a", "given_name": "one\u2028two"}\n'
    '{"fact": "person", "id": "b"}\n'
)


def test_facts_from_a_pipe_are_all_put_on_file(shell: Shell, tmp_path: Path) -> None:
    """It can be read once, and people and what refers to them are read one after the other."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_text, args=(FACTS, "utf-8"), daemon=True)
    writer.start()
    done = shell("import", "facts", pipe)
    writer.join(PATIENCE)
    assert done.stdout.splitlines() == ["recorded 1 guardianship", "recorded 2 person"], done.stderr


def test_standard_input_is_read_as_a_file_is(shell: Shell, tmp_path: Path) -> None:
    """Lines end where JSON Lines end, and a mark of byte order is no part of the first."""
    file = tmp_path / "facts.jsonl"
    file.write_text(FACTS, "utf-8-sig")
    assert shell("import", "facts", file).returncode == 0
    done = shell("import", "facts", "-", stdin=f"\ufeff{FACTS}")
    assert done.stdout.splitlines() == ["replaced 1 guardianship", "replaced 2 person"], done.stderr


def test_a_line_that_is_not_utf8_is_named(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "facts.jsonl"
    file.write_bytes(b'\n{"fact": "person", "id": "\xff"}\n')
    done = shell("import", "facts", file)
    assert (done.returncode, f"{file}:2: It is not UTF-8." in done.stderr) == (2, True)


def test_a_line_without_end_is_not_read_whole(shell: Shell) -> None:
    done = shell("import", "facts", "/dev/zero")
    assert done.returncode == 2
    assert "/dev/zero:1: The line is longer than any fact." in done.stderr


def raw(shell: Shell, *words: str, code: str = "") -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, after a line of Python."""
    run = f"import os, sys; {code or 'pass'}; os.execv(sys.executable, sys.argv[1:])"
    command = [sys.executable, "-c", run, sys.executable, "-m", "authz.cli", *words]
    return subprocess.run(
        command,
        cwd=shell.folder,
        env=shell.environment,
        capture_output=True,
        text=True,
        timeout=2 * PATIENCE,
        check=False,
    )


@pytest.mark.parametrize(
    ("code", "words", "status", "says"),
    [
        ("os.close(1)", ["policy", "show"], 2, "Standard output is closed"),
        ("os.dup2(os.open('/dev/full', os.O_WRONLY), 1)", ["policy", "show"], 1, "No space left"),
        ("os.close(0)", ["evaluate", "-"], 0, ""),
    ],
    ids=["closed", "full", "nothing to read"],
)
def test_an_end_that_is_closed_or_full_is_told(
    shell: Shell, code: str, words: list[str], status: int, says: str
) -> None:
    done = raw(shell, *words, code=code)
    assert done.returncode == status, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_of_a_newer_release_is_left_alone(shell: Shell) -> None:
    path = shell.folder / "authz.db"
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    for words in (["db", "upgrade"], ["evaluate", "-"]):
        done = shell(*words, stdin=json.dumps({}))
        assert done.returncode == 1
        assert "revision 9999, which this release does not know" in done.stderr
        assert "Run `authz db upgrade`" not in done.stderr


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("sqlite:////proc/nowhere/authz.db", "The folder of the database cannot be made"),
        ("postgresql://user:s3cret@host:port/name", "It is no database URL."),
    ],
)
def test_a_database_that_cannot_be_named_is_told(shell: Shell, url: str, says: str) -> None:
    shell.environment["AUTHZ_DATABASE_URL"] = url
    done = shell("db", "upgrade")
    assert done.returncode == 2
    assert says in done.stderr
    assert "s3cret" not in done.stderr
