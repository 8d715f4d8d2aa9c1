"""What a record says, read once and fast: its columns, its mentions, and of which writer (N-49).

Verification asks it of every record. Nearly all are plain: decisions with short texts and
no escapes, whose columns and mentions are the texts themselves. Of the others the columns
are made as they were when the record was written. A test holds both ways to the same.

This module is pure: it reads no clock, file, network or database.
"""

from __future__ import annotations

import json
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
_DECISION: Final = {None: "", True: "permit", False: "refuse"}
_HASHED: Final = b'"sha256:'


class Said(NamedTuple):
    """What follows from a record: its index columns, and the rows of what it mentions.

    A row of ``mentions`` is number, what, name, how and time.
    """

    columns: tuple[str, ...]
    mentions: list[Row]


def said(sequence: int, body: bytes) -> Said | None:
    """What follows from the record of that number; nothing where its bytes are no record."""
    if b"\\" not in body:
        try:
            found = _decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return _slowly(sequence, body)
        # A text that looks like the hash of a long one stands in the index as its own hash;
        # that a policy looks so is usual, and it has no column.
        hashes = body.count(_HASHED)
        plain = not hashes or (hashes == 1 and found.policy.startswith("sha256:"))
        if plain and found.detail is None and found.v == VERSION:
            return _plainly(sequence, found)
    return _slowly(sequence, body)


def members(body: bytes) -> Any:
    """The record as JSON values."""
    return json.loads(body.decode())


def _plainly(sequence: int, found: _Members) -> Said:
    subject, resource, rules, time = found.subject, found.resource, found.rules, found.time
    joined = "|".join(rules)
    columns = (
        time,
        found.event,
        found.application,
        found.request_id,
        subject.type,
        subject.id,
        found.action,
        resource.type,
        resource.id,
        found.purpose,
        _DECISION[found.decision],
        found.reason,
        f"|{joined}|" if joined else "",
    )
    person = resource.id
    rows: list[Row] = [(sequence, PERSON, person, ABOUT, time)] if person else []
    if len(rules) == 1:
        if joined:
            rows.append((sequence, RULE, joined, CITED, time))
    else:
        rows += [(sequence, RULE, rule, CITED, time) for rule in sorted({*rules}) if rule]
    return Said(columns, rows)


def _slowly(sequence: int, body: bytes) -> Said | None:
    try:
        found = members(body)
        if found["v"] != VERSION:
            return None
        time = found["time"]
        rows = [(sequence, *each, time) for each in mentions(found)]
        return Said(tuple(index(found).values()), sorted(rows))
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
