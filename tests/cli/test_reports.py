"""``authz report`` and ``authz incident``, as somebody at a terminal uses them."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Shell


def test_an_officer_goes_from_a_leak_to_its_notice(demo: Shell, tmp_path: Path) -> None:
    """E-07, N-50: open, look whom it concerns, write down, print the notice, close."""
    opened = demo("incident", "open", "A key leaked", "--id", "I-1", "--known-at", "2026-01-01")
    assert opened.returncode == 0, opened.stderr
    assert opened.stdout == "I-1\n"
    assert "The time is over by" in opened.stderr
    file = tmp_path / "notice.pdf"
    printed = demo(
        *("report", "breach", "--since", "2026-01-01", "--incident", "I-1"),
        *("--format", "pdf", "--output", file),
    )
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout == ""
    assert file.read_bytes().startswith(b"%PDF")
    refused = demo("incident", "close", "I-1")
    assert (refused.returncode, "assignee" in refused.stderr) == (1, True)
    assert demo("incident", "update", "I-1", "--cause", "A key in a mail").returncode == 0
    found = json.loads(demo("incident", "show", "I-1").stdout)
    assert [step["action"] for step in found["history"]] == ["incident_opened", "incident_updated"]
    assert "I-1" in demo("incident", "list").stdout
    assert json.loads(demo("incident", "list", "--json").stdout)[0]["late"] is True


def test_a_parent_is_told_and_a_stranger_is_not(demo: Shell) -> None:
    """N-30, N-22: `--for` asks on somebody's behalf."""
    asked = ("report", "access-of", "student-ploy")
    told = demo(*asked, "--for", "parent-suda")
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout)["person"] == "student-ploy"
    refused = demo(*asked, "--for", "parent-anan")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "[forbidden]" in refused.stderr


def test_results_go_to_standard_output_and_wrong_usage_is_two(demo: Shell) -> None:
    """Page 4.2."""
    found = demo("report", "unused", "--days", "30", "--format", "csv", "--language", "en")
    assert found.stdout.lstrip("\ufeff").startswith("Account,Acting as,")
    assert demo("report", "unused", "--days", "0").returncode == 2
    assert demo("report", "breach").returncode == 2
    assert demo("report", "access-of", "x", "--since", "soon").returncode == 2
