"""Nothing updates or deletes a record; on PostgreSQL the service's role cannot (N-49)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, inspect, make_url, text
from sqlalchemy.exc import DBAPIError

from authz.audit import log, search
from authz.config import Settings
from authz.config.parties import Receiver
from authz.errors import AuthzError, ForbiddenError, NotFoundError, SettingError
from authz.service import checkpoints, delivery, retention, roles, tokens, trail, users
from authz.service.database import open_store, reading, require, upgrade
from authz.service.entities import import_entities
from authz.service.rosters import import_oneroster
from tests.journals import verified
from tests.receivers import receiving
from tests.stores.checkpoint_log import settings as log_settings
from tests.stores.test_audit_support import BEGAN, entries, unguard
from tests.stores.test_roster_kit import BANGKOK, Kit
from tests.world import World, question

ROWS = (
    "INSERT INTO audit_batch VALUES (0, 'main', 1, 2)",
    "INSERT INTO audit_tile VALUES (0, 0, {})",
    "INSERT INTO audit_checkpoint VALUES ('2026', 2, {}, 'note')",
)
HARM = (
    "UPDATE audit_record SET reason = 'x'",
    "UPDATE audit_record SET reason = reason WHERE sequence = 1",
    "DELETE FROM audit_record WHERE sequence = 2",
    "UPDATE audit_batch SET count = 3",
    "DELETE FROM audit_batch",
    "UPDATE audit_checkpoint SET size = 1",
    "DELETE FROM audit_checkpoint",
    "UPDATE audit_tile SET hashes = {other}",
    "UPDATE audit_tile SET hashes = {less}",
    "UPDATE audit_tile SET number = 1",
    "DELETE FROM audit_tile",
    "DELETE FROM audit_head",
)


def octets(store: Engine, value: bytes) -> str:
    quoted = value.hex()
    return f"'\\x{quoted}'" if store.dialect.name == "postgresql" else f"x'{quoted}'"


REPLACED = (
    "CREATE OR REPLACE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN RETURN NULL; END'"
)


def attempt(engine: Engine, *statements: str) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.exec_driver_sql(statement)


@pytest.fixture
def trailed(store: Engine) -> Engine:
    """A store whose trail has records, a batch, a tile and a checkpoint."""
    log.record(store, entries(2))
    with store.begin() as connection:
        for row in ROWS:
            connection.exec_driver_sql(row.format(octets(store, b"ab")))
    return store


@pytest.mark.parametrize("statement", HARM)
def test_nothing_changes_a_record_even_as_the_owner(trailed: Engine, statement: str) -> None:
    harm = statement.format(other=octets(trailed, b"xbc"), less=octets(trailed, b"a"))
    with pytest.raises(DBAPIError, match="trail"), trailed.begin() as connection:
        connection.exec_driver_sql(harm)
    with trailed.begin() as connection:
        unguard(connection)
        connection.exec_driver_sql(harm)


@pytest.mark.parametrize("table", roles.GUARDED)
def test_no_table_of_the_trail_is_emptied(postgres_store: Engine, table: str) -> None:
    with pytest.raises(DBAPIError, match="only added"), postgres_store.begin() as connection:
        connection.execute(text(f"TRUNCATE {table}"))


def test_a_record_is_not_replaced_on_sqlite(sqlite_store: Engine) -> None:
    """REPLACE deletes what stands there, past a trigger that is not told of it."""
    log.record(sqlite_store, entries(1))
    with pytest.raises(DBAPIError, match="only added"), sqlite_store.begin() as connection:
        connection.execute(text("REPLACE INTO audit_record SELECT * FROM audit_record"))


def test_the_last_tile_grows_and_the_head_moves(trailed: Engine) -> None:
    with trailed.begin() as connection:
        grown = "UPDATE audit_tile SET hashes = " + octets(trailed, b"abcd")  # noqa: S608
        assert connection.exec_driver_sql(grown).rowcount == 1
    assert log.record(trailed, entries(1, start=2))[0].sequence == 3


def test_whoever_says_that_he_retires_must_own_the_trail(
    postgres_store: Engine, served: Engine
) -> None:
    log.record(served, entries(1))
    statements = "SET LOCAL authz.retire = 'on'", "DELETE FROM audit_record"
    with pytest.raises(DBAPIError, match="permission denied"):
        attempt(served, *statements)
    with postgres_store.begin() as connection:
        connection.exec_driver_sql("GRANT DELETE ON audit_record TO PUBLIC")
    with pytest.raises(DBAPIError, match="only added"):
        attempt(served, *statements)


def test_the_way_back_takes_the_guards_away(store: Engine) -> None:
    from alembic import command  # noqa: PLC0415

    from authz.service.database import _alembic  # noqa: PLC0415

    with store.connect() as connection:
        command.downgrade(_alembic(connection), "0001")
        connection.commit()
    with pytest.raises(AuthzError, match="Nothing keeps"):
        roles.guarded(store)
    upgrade(store)
    require(store)


LONG = timedelta(days=1)
ROLE = f"authz_service'\"ก{os.getpid()}"
"""Roles belong to the whole server, which other runs may use at the same time."""


@pytest.fixture
def served(postgres_store: Engine) -> Iterator[Engine]:
    """The store as the service opens it: under a role that was granted what it needs."""
    quoted = postgres_store.dialect.identifier_preparer.quote_identifier(ROLE)
    with postgres_store.connect().execution_options(isolation_level="AUTOCOMMIT") as owner:
        owner.execute(text(f"CREATE ROLE {quoted} LOGIN"))
    roles.grant(postgres_store, ROLE, by="op", because="a new server")
    url = make_url(postgres_store.url).set(username=ROLE)
    engine = open_store(url.render_as_string(hide_password=False))
    yield engine
    engine.dispose()
    with postgres_store.connect().execution_options(isolation_level="AUTOCOMMIT") as owner:
        owner.execute(text(f"DROP OWNED BY {quoted}"))
        owner.execute(text(f"DROP ROLE {quoted}"))


def test_the_service_does_all_it_does_under_the_granted_role(
    served: Engine, tmp_path: Path
) -> None:
    require(served)
    Kit(tmp_path, served)
    settings = Settings(key_folder=tmp_path / "keys")
    import_oneroster(served, Kit(tmp_path, served).write(), local=BANGKOK, by="op")
    changed = Kit(tmp_path, served)
    changed.drop("enrollments", "e1")
    import_oneroster(served, changed.write(), local=BANGKOK, by="op")
    world = World().fact("restriction", person="student")
    world.import_into(served, world.facts)
    entities = tmp_path / "entities.json"
    entities.write_text(json.dumps([{"type": "todo", "id": "1"}]))
    import_entities(served, entities, by="op")
    token_id = tokens.create_token(served, settings, "app", ["pdp"], LONG, by="op")
    assert token_id
    tokens.revoke(served, client="app", by="op")
    users.add(served, "siri", person="head", by="op")
    users.reset(served, "siri", by="op")
    users.disable(served, "siri", by="op")
    assert world.ask(served, question("teacher", "read", "assessment_result", "pupil")) is not None
    assert trail.search(served, by="op", person="pupil").records
    checkpoints.sequence_all(served)
    with receiving() as siem:
        to = Receiver(name="siem", url=siem.url)
        assert delivery.attempt(served, "log", to)
        assert siem.taken()
    assert verified(served).damage is None
    assert roles.guarded(served) == "this role can only add to the trail"


@pytest.mark.parametrize("table", roles.GUARDED)
@pytest.mark.parametrize("harm", ["UPDATE {} SET chain = ''", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_granted_role_may_not_even_try(served: Engine, table: str, harm: str) -> None:
    if harm.startswith("UPDATE") and table in roles.MOVED:
        return
    column = {"audit_checkpoint": "note", "audit_segment": "why"}.get(table, "chain")
    sql = harm.format(table).replace("chain", column)
    with pytest.raises(DBAPIError, match="permission denied"), served.begin() as connection:
        connection.exec_driver_sql(sql)


@pytest.mark.parametrize(
    "statement",
    [
        "DROP TABLE audit_record",
        "ALTER TABLE audit_record DISABLE TRIGGER ALL",
        "DROP TRIGGER audit_record_refuse ON audit_record",
        REPLACED,
        "UPDATE alembic_version SET version_num = '0001'",
        "SET session_replication_role = replica",
    ],
)
def test_the_granted_role_cannot_take_the_guards_away(served: Engine, statement: str) -> None:
    with pytest.raises(DBAPIError, match=r"permission denied|must be owner"):
        attempt(served, statement)


def test_the_granted_role_retires_nothing(served: Engine, tmp_path: Path) -> None:
    with pytest.raises(ForbiddenError, match="owner"):
        retention.retire(served, log_settings(tmp_path), older_than=BEGAN, by="service")


def test_every_table_is_granted(postgres_store: Engine, served: Engine) -> None:
    tables = set(inspect(postgres_store).get_table_names())
    for table in tables:
        attempt(served, f'SELECT 1 FROM "{table}" LIMIT 1')  # noqa: S608


def test_the_owner_is_told_that_it_could_change_the_trail(postgres_store: Engine) -> None:
    with pytest.raises(AuthzError, match=r"superuser|owns the trail"):
        roles.guarded(postgres_store)


def test_what_the_role_was_granted_is_in_the_trail(postgres_store: Engine, served: Engine) -> None:
    assert served is not postgres_store
    with reading(postgres_store) as connection:
        (found,) = search.search(connection, event="database_granted").records
    detail = found.record["detail"]
    assert (found.record["resource"]["id"], detail["who"], detail["why"]) == (
        ROLE, "op", "a new server",
    )  # fmt: skip
    assert set(roles.KEPT) <= set(detail["after"]["SELECT, INSERT"])


def test_a_guard_that_was_taken_away_is_told(store: Engine) -> None:
    with store.begin() as connection:
        unguard(connection)
    with pytest.raises(AuthzError, match="audit_record"):
        roles.guarded(store)


def test_roles_that_are_not_there(store: Engine) -> None:
    expected = NotFoundError if store.dialect.name == "postgresql" else SettingError
    with pytest.raises(expected):
        roles.grant(store, "nobody", by="op")
