"""Each example tells its story, as its one command does."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.api.server import ROOT
from tests.gateway import proxies

STORY = re.compile(
    r"nobody is signed in +401\n"
    r"her mother, the day before her birthday +200  (?P<seen>.*)\n"
    r"her mother, of another child +403\n"
    r"her mother, on her 20th birthday +403\n"
)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["results-gateway", "results-nginx"])
def test_the_example_tells_its_story(name: str) -> None:
    if name == "results-nginx":
        proxies.program("nginx")
    command = [sys.executable, f"examples/{name}/run.py", "--once"]
    done = subprocess.run(
        command, cwd=ROOT, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    told = STORY.search(done.stdout)
    assert told is not None, (done.stdout, done.stderr)
    assert "ดีมาก" in told["seen"]
    assert "second marker" not in told["seen"]
