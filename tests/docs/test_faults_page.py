"""Each fault of the page on faults is tried by the tests that its row names."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/explanation/faults.md"
ROWS = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("|")][2:]
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
WANTED = (
    "Kill -9 of a worker",
    "Kill -9 of all",
    "Kill -9 in the middle of a commit",
    "disk of the journals is full",
    "read-only",
    "stopped and started",
    "clock is set back",
    "Two services on one store",
    "One bit",
    "removed, swapped, duplicated or appended by hand, or the tail is cut",
    "checkpoint of another log",
    "old backup is restored",
)
"""The faults that must be tried (N-49)."""


@cache
def functions(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_each_row_is_held_by_tests_that_there_are(row: str) -> None:
    named = TEST.findall(row)
    assert named, row
    assert row.count("::") == len(named)
    for path, name in named:
        assert name in functions(path), (path, name)


@pytest.mark.parametrize("fault", WANTED)
def test_each_fault_that_must_be_tried_has_a_row(fault: str) -> None:
    assert any(fault in row.split("|")[1] for row in ROWS)
