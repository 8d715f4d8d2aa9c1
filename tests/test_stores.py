"""The stores of the fixtures are there, migrated, empty and one for each test."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, create_engine, inspect, text


@pytest.mark.parametrize("turn", [1, 2])
def test_each_test_has_a_store_of_its_own(store: Engine, turn: int) -> None:
    assert inspect(store).has_table("person")
    with store.begin() as connection:
        connection.execute(text("CREATE TABLE made_by_a_test (turn integer)"))
        assert connection.execute(text("SELECT count(*) FROM made_by_a_test")).scalar() == 0
        assert turn


def test_stores_are_of_two_kinds(sqlite_store: Engine, postgres_store: Engine) -> None:
    assert (sqlite_store.dialect.name, postgres_store.dialect.name) == ("sqlite", "postgresql")


def test_a_durable_server_forces_commits_to_disk(durable_postgres_url: str) -> None:
    engine = create_engine(durable_postgres_url)
    with engine.connect() as connection:
        assert connection.execute(text("SHOW fsync")).scalar() == "on"
    engine.dispose()
