"""Finding records: who saw whose data, when and why (N-49, E-07).

Newest first, by keyset: a page begins where the last one ended, however far back, and
costs the same. What is shown is the record itself; columns and mentions only find it.

One of what is asked leads: the one that is likely the rarest, along its index. Where more
is asked, a *window* of :data:`WINDOW` records of that lead is held against the rest. So
every page costs at most a window, whatever is asked together; it may hold fewer records
than its limit, and ``after`` says whether there is more.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    literal,
    literal_column,
    select,
    true,
    tuple_,
)

from authz.audit.mentions import PERSON, RULE
from authz.audit.record import indexed, timestamp
from authz.audit.tables import AuditMention, AuditRecord
from authz.errors import MalformedError
from authz.vocabulary import Event

MOST: Final = 1000
WINDOW: Final = 1000
"""How many records of the lead a page is looked for in."""
_KEY: Final = ("time", "chain", "sequence")
_NUMBERS: Final = 2**63
_ALL: Final = true()
# Written out: no database knows a partial index by a parameter.
_REFUSED: Final = AuditRecord.decision == literal_column("'refuse'")
_RARE: Final = AuditRecord.event != literal_column("'decision'")


@dataclass(frozen=True, slots=True)
class Found:
    """A record that a search found, and where it stands."""

    chain: str
    sequence: int
    hash: str
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """Some records; ``after`` asks for those that follow, and is empty after the last."""

    records: list[Found]
    after: str


@dataclass(frozen=True, slots=True)
class _Term:
    """One thing asked: what it is as the lead of a search, and as one of the rest."""

    table: type[AuditRecord | AuditMention]
    leading: ColumnElement[bool]
    rest: ColumnElement[bool]


def search(
    connection: Connection,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    limit: int = 100,
    after: str = "",
    **asked: Any,
) -> Page:
    """The newest records that fit all that is asked, ``since <= time < until``.

    What may be asked, :func:`conditions` says. MalformedError where ``after`` is no place.
    """
    lead, *others = _terms(**asked)
    rest = [term.rest for term in others if term.rest is not _ALL]
    walk = _Walk(lead, rest, _bounds(lead.table, since, until, after))
    return walk.page(connection, max(1, min(limit, MOST)))


def forward(
    connection: Connection, *, most: int | None = None, **asked: Any
) -> Iterator[list[Found]]:
    """All records that fit, oldest first, or the newest ``most`` of them; read as they are taken.

    What may be asked, :func:`conditions` says. No more than :data:`MOST` are held at once.
    """
    key, fitting = _places(AuditRecord), conditions(**asked)
    if most is not None:
        newest = select(*key).where(*fitting).order_by(*(each.desc() for each in key))
        first = connection.execute(newest.offset(most - 1).limit(1)).one_or_none()
        if first is not None:
            place = tuple_(*(literal(each) for each in first))
            fitting += [AuditRecord.time >= first[0], tuple_(*key) >= place]
    rows = connection.execute(
        select(*key, AuditRecord.hash, AuditRecord.body)
        .where(*fitting)
        .order_by(*key)
        .execution_options(yield_per=MOST)
    )
    return (_found(some) for some in rows.partitions())


def _found(rows: Sequence[Any]) -> list[Found]:
    return [Found(row[1], row[2], row[3].hex(), json.loads(row[4])) for row in rows]


def conditions(
    *, since: datetime | None = None, until: datetime | None = None, **asked: Any
) -> list[ColumnElement[bool]]:
    """The same as what a record must fulfil, for whoever reads all of them.

    ``person`` is whose data, what was changed, or one of the ids that a search listed;
    ``subject`` who asked; each may be several ids of the same. ``rule`` is found where it
    permitted and where it refused; ``application``, ``decision``, ``purpose``,
    ``request_id`` and ``event`` are the record's own.
    """
    fitting = [term.leading if term.table is AuditRecord else term.rest for term in _terms(**asked)]
    return [*fitting, *_bounds(AuditRecord, since, until, "")]


def between(chain: str, first: int = 1, last: int | None = None) -> list[ColumnElement[bool]]:
    """What the records ``first`` to ``last`` of a chain fit."""
    found = [AuditRecord.chain == chain, AuditRecord.sequence >= first]
    return [*found, AuditRecord.sequence <= last] if last is not None else found


def _terms(
    *,
    person: str | Sequence[str] | None = None,
    subject: str | Sequence[str] | None = None,
    application: str | None = None,
    decision: bool | None = None,
    rule: str | None = None,
    purpose: str | None = None,
    request_id: str | None = None,
    event: str | None = None,
) -> list[_Term]:
    """What is asked, the likely rarest first."""
    refusals = _decided("refuse", _REFUSED) if decision is False else None
    by, at = _equal(AuditRecord.subject_id, subject), _equal(AuditRecord.application, application)
    asked = [
        _equal(AuditRecord.request_id, request_id),
        _mentioned(PERSON, person),
        _both(by or at, refusals),
        by if refusals is None else None,
        refusals if by is None and at is None else None,
        _happened(event) if event != Event.DECISION else None,
        _mentioned(RULE, rule),
        at if refusals is None or by is not None else None,
        _equal(AuditRecord.purpose, purpose),
        _plain(_ALL),  # no index is worth its cost for what most records are
        _decided("permit", _ALL) if decision else None,
        _happened(event) if event == Event.DECISION else None,
    ]
    return [term for term in asked if term is not None]


def _plain(condition: ColumnElement[bool]) -> _Term:
    return _Term(AuditRecord, condition, condition)


def _equal(column: Any, value: str | Sequence[str] | None) -> _Term | None:
    """A column and its value, or values; as one of the rest in words that no index knows.

    A database that finds an index for the rest may walk all of it, and leave the window.
    """
    if value is None:
        return None
    return _Term(AuditRecord, _one_of(column, value), _one_of(column.concat(""), value))


def _both(one: _Term | None, other: _Term | None) -> _Term | None:
    """Two things that an index knows together, as one."""
    if one is None or other is None:
        return None
    return _Term(one.table, and_(one.leading, other.leading), and_(one.rest, other.rest))


def _one_of(column: Any, value: str | Sequence[str]) -> ColumnElement[bool]:
    names = [indexed(each) for each in ([value] if isinstance(value, str) else value)]
    found: ColumnElement[bool] = column == names[0] if len(names) == 1 else column.in_(names)
    return found


def _decided(decision: str, leading: ColumnElement[bool]) -> _Term:
    rest = AuditRecord.decision.concat("") == decision
    return _Term(AuditRecord, leading, rest)


def _happened(event: str | None) -> _Term | None:
    """An event; one that is no decision is said to be none, in the words of its index."""
    asked = _equal(AuditRecord.event, event)
    if asked is None or event == Event.DECISION:
        return asked
    return _Term(AuditRecord, and_(asked.leading, _RARE), asked.rest)


def _mentioned(what: str, name: str | Sequence[str] | None) -> _Term | None:
    if name is None:
        return None
    said = and_(AuditMention.what == what, _one_of(AuditMention.name, name))
    here = (AuditMention.chain == AuditRecord.chain, AuditMention.sequence == AuditRecord.sequence)
    return _Term(AuditMention, said, select(1).where(said, *here).exists())


def _bounds(
    table: type[AuditRecord | AuditMention],
    since: datetime | None,
    until: datetime | None,
    after: str,
) -> list[ColumnElement[bool]]:
    """The span of time, and what comes after a place, in the table that is walked."""
    found: list[ColumnElement[bool]] = []
    if since is not None:
        found.append(table.time >= timestamp(since))
    if until is not None:
        found.append(table.time < timestamp(until))
    if after:
        time, chain, sequence = _parsed(after)
        place = tuple_(literal(time), literal(chain), literal(sequence))
        # The bound on time alone is what an index can use.
        found += [table.time <= time, tuple_(*_places(table)) < place]
    return found


def _parsed(after: str) -> tuple[str, str, int]:
    try:
        time, chain, sequence = after.split("/")
        number = int(sequence)
    except ValueError as error:
        raise MalformedError("This is no place in a search.", where="after") from error
    if indexed(after) != after or not 0 <= number < _NUMBERS:
        raise MalformedError("This is no place in a search.", where="after")
    return time, chain, number


def _places(table: type[AuditRecord | AuditMention]) -> list[Any]:
    return [getattr(table, name) for name in _KEY]


@dataclass(frozen=True, slots=True)
class _Walk:
    """Along the index of the lead, newest first, within bounds; the rest is held against it."""

    lead: _Term
    rest: list[ColumnElement[bool]]
    bounds: list[ColumnElement[bool]]

    def page(self, connection: Connection, limit: int) -> Page:
        """What a window of the lead holds, up to the limit."""
        rows = connection.execute(self._fitting(limit + 1)).all()
        shown = rows[:limit]
        last = shown[-1][:3] if len(rows) > limit else None
        if last is None and self.rest:
            last = connection.execute(self._keys().offset(WINDOW - 1).limit(1)).one_or_none()
        return Page(_found(shown), "{}/{}/{}".format(*last) if last is not None else "")

    def _keys(self) -> Select[Any]:
        """The places of the lead, newest first."""
        keys = _places(self.lead.table)
        newest = (key.desc() for key in keys)
        return select(*keys).where(self.lead.leading, *self.bounds).order_by(*newest)

    def _fitting(self, limit: int) -> Select[Any]:
        """The newest records that fit; of one window where there is more than the lead."""
        window = self._keys().limit(WINDOW if self.rest else limit).subquery("walked")
        keys = [window.c[name] for name in _KEY]
        here = and_(AuditRecord.chain == keys[1], AuditRecord.sequence == keys[2])
        return (
            select(*keys, AuditRecord.hash, AuditRecord.body)
            .join_from(window, AuditRecord, here)
            .where(*self.rest)
            .order_by(*(key.desc() for key in keys))
            .limit(limit)
        )
