"""A shell in a folder of its own, and the demo school in one."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.commands import run

ROOT = Path(__file__).parents[2]


class Shell:
    """Runs the command in a folder of its own, with a database of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("AUTHZ_")},
            "PYTHONPATH": str(ROOT),
            "AUTHZ_DATABASE_URL": f"sqlite:///{folder}/authz.db",
            "AUTHZ_KEY_FOLDER": str(folder / "keys"),
            "AUTHZ_POLICY": str(ROOT / "policies/school"),
        }

    def __call__(self, *words: object, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return run(*map(str, words), environment=self.environment, folder=self.folder, stdin=stdin)

    def python(self, code: str, *words: str) -> str:
        """What a Python program prints that uses the same database."""
        done = self.process("-c", code, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def process(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Python with these arguments, in a process of its own."""
        return subprocess.run(
            [sys.executable, *words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """The demo school, loaded by the commands that a person would use."""
    folder = tmp_path_factory.mktemp("demo")
    shell = Shell(folder)
    made = shell("demo", "--prepare-only")
    assert made.returncode == 0, made.stderr
    database = next((folder / "var/demo").glob("*/authz.db"))
    shell.environment["AUTHZ_DATABASE_URL"] = f"sqlite:///{database}"
    return shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """An empty migrated database."""
    shell = Shell(tmp_path)
    assert shell("db", "upgrade").returncode == 0
    return shell
