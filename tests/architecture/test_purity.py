"""The pure parts import a named list of modules and touch nothing outside (page 3.2)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
AUTHZ = ROOT / "authz"
PLAIN = {
    "__future__",
    "abc",
    "ast",
    "bisect",
    "collections",
    "collections.abc",
    "contextlib",
    "dataclasses",
    "datetime",
    "enum",
    "functools",
    "hashlib",
    "heapq",
    "itertools",
    "json",
    "marshal",
    "math",
    "operator",
    "re",
    "string",
    "types",
    "typing",
    "unicodedata",
}
OWN = {
    "authz.errors",
    "authz.vocabulary",
    "authz.clock",
    "authz.decision",
    "authz.engine",
    "authz.audit.chain",
    "authz.audit.merkle",
    "authz.audit.record",
}
CASBIN = {"casbin"}
ED25519 = {
    "cryptography.exceptions",
    "cryptography.hazmat.primitives.asymmetric.ed25519",
}
CLIENT = {
    "authz.errors",
    "authz.middleware",
    "base64",
    "decimal",
    "hmac",
    "threading",
    "urllib.parse",
    "uuid",
}
PURE = {
    "decision": PLAIN | OWN - {"authz.engine"},
    "engine": PLAIN | OWN | CASBIN | {"logging", "threading", "simpleeval"},
    **{
        f"review/{name}.py": PLAIN | {"authz.errors", "authz.review"}
        for name in ("advice", "campaign", "definition", "item", "reviewers", "snapshot", "words")
    },
    "audit/chain.py": PLAIN | OWN,
    "audit/record.py": PLAIN | OWN,
    "audit/merkle.py": PLAIN | OWN,
    "audit/tiles.py": PLAIN | OWN,
    "audit/note.py": PLAIN | OWN | {"base64"} | ED25519,
    "audit/mentions.py": PLAIN | OWN,
    "privacy/incidents.py": PLAIN | OWN,
    "privacy/habit.py": PLAIN | OWN,
    "privacy/requests.py": PLAIN | OWN,
    "review/rights.py": PLAIN | OWN,
    "policy/clauses.py": PLAIN | OWN,
    **{
        f"middleware/{name}.py": PLAIN | CLIENT
        for name in (
            *("answer", "question", "shape", "declare", "options", "wire", "breaker", "cache"),
            *("obligations/fields", "obligations/objects", "obligations/pseudonyms"),
        )
    },
    "middleware/permitted.py": PLAIN | CLIENT | {"msgspec.json"},
}
CLOCKS = {"now", "utcnow", "today", "time", "time_ns"}
TIME_TYPES = {"datetime", "date", "time", "dt"}


def _files(place: str) -> list[Path]:
    path = AUTHZ / place
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def _everything() -> list[Path]:
    return sorted(AUTHZ.rglob("*.py"))


def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, node.module or ""


def _under(name: str, allowed: set[str]) -> bool:
    parts = name.split(".")
    return any(".".join(parts[:length]) in allowed for length in range(1, len(parts) + 1))


def _calls(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Dotted names that are called, as far as they are plain names."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node.lineno, ast.unparse(node.func)


def _reads_clock(name: str) -> bool:
    *owner, method = name.split(".")
    return bool(owner) and owner[-1] in TIME_TYPES and method in CLOCKS


@pytest.mark.parametrize("place", PURE)
def test_pure_parts_import_only_what_is_listed(place: str) -> None:
    strangers = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in _files(place)
        for line, name in _imports(_tree(path))
        if not _under(name, PURE[place])
    ]
    assert not strangers


@pytest.mark.parametrize("place", PURE)
def test_pure_parts_read_no_clock_and_no_file(place: str) -> None:
    outside = {"open", "input", "print", "__import__", "clock.now", "now"}
    found = [
        f"{path.relative_to(ROOT)}:{line} calls {name}"
        for path in _files(place)
        for line, name in _calls(_tree(path))
        if name in outside or _reads_clock(name)
    ]
    assert not found


def test_only_the_clock_reads_the_time() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line} calls {name}"
        for path in _everything()
        if path != AUTHZ / "clock.py"
        for line, name in _calls(_tree(path))
        if _reads_clock(name)
    ]
    assert not found


def _named(node: ast.Attribute) -> bool:
    return ast.unparse(node) in {"os.environ", "os.environb", "os.getenv"}


def _reads_environment(tree: ast.AST) -> Iterator[int]:
    """Lines that read a variable; setting one for a worker to be started is no reading."""
    written = {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and id(node) not in written and _named(node):
            yield node.lineno
        if isinstance(node, ast.ImportFrom) and node.module == "os":
            yield from (node.lineno for alias in node.names if "env" in alias.name)


def test_only_the_settings_read_the_environment() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in _everything()
        if path != AUTHZ / "config" / "__init__.py"
        for line in _reads_environment(_tree(path))
    ]
    assert not found


@pytest.mark.parametrize("code", ["os.environ['A']", "os.getenv('A')", "from os import environ"])
def test_reading_the_environment_is_noticed(code: str) -> None:
    assert list(_reads_environment(ast.parse(code)))
    assert not list(_reads_environment(ast.parse("os.environ['A'] = '1'; request.environ")))


def test_all_of_a_review_but_its_tables_is_pure() -> None:
    pure = {place.removeprefix("review/") for place in PURE if place.startswith("review/")}
    assert {path.name for path in (AUTHZ / "review").glob("*.py")} == pure | {
        "__init__.py",
        "tables.py",
    }


def test_pure_places_exist() -> None:
    assert [place for place in PURE if not (AUTHZ / place).exists()] == []
