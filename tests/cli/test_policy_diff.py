"""``authz policy``: lint, test, show, and what a new version would change (4.2)."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT, Shell
from tests.cli.test_commands import PERMIT

PACK = ROOT / "policies/school"


@pytest.fixture
def newer(tmp_path: Path) -> Path:
    """The school pack, in which a parent no longer reads results."""
    folder = shutil.copytree(PACK, tmp_path / "newer")
    text = (folder / "policy.csv").read_text("utf-8")
    line = next(line for line in text.splitlines() if line.startswith("p, parent-read,"))
    changed = line.replace("|assessment_result", "")
    (folder / "policy.csv").write_text(text.replace(line, changed), "utf-8")
    return folder


def test_the_pack_that_is_served_is_linted_tested_and_shown(demo: Shell) -> None:
    assert demo("policy", "lint").returncode == 0
    assert demo("policy", "test").returncode == 0
    shown = json.loads(demo("policy", "show", "--json").stdout)
    assert any(rule["id"] == "parent-read" for rule in shown["permits"])


def test_a_diff_names_the_column_that_changed(demo: Shell, newer: Path) -> None:
    done = demo("policy", "diff", PACK, newer)
    assert done.returncode == 0
    assert "rule parent-read: categories" in done.stdout


def test_a_replay_lists_the_recorded_decisions_that_would_change(demo: Shell, newer: Path) -> None:
    """4.2: what was asked over HTTP is asked again, under both policies."""
    recorded = demo("policy", "diff", PACK, newer, "--replay", "2026-01-01")
    assert recorded.returncode == 0, "a what-if is no access, and is not replayed"
    code = (
        "import json, sys; from authz import config; from authz.service.point import open_point;"
        "from authz.service.decide import Caller; from authz.decision.request import parse;"
        "open_point(config.load()).evaluate([parse(json.loads(sys.argv[1]))], Caller('app'))"
    )
    demo.python(code, json.dumps(PERMIT))
    demo.python(code, json.dumps({**PERMIT, "context": {"purpose": "advice"}}))
    done = demo("policy", "diff", PACK, newer, "--replay", "2026-01-01", "--json")
    assert done.returncode == 1, done.stderr
    flips = json.loads(done.stdout)["decisions"]
    assert len(flips) == 2
    assert all(flip["closes"] for flip in flips)
    assert demo("policy", "diff", PACK, PACK, "--replay", "2026-01-01").returncode == 0
