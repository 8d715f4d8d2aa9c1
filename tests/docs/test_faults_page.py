"""Each fault of the page on faults is tried by the tests that its row names, as the row says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
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
    "in the middle of a commit",
    "disk of the journals is full",
    "disk of the database is full",
    "journals become read-only",
    "database is read-only",
    "stopped and started",
    "clock is set back",
    "Two services on one store",
    "One bit of the database",
    "One bit of a journal",
    "removed, swapped, duplicated or appended by hand, or the tail is cut",
    "checkpoint of another log",
    "old backup is restored",
)
"""The faults that must be tried (N-49)."""
SAID = {
    "every way to a decision": "EVALUATIONS",
    "not ready": '"/readyz"',
    "a new chain is begun": "chain",
    "No answer": "SIGKILL|AuditUnavailableError|not in placed",
    "No connection": "ConnectionRefusedError",
    "end without an answer": r"assert load\.cut",
    "a new worker": "workers",
    "Nothing.": r"answered\(|one_more\(",
    "Both answer": "answered",
    "does not start": r"claim\(",
    "No checkpoint is signed": "CheckpointRefusedError",
    "Nothing more is retired": "AuditDamagedError",
    "Whole": r"\bwhole\b",
    "each answer that arrived": "received|told",
    "its end recorded": "writer_closed",
    "each record once": r"whole\(",
    "other chains go on": "others",
}
"""What a row says in words, and what a test that it names must have."""


@cache
def module(path: str) -> dict[str, ast.stmt]:
    """What a module of tests defines, by name."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return {name: node for node in tree.body for name in names_of(node)}


def names_of(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.ImportFrom) and str(node.module).startswith("tests."):
        yield from (each.name for each in node.names)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (each.id for each in targets if isinstance(each, ast.Name))


def source(path: str, name: str, seen: set[tuple[str, str]]) -> str:
    """The test and all that it uses of the tests' modules, without what is said about them."""
    if (path, name) in seen or name not in module(path):
        return ""
    seen.add((path, name))
    node = module(path)[name]
    if isinstance(node, ast.ImportFrom):
        return source(f"{str(node.module).replace('.', '/')}.py", name, seen)
    used = [each.id for each in ast.walk(node) if isinstance(each, ast.Name)]
    used += [each.arg for each in ast.walk(node) if isinstance(each, ast.arg)]
    parts = [source(path, each, seen) for each in used]
    return "\n".join([said(node), *parts])


def said(node: ast.stmt) -> str:
    if isinstance(node, ast.FunctionDef) and ast.get_docstring(node):
        node = ast.FunctionDef(**{**vars(node), "body": node.body[1:] or [ast.Pass()]})
    return ast.unparse(node).replace("'", '"')


def proven(row: str) -> str:
    seen: set[tuple[str, str]] = set()
    return "\n".join(source(path, name, seen) for path, name in TEST.findall(row))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_each_row_is_held_by_tests_that_there_are(row: str) -> None:
    named = TEST.findall(row)
    assert named, row
    assert row.count("::") == len(named)
    for path, name in named:
        assert isinstance(module(path).get(name), ast.FunctionDef), (path, name)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_what_a_row_says_is_asked_for_by_a_test_that_it_names(row: str) -> None:
    """Each code, status and kind of damage is in a test; and what else is seen, too."""
    _, _, seen, found, *_ = row.split("|")
    text = proven(row)
    for code in re.findall(r"`(\w+)`", seen + found):
        assert f'"{code}"' in text or f"Kind.{code.upper()}" in text, code
    for status in re.findall(r"\b[45]\d\d\b", seen):
        assert re.search(rf"\b{status}\b", text), status
    told = {words for words in SAID if words in seen or words in found}
    assert told, "the row says nothing that is known"
    for words in told:
        assert re.search(SAID[words], text), words


@pytest.mark.parametrize("fault", WANTED)
def test_each_fault_that_must_be_tried_has_a_row(fault: str) -> None:
    assert any(fault in row.split("|")[1] for row in ROWS)
