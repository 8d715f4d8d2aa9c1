"""What the tests of the trail share: entries, stores, and ways to do them harm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, text

from authz.audit.record import Entry, Ref
from authz.audit.tables import Base
from authz.audit.trail import Verdict, verify
from authz.service.database import open_store
from authz.vocabulary import Event

BEGAN = datetime(2026, 5, 4, 1, 30, tzinfo=UTC)


def entry(number: int = 0, **members: Any) -> Entry:
    """A decision like the ones the service records; ``number`` makes it this one."""
    about: dict[str, Any] = {
        "event": Event.DECISION,
        "time": BEGAN + timedelta(seconds=number),
        "application": "portal",
        "request_id": f"req-{number}",
        "subject": Ref("user", f"teacher-{number % 7}"),
        "action": "read",
        "resource": Ref("assessment_result", f"student-{number % 11}"),
        "properties": {"class": "C-17", "fields": ["assessment", "score"]},
        "purpose": "service",
        "decision": number % 3 > 0,
        "rules": ["teacher-read"] if number % 3 else ["custody", "retention"],
        "reason": "" if number % 3 else "custody",
        "obligations": [{"id": "fields", "value": ["assessment", "score"]}],
        "policy": "sha256:0f3a",
        "directory_revision": 42,
    }
    return Entry(**{**about, **members})


def entries(count: int, start: int = 0) -> Sequence[Entry]:
    return [entry(number) for number in range(start, start + count)]


def opened(url: str) -> Engine:
    """The store of that address, as the service opens it, with the trail's tables."""
    engine = open_store(url)
    Base.metadata.create_all(engine)
    return engine


def harm(engine: Engine, *statements: str, **values: Any) -> None:
    """Do to the store what nobody may do."""
    with engine.connect().execution_options(authz_write=True) as connection, connection.begin():
        unguard(connection)
        for statement in statements:
            connection.execute(text(statement), values)


def unguard(connection: Connection) -> None:
    """Take the guards of the trail away, as only the owner of the database can."""
    if connection.dialect.name == "postgresql":
        found = "SELECT t.tgname, c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid"
        rows = connection.execute(text(f"{found} WHERE NOT t.tgisinternal")).all()
        statements = [f"DROP TRIGGER {trigger} ON {table}" for trigger, table in rows]
    else:
        found = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'audit%'"
        statements = [f"DROP TRIGGER {name}" for name in connection.scalars(text(found))]
    for statement in statements:
        connection.execute(text(statement))


def verdict(engine: Engine, **options: Any) -> Verdict:
    with engine.connect() as connection:
        return verify(connection, **options)


def named(engine: Engine, **options: Any) -> tuple[str, int] | None:
    """The kind and place of the damage that verification finds."""
    damage = verdict(engine, **options).damage
    return (damage.kind.value, damage.sequence) if damage else None
