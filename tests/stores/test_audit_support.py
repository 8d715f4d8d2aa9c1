"""What the tests of the trail share: entries, stores, and ways to do them harm."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine, insert, text, update

from authz.audit import state, tree
from authz.audit.chain import MAIN, Tip, digest, genesis
from authz.audit.log import encode, record
from authz.audit.mentions import rows as mention_rows
from authz.audit.note import Checkpoint, public, sign
from authz.audit.record import Entry, Ref, timestamp
from authz.audit.sequence import sequence
from authz.audit.tables import (
    INDEX_COLUMNS,
    AuditCheckpoint,
    AuditHead,
    AuditMention,
    AuditRecord,
    Base,
)
from authz.audit.trail import Verdict, verify, verify_range
from authz.service.database import open_store
from authz.vocabulary import Event

BEGAN = datetime(2026, 5, 4, 1, 30, tzinfo=UTC)
LOG = "authz.example/trail"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
VERIFIER = public(LOG, KEY)
MENTION_COLUMNS = AuditMention.__table__.columns.keys()


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
        if {"first", "last", "chain"} & options.keys():
            return verify_range(connection, options.pop("chain", MAIN), **options)
        return verify(connection, **options)


def named(engine: Engine, **options: Any) -> tuple[str, int] | None:
    """The kind and place of the damage that verification finds."""
    damage = verdict(engine, **options).damage
    return (damage.kind.value, damage.sequence) if damage else None


def write_chain(
    engine: Engine, chain: str, count: int, start: int = 0, *, close: bool = False
) -> None:
    """Records of a writer of its own, as its journal would bring them; it is opened on main."""
    with engine.connect() as connection:
        tip = state.heads(connection).get(chain)
    if tip is None:
        record(engine, [_writer(Event.WRITER_OPENED, chain, {})])
        tip = genesis(chain)
    rows: list[dict[str, Any]] = []
    mentioned: list[dict[str, Any]] = []
    for each in entries(count, start):
        encoded = encode(each)
        body, (columns, found) = encoded.body, encoded.found()
        tip = Tip(tip.sequence + 1, digest(tip.hash, tip.sequence + 1, body))
        row = {"chain": chain, "sequence": tip.sequence, "body": body, "hash": tip.hash}
        rows.append({**row, **dict(zip(INDEX_COLUMNS, columns, strict=True))})
        placed = mention_rows(chain, tip.sequence, columns[0], found)
        mentioned += [dict(zip(MENTION_COLUMNS, each, strict=True)) for each in placed]
    with engine.connect().execution_options(authz_write=True) as connection, connection.begin():
        connection.execute(insert(AuditRecord), rows)
        connection.execute(insert(AuditMention), mentioned)
        moved = update(AuditHead).where(AuditHead.chain == chain).values(tip._asdict())
        if not connection.execute(moved).rowcount:
            connection.execute(insert(AuditHead), [{"chain": chain, **tip._asdict()}])
    if close:
        end = {"records": tip.sequence, "hash": tip.hash.hex(), "ended": "closed"}
        record(engine, [_writer(Event.WRITER_CLOSED, chain, end)])


def _writer(event: Event, chain: str, detail: dict[str, Any]) -> Entry:
    return Entry(event=event, time=BEGAN, resource=Ref("writer", chain), detail=detail)


def sequence_all(engine: Engine) -> None:
    """Give every record its place in the tree."""
    with engine.connect().execution_options(authz_write=True) as connection:
        while True:
            with connection.begin():
                if not sequence(connection):
                    return


def signed(
    engine: Engine, *, name: str = LOG, key: Ed25519PrivateKey = KEY, number: int = 0
) -> str:
    """A checkpoint over all leaves, signed and stored; what is published of it."""
    time = timestamp(BEGAN + timedelta(minutes=number))
    with engine.connect().execution_options(authz_write=True) as connection, connection.begin():
        leaves = tree.size(connection)
        root = tree.root(connection, leaves)
        text = str(sign(str(Checkpoint(name, leaves, root, time)), name, [key]))
        row = {"time": time, "size": leaves, "root": root, "note": text}
        connection.execute(insert(AuditCheckpoint), [row])
    return text
