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
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from authz.audit.mentions import ABOUT, CITED, PERSON, RULE, mentions
from authz.audit.record import LONGEST_INDEXED, VERSION, index, indexed

Row = tuple[Any, ...]
_MENTION: Final = 5
_EVENT: Final = 2
"""Which column of many records tells what they are of; their numbers are the first."""
_Text = Annotated[str, msgspec.Meta(max_length=LONGEST_INDEXED)]


class _Ref(msgspec.Struct, frozen=True, gc=False):
    id: _Text = ""
    type: _Text = ""


_NOBODY: Final = _Ref()


class _Members(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The members of a plain record that something follows from; others are passed over.

    They stand here as they do in a record, by name: so each is found at the first look.
    """

    action: _Text = ""
    application: _Text = ""
    decision: bool | None = None
    detail: msgspec.Raw | None = None
    event: _Text
    purpose: _Text = ""
    reason: _Text = ""
    request_id: _Text = ""
    resource: _Ref = _NOBODY
    rules: tuple[_Text, ...] = ()
    subject: _Ref = _NOBODY
    time: _Text
    v: int


_decode: Final = msgspec.json.Decoder(_Members).decode
_encode: Final = msgspec.json.Encoder().encode
_UNREAD: Final = _Members(v=0, time="", event="")
NO_RECORD: Final = (ValueError, KeyError, TypeError, AttributeError, RecursionError)
"""What reading bytes that are no record may fail with, whoever put them there."""
_DECISION: Final = {None: "", True: "permit", False: "refuse"}
_STRANGE: Final = (b"sha256:", b"\\u0000")
"""What a text that is not its own index has in it; longer ones were not read at all."""


class Said(NamedTuple):
    """What follows from a record: its index columns, and the rows of what it mentions.

    A row of ``mentions`` is number, what, name, how and time.
    """

    columns: tuple[str, ...]
    mentions: list[Row]


class Together(NamedTuple):
    """The same of neighbours, as lists of the numbers and of what stands beside them."""

    columns: list[list[Any]]
    mentions: list[list[Any]]

    @property
    def events(self) -> list[str]:
        """What each record is of."""
        return self.columns[_EVENT]


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
    except NO_RECORD:
        return None


def together(first: int, bodies: Sequence[bytes]) -> Together | None:
    """What follows from the records from that number on; nothing where one is no record."""
    found = _all_read(bodies)
    columns = _columns(found)
    odd: dict[int, Said] = {}
    for at in _odd(found, columns):
        told = said(first + at, bodies[at])
        if told is None:
            return None
        odd[at] = told
        for column, text in zip(columns, told.columns, strict=True):
            column[at] = text
    numbers: list[Any] = [*range(first, first + len(found))]
    return Together([numbers, *columns], _mentions(first, found, odd))


def _all_read(bodies: Sequence[bytes]) -> list[_Members]:
    try:
        return [_decode(body) for body in bodies]
    except NO_RECORD:
        return [_read(body) for body in bodies]


def _read(body: bytes) -> _Members:
    try:
        return _decode(body)
    except NO_RECORD:
        return _UNREAD


def _odd(found: Sequence[_Members], columns: list[list[Any]]) -> Iterable[int]:
    """Which are not plain; strange texts are looked for in all at once, and seldom there."""
    details, versions = [each.detail for each in found], [each.v for each in found]
    odd = {at for at, each in enumerate(details) if each is not None}
    if versions.count(VERSION) < len(found):
        odd |= {at for at, each in enumerate(versions) if each != VERSION}
    spelt = _encode(columns)
    if any(each in spelt for each in _STRANGE):
        odd |= {at for at, each in enumerate(found) if _is_strange(each)}
    return odd


def _is_strange(found: _Members) -> bool:
    """Whether one of its texts goes into the index as another one."""
    subject, resource = found.subject, found.resource
    texts = (
        *(found.application, found.request_id, found.action, found.purpose, found.reason),
        *(subject.type, subject.id, resource.type, resource.id, *found.rules),
    )
    return any(indexed(each) != each for each in texts)


def _columns(found: Sequence[_Members]) -> list[list[Any]]:
    """The index of plain records, a column after the other."""
    return [
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
    ]


def _mentions(first: int, found: Sequence[_Members], odd: Mapping[int, Said]) -> list[list[Any]]:
    rows = list(_mentioned(first, found, odd))
    return [[row[at] for row in rows] for at in range(_MENTION)]


def _mentioned(first: int, found: Sequence[_Members], odd: Mapping[int, Said]) -> Iterator[Row]:
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
