"""What the database knows of writers and their chains: begun, ended, and of which store (N-49).

That a chain begins is recorded on the chain ``main`` before its first record is written, so
that a whole chain cannot vanish; and that it ended, with its last number and hash, when all
of it is in the database.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import Any, Final

from sqlalchemy import Connection, Engine, bindparam, literal_column, select
from sqlalchemy.dialects import postgresql, sqlite

from authz import clock
from authz.audit import log
from authz.audit.chain import Tip, genesis
from authz.audit.record import Entry, Ref
from authz.audit.tables import AuditHead, AuditRecord, AuditStore
from authz.vocabulary import Event

_SIZE: Final = 16
_CLOSED: Final = (
    select(AuditRecord.sequence)
    .where(
        AuditRecord.resource_id == bindparam("chain"),
        AuditRecord.event == Event.WRITER_CLOSED.value,
    )
    .limit(1)
)


def new_name() -> str:
    """The name of a chain that begins now."""
    return f"{clock.now():%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}"


def identity(engine: Engine) -> str:
    """The store's own id: by chance, made when it is first asked for."""
    known = select(AuditStore.id).where(AuditStore.number == 1)
    with engine.connect() as connection:
        found = connection.execute(known).scalar_one_or_none()
    if found is None:
        with log.transaction(engine) as connection:
            _add(connection, AuditStore, number=1, id=secrets.token_hex(_SIZE))
            found = connection.execute(known).scalar_one()
    return found


def open_chain(engine: Engine, chain: str) -> None:
    """Give the chain its head and record that it begins, once however often it is tried."""
    with log.transaction(engine) as connection:
        if _add(connection, AuditHead, chain=chain, **genesis(chain)._asdict()):
            log.append(connection, [_entry(Event.WRITER_OPENED, chain, {})])


def close_chain(engine: Engine, chain: str, tip: Tip, ended: str) -> None:
    """Record that the chain ended there, and how, unless it is recorded."""
    with log.transaction(engine) as connection:
        log.Driver(connection).head_of(chain)  # whoever else closes it waits here
        if connection.execute(_CLOSED, {"chain": chain}).first() is None:
            detail = {"records": tip.sequence, "hash": tip.hash.hex(), "ended": ended}
            log.append(connection, [_entry(Event.WRITER_CLOSED, chain, detail)])


def is_closed(engine: Engine, chain: str) -> bool:
    """Whether the end of the chain is recorded."""
    with engine.connect() as connection:
        return connection.execute(_CLOSED, {"chain": chain}).first() is not None


def heads(engine: Engine, chains: Iterable[str]) -> dict[str, Tip]:
    """Up to where the database has each of the chains."""
    query = select(AuditHead.chain, AuditHead.sequence, AuditHead.hash)
    with engine.connect() as connection:
        rows = connection.execute(query.where(AuditHead.chain.in_(list(chains)))).all()
    return {chain: Tip(sequence, digest) for chain, sequence, digest in rows}


def _add(connection: Connection, table: Any, **values: Any) -> bool:
    """Insert the row unless it is there; whether it was not."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table).values(values).on_conflict_do_nothing()
    # Asked of the row itself: not every driver counts the rows of an insert.
    return connection.execute(statement.returning(literal_column("1"))).first() is not None


def _entry(event: Event, chain: str, detail: dict[str, Any]) -> Entry:
    return Entry(
        event=event,
        time=clock.now(),
        application="authz",
        resource=Ref("writer", chain),
        detail=detail,
    )
