"""What a record says, read once and fast: its columns, its mentions, and of which writer (N-49).

Verification asks it of every record. Nearly all are plain: decisions with short texts and
no escapes, whose columns and mentions are the texts themselves. :func:`together` takes those
from many records at once; of the others, and one by one, :func:`said` makes them as they were
made when the record was written. A test holds both ways to the same.

This module is pure: it reads no clock, file, network or database.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import count
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from authz.audit.mentions import ABOUT, CITED, PERSON, RULE, mentions
from authz.audit.record import LONGEST_INDEXED, VERSION, index

Row = tuple[Any, ...]
_Text = Annotated[str, msgspec.Meta(max_length=LONGEST_INDEXED)]


class _Ref(msgspec.Struct, frozen=True, gc=False):
    type: _Text = ""
    id: _Text = ""


_NOBODY: Final = _Ref()


class _Members(msgspec.Struct, frozen=True, gc=False):
    """The members of a plain record that something follows from; others are passed over."""

    v: int
    time: _Text
    event: _Text
    application: _Text = ""
    request_id: _Text = ""
    subject: _Ref = _NOBODY
    action: _Text = ""
    resource: _Ref = _NOBODY
    purpose: _Text = ""
    decision: bool | None = None
    reason: _Text = ""
    rules: tuple[_Text, ...] = ()
    policy: str = ""
    detail: msgspec.Raw | None = None


_decode: Final = msgspec.json.Decoder(_Members).decode
_UNREAD: Final = _Members(v=0, time="", event="")
_DECISION: Final = {None: "", True: "permit", False: "refuse"}
_HASH: Final = "sha256:"
_HASHED: Final = b'"sha256:'


class Said(NamedTuple):
    """What follows from a record: its index columns, and the rows of what it mentions.

    A row of ``mentions`` is number, what, name, how and time.
    """

    columns: tuple[str, ...]
    mentions: list[Row]


class Together(NamedTuple):
    """The same of neighbours: a row of ``columns`` is number and columns, ``events`` a list."""

    columns: list[Row]
    mentions: list[Row]
    events: list[str]


def members(body: bytes) -> Any:
    """The record as JSON values."""
    return json.loads(body.decode())


def said(sequence: int, body: bytes) -> Said | None:
    """What follows from the record of that number; nothing where its bytes are no record."""
    try:
        found = members(body)
        if found["v"] != VERSION:
            return None
        time = found["time"]
        rows = [(sequence, *each, time) for each in mentions(found)]
        return Said(tuple(index(found).values()), sorted(rows))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None


def together(first: int, bodies: Sequence[bytes]) -> Together | None:
    """What follows from the records from that number on; nothing where one is no record."""
    found = _all_read(bodies)
    odd: dict[int, Said] = {}
    for at in _odd(bodies, found):
        told = said(first + at, bodies[at])
        if told is None:
            return None
        odd[at] = told
    columns: list[Row] = list(zip(count(first), *_columns(found), strict=False))
    events = [each.event for each in found]
    for at, told in odd.items():
        columns[at] = (first + at, *told.columns)
        events[at] = told.columns[1]
    return Together(columns, list(_mentions(first, found, odd)), events)


def _all_read(bodies: Sequence[bytes]) -> list[_Members]:
    try:
        return [_decode(body) for body in bodies]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return [_read(body) for body in bodies]


def _read(body: bytes) -> _Members:
    try:
        return _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return _UNREAD


def _odd(bodies: Sequence[bytes], found: Sequence[_Members]) -> set[int]:
    """Which are not plain; escapes and hashes are looked for in all at once, and seldom there.

    A text that looks like the hash of a long one stands in the index as its own hash; that a
    policy looks so is usual, and it has no column.
    """
    odd = {at for at, each in enumerate(found) if each.detail is not None or each.v != VERSION}
    joined = b"".join(bodies)
    hashes = sum([each.policy.startswith(_HASH) for each in found])
    if b"\\" in joined or joined.count(_HASHED) != hashes:
        pairs = enumerate(zip(bodies, found, strict=True))
        odd |= {at for at, (body, each) in pairs if _is_strange(body, each)}
    return odd


def _is_strange(body: bytes, found: _Members) -> bool:
    return b"\\" in body or body.count(_HASHED) != found.policy.startswith(_HASH)


def _columns(found: Sequence[_Members]) -> tuple[Iterable[str], ...]:
    """The index of plain records, a column after the other."""
    return (
        [each.time for each in found],
        [each.event for each in found],
        [each.application for each in found],
        [each.request_id for each in found],
        [each.subject.type for each in found],
        [each.subject.id for each in found],
        [each.action for each in found],
        [each.resource.type for each in found],
        [each.resource.id for each in found],
        [each.purpose for each in found],
        [_DECISION[each.decision] for each in found],
        [each.reason for each in found],
        [f"|{all_}|" if (all_ := "|".join(each.rules)) else "" for each in found],
    )


def _mentions(first: int, found: Sequence[_Members], odd: Mapping[int, Said]) -> Iterator[Row]:
    for at, each in enumerate(found):
        if at in odd:
            yield from odd[at].mentions
            continue
        person, time, rules = each.resource.id, each.time, each.rules
        if person:
            yield first + at, PERSON, person, ABOUT, time
        for rule in rules if len(rules) == 1 else sorted({*rules}):
            if rule:
                yield first + at, RULE, rule, CITED, time
