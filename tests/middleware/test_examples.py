"""The examples do what they say, each by its one command."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ("results-flask", "results-fastapi")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_refuses_from_the_birthday_on(name: str) -> None:
    done = subprocess.run(
        [sys.executable, f"examples/{name}/run.py", "--once"],
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = [re.search(r"(.*?)  +(\d{3})\b(.*)", line) for line in done.stdout.splitlines()]
    assert [found[2] for found in told if found] == ["401", "200", "403"]
    assert "examiner_note" not in done.stdout


def test_every_example_is_run_and_listed() -> None:
    listed = (ROOT / "examples/README.md").read_text("utf-8")
    found = {path.parent.name for path in (ROOT / "examples").glob("*/run.py")}
    assert found >= set(EXAMPLES)
    assert [name for name in sorted(found) if name not in listed] == []
