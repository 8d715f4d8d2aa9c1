"""Proofs out of the trail: a record is in it, and it only grew; each is recorded (N-49).

A proof is of use to whoever has a checkpoint from elsewhere: with the record's entry and
some hashes they compute the root, and compare it with the one that was signed.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, select

from authz import clock
from authz.audit import log, note, tree
from authz.audit.merkle import leaf_hash
from authz.audit.record import Entry, Ref
from authz.audit.tables import AuditCheckpoint
from authz.errors import MalformedError
from authz.service import checkpoints
from authz.service.database import reading
from authz.vocabulary import Event

_RECORD: Final = re.compile(r"([0-9A-Za-z-]{1,100})-([0-9]{1,18})", re.ASCII)


def inclusion(
    store: Engine, record: str, leaves: int | None = None, *, by: Ref, request_id: str = ""
) -> dict[str, Any]:
    """That the record ``<chain>-<sequence>`` is in the tree of that size, else of the newest.

    NotFoundError where it is not in it, or there is no checkpoint yet.
    """
    named = _RECORD.fullmatch(record)
    if named is None:
        raise MalformedError(
            "It names no record.", where="record", hint="Say <chain>-<sequence>, such as main-12."
        )
    size = newest_size(store) if leaves is None else leaves
    with reading(store) as connection:
        _require_size(connection, size, "size")
        found = tree.include(connection, named[1], int(named[2]), size)
        signed = _signed(connection, size)
    _recorded(store, by, request_id, {"record": record, "size": size})
    return {
        "record": record,
        "index": found.place,
        "size": found.size,
        "entry": found.entry.decode("utf-8", "backslashreplace"),
        "leaf": _text(leaf_hash(found.entry)),
        "hashes": _texts(found.hashes),
        "root": _text(found.root),
        **signed,
    }


def consistency(
    store: Engine, first: int, second: int | None = None, *, by: Ref, request_id: str = ""
) -> dict[str, Any]:
    """That the tree of ``second`` leaves, else the newest, begins with those of ``first``."""
    size = newest_size(store) if second is None else second
    if first > size:
        raise MalformedError("The first tree is larger than the second.", where="first")
    with reading(store) as connection:
        _require_size(connection, size, "second")
        found = tree.consist(connection, first, size)
        signed = _signed(connection, size)
    _recorded(store, by, request_id, {"first": first, "second": size})
    return {
        "first": found.first,
        "second": found.second,
        "hashes": _texts(found.hashes),
        "first_root": _text(found.first_root),
        "second_root": _text(found.second_root),
        **signed,
    }


def newest_size(store: Engine) -> int:
    """The size of the newest checkpoint; NotFoundError before the first."""
    return note.checkpoint(note.parse(checkpoints.newest(store)).text).size


def _require_size(connection: Connection, leaves: int, where: str) -> None:
    if leaves > tree.size(connection):
        raise MalformedError("The tree is not that large.", where=where)


def _signed(connection: Connection, leaves: int) -> dict[str, str]:
    """A checkpoint of that size, if one was signed."""
    found = connection.execute(
        select(AuditCheckpoint.note)
        .where(AuditCheckpoint.size == leaves)
        .order_by(AuditCheckpoint.time)
        .limit(1)
    ).scalar_one_or_none()
    return {} if found is None else {"checkpoint": found}


def _recorded(store: Engine, by: Ref, request_id: str, asked: Mapping[str, Any]) -> None:
    """Write down who asked for what, before it leaves."""
    entry = Entry(
        event=Event.TRAIL_READ,
        time=clock.now(),
        application="authz",
        request_id=request_id,
        subject=by,
        action="prove",
        detail={"asked": asked},
    )
    log.record(store, [entry])


def _text(digest: bytes) -> str:
    return b64encode(digest).decode()


def _texts(hashes: Sequence[bytes]) -> list[str]:
    return [_text(each) for each in hashes]
