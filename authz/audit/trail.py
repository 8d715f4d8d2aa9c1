"""Reading the trail: is it whole, and where does it stand (N-49).

Verification walks the records once, in batches by number and in constant memory, and
holds each against its predecessor, its own hash and its index columns. What it ends with
is held against the head, and, where the caller has one, against a checkpoint kept
elsewhere: whoever can write the store can cut tail and head together, and only a
checkpoint shows that. Searching and exporting have files of their own and are named here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, bindparam, func, select, true

from authz.audit.chain import (
    MAIN,
    Damage,
    Kind,
    Link,
    Tip,
    Verdict,
    check_checkpoint,
    check_end,
    diagnose,
    follows,
    genesis,
    known_place,
)
from authz.audit.export import export, verify_export
from authz.audit.record import VERSION, index, timestamp
from authz.audit.search import Found, Page, search
from authz.audit.tables import INDEX_COLUMNS, AuditHead, AuditRecord

__all__ = [
    "Found",
    "Page",
    "Verdict",
    "checkpoint",
    "export",
    "search",
    "verify",
    "verify_export",
]

BATCH: Final = 2000
_BEFORE_ALL: Final = -(2**63)
_LINK: Final = (AuditRecord.sequence, AuditRecord.body, AuditRecord.hash)
_COLUMNS: Final = tuple(getattr(AuditRecord, name) for name in INDEX_COLUMNS)
_NEXT: Final = (
    (AuditRecord.chain == bindparam("chain"))
    & (AuditRecord.sequence > bindparam("after"))
    & (AuditRecord.sequence <= bindparam("upto"))
)
_ROWS: Final = select(*_LINK, *_COLUMNS).where(_NEXT).order_by(AuditRecord.sequence).limit(BATCH)

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class _State:
    """Head and newest number of a chain, read in one statement: writers move both at once."""

    head: Tip | None
    newest: int


def verify(
    connection: Connection,
    *,
    first: int | None = None,
    last: int | None = None,
    since: Mapping[str, Any] | None = None,
    chain: str = MAIN,
    progress: Progress | None = None,
) -> Verdict:
    """Whether the records ``first`` to ``last`` are as they were written, all if not told.

    ``since`` is a checkpoint: the record it names must still be there, and the walk
    begins after it unless ``first`` says otherwise. Without ``last`` the records must end
    at the head, and no record may stand outside of a chain. ``progress`` is called with
    the number of records done.
    """
    state = _state(connection, chain)
    known = known_place(since, chain) if since is not None else None
    if first is None:
        start = known or genesis(chain)
    else:
        start = _place(connection, chain, first - 1) or Tip(first - 1, b"")
    damage = None
    if known is not None and known.sequence > 0:
        stored = _place(connection, chain, known.sequence)
        damage = check_checkpoint(known, stored.hash if stored else None, state.newest)
    if damage is None and not start.hash:
        damage = Damage(Kind.MISSING, start.sequence, f"record {start.sequence} is missing")
    if damage is not None:
        return Verdict(chain, start.sequence + 1, 0, state.head, damage)
    walk = _Walk(connection, chain, start, state)
    damage = walk.run(last, progress)
    if damage is None:
        damage = _end(walk.tip, state, last) or (None if last else _stray(connection))
    return Verdict(
        chain, start.sequence + 1, walk.tip.sequence - start.sequence, state.head, damage
    )


def checkpoint(connection: Connection, time: datetime, *, chain: str = MAIN) -> dict[str, Any]:
    """Where the trail stands, to be kept elsewhere; it is not signed, so guard the copy."""
    tip = _state(connection, chain).head or genesis(chain)
    return {
        "v": VERSION,
        "chain": chain,
        "sequence": tip.sequence,
        "hash": tip.hash.hex(),
        "time": timestamp(time),
    }


class _Walk:
    """One pass over a chain: ``tip`` is the last record that is whole."""

    def __init__(self, connection: Connection, chain: str, start: Tip, state: _State) -> None:
        self.connection = connection
        self.chain = chain
        self.tip = start
        self.state = state

    def run(self, last: int | None, progress: Progress | None) -> Damage | None:
        """Walk to ``last``, or to the newest record there is; stop at the first damage."""
        begin = self.tip.sequence
        upto = self.state.newest if last is None else last
        after = begin or _BEFORE_ALL
        for rows in _batches(self.connection, self.chain, after, upto):
            for row in rows:
                damage = self._step(row)
                if damage is not None:
                    return damage
            if progress is not None:
                progress(self.tip.sequence - begin)
        return None

    def _step(self, row: Any) -> Damage | None:
        link = Link(row[0], row[1], row[2])
        if not follows(self.tip, link):
            if self.tip == self.state.head:
                text = f"a record was put after the head, which is record {self.tip.sequence}"
                return Damage(Kind.APPENDED, self.tip.sequence + 1, text)
            return diagnose(self.tip, link, _Links(self.connection, self.chain))
        wrong = wrong_column(link.body, row[3:])
        if wrong:
            text = f"column {wrong} of record {link.sequence} is not what the record says"
            return Damage(Kind.INDEX, link.sequence, text)
        self.tip = Tip(link.sequence, link.hash)
        return None


class _Links:
    """All records of a chain, from the beginning with each ``iter()``, in constant memory."""

    def __init__(self, connection: Connection, chain: str) -> None:
        self.connection = connection
        self.chain = chain

    def __iter__(self) -> Iterator[Link]:
        for rows in _batches(self.connection, self.chain, _BEFORE_ALL, 2**63 - 1):
            yield from (Link(row[0], row[1], row[2]) for row in rows)


def _batches(connection: Connection, chain: str, after: int, upto: int) -> Iterator[Any]:
    while True:
        bounds = {"chain": chain, "after": after, "upto": upto}
        rows = connection.execute(_ROWS, bounds).all()
        if not rows:
            return
        yield rows
        after = rows[-1][0]


def wrong_column(body: bytes, columns: Any) -> str:
    """The first index column that does not say what the record says, if there is one."""
    try:
        members = json.loads(body.decode())
        expected = tuple(index(members).values()) if members["v"] == VERSION else ()
    except (ValueError, KeyError, TypeError, AttributeError):
        expected = ()
    if expected == columns:
        return ""
    pairs = zip(INDEX_COLUMNS, expected, columns, strict=False)
    return next((name for name, right, found in pairs if right != found), "body")


def _state(connection: Connection, chain: str) -> _State:
    head = select(AuditHead.sequence, AuditHead.hash).where(AuditHead.chain == chain).subquery()
    newest = select(func.max(AuditRecord.sequence).label("newest")).where(
        AuditRecord.chain == chain
    )
    last = newest.subquery()
    row = connection.execute(
        select(last.c.newest, head.c.sequence, head.c.hash).outerjoin_from(
            last, head, onclause=true()
        )
    ).one()
    return _State(None if row[1] is None else Tip(row[1], row[2]), row[0] or 0)


def _place(connection: Connection, chain: str, sequence: int) -> Tip | None:
    """The record of that number, as its place in the chain; before the first, the genesis."""
    if sequence == 0:
        return genesis(chain)
    found = connection.execute(
        select(AuditRecord.sequence, AuditRecord.hash).where(
            AuditRecord.chain == chain, AuditRecord.sequence == sequence
        )
    ).one_or_none()
    return Tip(*found) if found else None


def _end(tip: Tip, state: _State, last: int | None) -> Damage | None:
    """Whether the walk ended where it should: at ``last``, or at the head."""
    if last is not None and last <= state.newest:
        if tip.sequence < last:
            text = f"record {tip.sequence + 1} is missing"
            return Damage(Kind.MISSING, tip.sequence + 1, text)
        return None
    if state.head is not None:
        return check_end(tip, state.head)
    if tip.sequence:
        return Damage(Kind.HEAD, tip.sequence, "the head is missing")
    return None


def _stray(connection: Connection) -> Damage | None:
    """A record of a chain that has no head: searches would show it, and no chain holds it."""
    chains = set(connection.execute(select(AuditHead.chain)).scalars())
    after: str | None = ""
    while True:
        after = connection.execute(
            select(func.min(AuditRecord.chain)).where(AuditRecord.chain > after)
        ).scalar()
        if after is None:
            return None
        if after not in chains:
            text = f"records of a chain {after!r}, which nobody writes"
            return Damage(Kind.APPENDED, 1, text)
