"""The shell examples of the tutorial run as they stand there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TUTORIAL = ROOT / "docs" / "tutorial" / "first-decision.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "..."


def _examples() -> Iterator[tuple[str, list[str]]]:
    """Each command with the lines it should print."""
    for block in BLOCK.findall(TUTORIAL.read_text(encoding="utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *lines = part.splitlines()
            yield command, lines


def _fits(printed: str, expected: list[str]) -> bool:
    pattern = "".join(".*" if line == ANYTHING else re.escape(line + "\n") for line in expected)
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


def test_the_tutorial_does_what_it_says(tmp_path: Path) -> None:
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.defpath}",
        "AUTHZ_DATABASE_URL": f"sqlite:///{tmp_path}/tutorial.db",
        "AUTHZ_KEY_FOLDER": str(tmp_path / "keys"),
        "AUTHZ_CHECKPOINT_FOLDER": str(tmp_path / "checkpoints"),
        "LC_ALL": "C.UTF-8",
    }
    examples = list(_examples())
    assert examples
    for command, expected in examples:
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", command],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, f"{command}\n{done.stderr}"
        assert _fits(done.stdout, expected), f"{command}\n{done.stdout}"
