"""Whatever changes a fact moves the directory's revision in the same transaction (2.8).

Kept facts stand on it: a writer that forgets would leave every process with facts that
are no longer true.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from authz.cli.demo.school import write
from authz.directory import tables as t
from authz.service.entities import import_entities
from authz.service.record_facts import import_facts
from authz.service.rosters import import_oneroster
from tests.world import BANGKOK, policy

AUTHZ = Path(__file__).resolve().parents[2] / "authz"
REVISION = t.Revision.__tablename__
DIRECTORY = {table.name for table in t.Base.metadata.sorted_tables} - {REVISION}
WRITES = re.compile(
    r"^\s*(?:WITH .*?\)\s*)?(?:INSERT INTO|UPDATE|DELETE FROM)\s+\"?(\w+)",
    re.IGNORECASE | re.DOTALL,
)
TABLES = "authz.directory.tables"
WRITERS = ("authz.directory.recording", "authz.directory.roster")
HELPERS = {"Base", "Recorded", "Dated", "UtcTime", "Revision"}
"""What another package may take from the directory's tables: none of these is a fact."""


OPENING = {"writing", "writing_on"}
"""What opens a transaction that writes."""
THROUGH_OTHERS = {
    *("put_down", "import_facts", "end", "lift_restriction", "undo", "add"),
    *("open_incident", "assign", "amend", "close", "ask_for", "answer_request", "withdraw"),
    *("disable", "reset", "end_sessions", "_ahead"),
}
"""Functions that change facts through another one, or none at all; each is in the walk."""


class Watch:
    """What each committed transaction of a store wrote."""

    def __init__(self, store: Engine) -> None:
        self.open: set[str] = set()
        self.committed: list[set[str]] = []
        event.listen(store, "before_cursor_execute", self._asked)
        event.listen(store, "commit", self._commit)
        event.listen(store, "rollback", lambda _: self.open.clear())

    def _asked(self, _c: object, _cursor: object, statement: str, *_: object) -> None:
        found = WRITES.match(statement)
        if found:
            self.open.add(found.group(1))

    def _commit(self, _: object) -> None:
        if self.open:
            self.committed.append(set(self.open))
        self.open.clear()

    def changes(self) -> list[set[str]]:
        """The transactions that changed a fact."""
        return [written for written in self.committed if written & DIRECTORY]


@pytest.fixture
def watch(store: Engine) -> Watch:
    return Watch(store)


def fact_lines(store: Engine, folder: Path) -> None:
    school = write(folder, date(2026, 11, 20))
    import_oneroster(store, school.roster, local=BANGKOK, by="test")
    lines = school.facts.read_text("utf-8").splitlines()
    catalogue = policy().catalogue
    import_facts(store, lambda: lines, name="f", catalogue=catalogue, local=BANGKOK, by="test")


def entity_lines(store: Engine, folder: Path) -> None:
    file = folder / "entities.json"
    file.write_text(json.dumps([{"type": "todo", "id": "1", "properties": {"owner": "a"}}]))
    import_entities(store, file, by="test")


@pytest.mark.parametrize("change", [fact_lines, entity_lines])
def test_every_transaction_that_changes_a_fact_moves_the_revision(
    store: Engine, watch: Watch, tmp_path: Path, change: Callable[[Engine, Path], None]
) -> None:
    change(store, tmp_path)
    assert watch.changes()
    assert all(REVISION in written for written in watch.changes())


def test_every_function_that_opens_a_transaction_beside_a_writer_advances_the_revision() -> None:
    """What writes facts by itself moves the revision by itself.

    What goes through such a function, the walk over all writers holds to it
    (``tests/architecture/test_every_write_leaves_a_record.py``).
    """
    found = list(writing_functions())
    assert {name for name, _ in found} >= {"import_entities", "import_oneroster"}
    assert {name for name, advances in found if not advances} <= THROUGH_OTHERS


def writing_functions() -> Iterator[tuple[str, bool]]:
    """Functions with ``writing(…)`` or ``writing_on(…)`` in modules that can change a fact."""
    for path in sorted(AUTHZ.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        if not changes_facts(tree):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef) and called(node) & OPENING:
                yield node.name, "advance" in called(node)


def changes_facts(tree: ast.AST) -> bool:
    """Whether the module uses a writer, or writes a table of facts by itself."""
    sources = {source for source, _ in imported(tree)}
    facts = {name for source, name in imported(tree) if source == TABLES} - HELPERS
    if any(source.startswith(WRITERS) for source in sources):
        return True
    return bool(facts) and ("sqlalchemy.dialects" in sources or bool(written(tree) & facts))


def imported(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from ((node.module, alias.name) for alias in node.names)


def written(tree: ast.AST) -> set[str]:
    """The names in ``insert(X)``, ``update(X)`` and ``delete(X)``."""
    return {
        name.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and called(node) & {"insert", "update", "delete"}
        for name in ast.walk(node)
        if isinstance(name, ast.Name)
    }


def called(tree: ast.AST) -> set[str]:
    return {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
