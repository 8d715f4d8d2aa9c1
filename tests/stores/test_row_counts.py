"""How many rows a statement changed is known on both stores, where the product asks for it.

Of an insert a driver may answer -1, and "nothing was inserted" is then believed to have been
something: such a one is asked for what it inserted, or says that its count be kept.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, delete, insert, literal, select, update

from authz.audit.tables import AuditHour
from authz.service.database import open_store, writing

ROOT = Path(__file__).parents[2]


@pytest.fixture
def connection(store_url: str) -> Iterator[Connection]:
    store = open_store(store_url)
    with writing(store) as found:
        rows = [{"hour": name, "decision": "", "number": 1} for name in ("a", "b", "c")]
        found.execute(insert(AuditHour), rows)
        yield found
    store.dispose()


def test_updates_and_deletes_are_counted(connection: Connection) -> None:
    some = AuditHour.hour < "c"
    assert connection.execute(update(AuditHour).where(some).values(number=2)).rowcount == 2
    assert connection.execute(update(AuditHour).where(some).values(number=2)).rowcount == 2
    assert connection.execute(delete(AuditHour).where(some)).rowcount == 2
    assert connection.execute(delete(AuditHour).where(some)).rowcount == 0


def test_an_insert_of_a_selection_that_says_so_is_counted(connection: Connection) -> None:
    names = ["hour", "decision", "number"]
    new = select(AuditHour.hour + literal("2"), AuditHour.decision, AuditHour.number)
    statement = insert(AuditHour).from_select(names, new, include_defaults=False)
    counted = statement.execution_options(preserve_rowcount=True)
    assert connection.execute(counted).rowcount == 3
    none = insert(AuditHour).from_select(names, new.where(literal(value=False)))
    assert connection.execute(none.execution_options(preserve_rowcount=True)).rowcount == 0


def test_nobody_counts_the_rows_of_another_statement() -> None:
    found = dict(_asking())
    wrong = [
        where
        for where, text in found.items()
        if "preserve_rowcount=True" not in text
        and ("insert(" in text or not ("update(" in text or "delete(" in text))
    ]
    assert len(found) > 5
    assert not wrong


def _asking() -> Iterator[tuple[str, str]]:
    """Each function of the product that asks for a count, and its source."""
    for path in sorted((ROOT / "authz").rglob("*.py")):
        source = path.read_text("utf-8")
        if ".rowcount" not in source:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef):
                text = ast.get_source_segment(source, node) or ""
                if ".rowcount" in text:
                    yield f"{path.relative_to(ROOT)}:{node.name}", text
