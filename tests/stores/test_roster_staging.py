"""A roster is read before its transaction begins; nobody waits for the reading (4.2)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, select, text

from authz.directory import tables as t
from authz.directory.roster.importer import Staged
from authz.errors import RosterError
from authz.service import users
from authz.service.database import reading
from authz.service.rosters import import_oneroster
from tests.stores.test_roster_kit import Kit
from tests.world import BANGKOK


def people(store: Engine) -> int:
    with reading(store) as connection:
        return len(list(connection.scalars(select(t.Person.id))))


def left(store: Engine) -> list[str]:
    """Staging tables of the connections that the pool keeps."""
    with store.connect() as connection:
        if store.dialect.name == "sqlite":
            return list(connection.scalars(text("SELECT name FROM sqlite_temp_master")))
        return inspect(connection).get_temp_table_names()


def imported(kit: Kit, path: Path | None = None, **more: Any) -> int:
    """The people in the roster's tables."""
    summary = import_oneroster(kit.store, path or kit.write(), local=BANGKOK, by="office", **more)
    return summary.tables["person"].added


def test_who_writes_while_a_roster_is_read_need_not_wait(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = Staged.read

    def noted(staged: Staged, *given: Any) -> None:
        read(staged, *given)
        users.add(kit.store, "meanwhile", person=None, by="tests")

    monkeypatch.setattr(Staged, "read", noted)
    assert imported(kit) == people(kit.store) > 0
    assert [each.name for each in users.listed(kit.store)] == ["meanwhile"]


@pytest.mark.parametrize("how", ["kept", "tried", "refused", "unreadable"])
def test_nothing_that_was_staged_is_left(kit: Kit, how: str) -> None:
    if how == "refused":
        kit.rows["users"][0]["enabledUser"] = "perhaps"
    path = kit.write()
    if how == "unreadable":
        (path / "users.csv").write_bytes(b"\xff\xfe")
    if how in ("refused", "unreadable"):
        with pytest.raises(RosterError):
            imported(kit, path)
    else:
        assert imported(kit, path, dry_run=how == "tried") > 0
    assert (people(kit.store) > 0) is (how == "kept")
    assert left(kit.store) == []
    if kit.store.dialect.name == "sqlite":
        with kit.store.connect() as connection:
            size = connection.exec_driver_sql("PRAGMA main.cache_size").scalar_one()
            assert size == -65536  # as it was before
