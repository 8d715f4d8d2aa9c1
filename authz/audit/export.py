"""The trail as a file that can be checked without the service (N-49).

JSON Lines. The first line (``"type": "start"``) says which place the file begins after,
then comes a line for each record (``"type": "record"``: sequence, hash, body), and the
last line (``"type": "end"``) names the last record that belongs into the file. A
``body`` is the record's canonical text, to be hashed as it is in UTF-8; a body that
damage has made no text is given as ``body_hex``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TextIO

from sqlalchemy import Connection, select

from authz.audit.chain import (
    MAIN,
    Damage,
    Kind,
    Link,
    Tip,
    Verdict,
    check,
    check_checkpoint,
    check_end,
    genesis,
    known_place,
)
from authz.audit.record import VERSION
from authz.audit.tables import AuditHead, AuditRecord
from authz.errors import NotFoundError

_BATCH: Final = 2000
_NAMES: Final = {
    "start": {"type", "v", "chain", "sequence", "hash"},
    "record": {"type", "v", "sequence", "hash"},
    "end": {"type", "v", "sequence", "hash"},
}
"""The members of each kind of line, of a record beside its body; a line has no others."""


def export(
    connection: Connection,
    out: TextIO,
    *,
    first: int = 1,
    last: int | None = None,
    chain: str = MAIN,
    progress: Callable[[int], None] | None = None,
) -> int:
    """Write the records ``first`` to ``last`` as JSON Lines; return how many there were."""
    place = AuditRecord.chain == chain
    previous = (
        genesis(chain).hash
        if first <= 1
        else connection.execute(
            select(AuditRecord.hash).where(place, AuditRecord.sequence == first - 1)
        ).scalar_one_or_none()
    )
    if previous is None:
        raise NotFoundError(f"There is no record {first - 1} before record {first}.")
    head = connection.execute(
        select(AuditHead.sequence, AuditHead.hash).where(AuditHead.chain == chain)
    ).one_or_none()
    upto = min(last or 2**63 - 1, head[0] if head else 2**63 - 1)
    _write(out, "start", chain=chain, sequence=first - 1, hash=previous.hex())
    count, after, tip = 0, first - 1, previous
    while rows := connection.execute(
        select(AuditRecord.sequence, AuditRecord.body, AuditRecord.hash)
        .where(place, AuditRecord.sequence > after, AuditRecord.sequence <= upto)
        .order_by(AuditRecord.sequence)
        .limit(_BATCH)
    ).all():
        for sequence, body, digest in rows:
            _write(out, "record", sequence=sequence, hash=digest.hex(), **_text(body))
        after, tip, count = rows[-1][0], rows[-1][2], count + len(rows)
        if progress is not None:
            progress(count)
    end = genesis(chain) if head is None else Tip(*head)
    if last is not None and last < end.sequence:
        end = Tip(after, tip)
    _write(out, "end", sequence=end.sequence, hash=end.hash.hex())
    return count


def verify_export(
    lines: Iterable[str],
    *,
    since: Mapping[str, Any] | None = None,
    progress: Callable[[int], None] | None = None,
) -> Verdict:
    """Whether an exported file is whole, and holds the record that a checkpoint names.

    Damage is told best where ``lines`` can be walked again (a list, not an open file).
    """
    reader = _Reader(lines, progress)
    known = known_place(since, reader.chain) if since is not None else None
    reader.watch(known)
    begin = reader.start.sequence
    damage = reader.damage or check(reader, start=reader.start)
    if damage is None:
        damage = reader.check_end()
    if damage is None and known is not None and known.sequence:
        damage = check_checkpoint(known, reader.seen, begin + reader.count)
    records = reader.count if damage is None else max(0, damage.sequence - begin - 1)
    return Verdict(reader.chain, begin + 1, records, reader.end, damage)


class _Reader:
    """The records of an exported file; on the first pass it notes where the file ends."""

    def __init__(self, lines: Iterable[str], progress: Callable[[int], None] | None) -> None:
        self.lines = lines
        self.progress = progress
        self.first_pass: Iterator[str] | None = iter(lines)
        members = _members(next(self.first_pass, ""))
        self.chain = str(members.get("chain", MAIN))
        self.start = _place(members, "start") or genesis(self.chain)
        self.damage: Damage | None = None
        if _place(members, "start") is None or (
            self.start.sequence == 0 and self.start != genesis(self.chain)
        ):
            self.damage = Damage(Kind.HEAD, 0, "the file has no proper first line")
        self.end: Tip | None = None
        self.known: Tip | None = None
        self.seen: bytes | None = None
        self.count = 0
        self.tip = self.start

    def watch(self, known: Tip | None) -> None:
        """Note the hash of that record when it comes by."""
        self.known = known
        if known is not None and known.sequence == self.start.sequence:
            self.seen = self.start.hash

    def __iter__(self) -> Iterator[Link]:
        if self.first_pass is None:
            yield from (_link(each) for each in map(_members, self.lines) if _is_record(each))
            return
        lines, self.first_pass = self.first_pass, None
        for members in map(_members, lines):
            if not _is_record(members) and self.end is None:
                self.end = _place(members, "end")
                continue
            link = _link(members)
            yield link
            self.count += 1
            self.tip = Tip(link.sequence, link.hash)
            if self.known is not None and link.sequence == self.known.sequence:
                self.seen = link.hash
            if self.progress is not None and self.count % _BATCH == 0:
                self.progress(self.count)

    def check_end(self) -> Damage | None:
        """Whether the file ends where its last line says."""
        if self.end is None:
            return Damage(Kind.TAIL_CUT, self.tip.sequence + 1, "the file has no last line")
        return check_end(self.tip, self.end)


def _write(out: TextIO, kind: str, **members: Any) -> None:
    line = json.dumps({"type": kind, "v": VERSION, **members}, ensure_ascii=False)
    out.write(line + "\n")


def _text(body: bytes) -> dict[str, str]:
    try:
        return {"body": body.decode()}
    except UnicodeDecodeError:
        return {"body_hex": body.hex()}


def _members(line: str) -> dict[str, Any]:
    try:
        members = json.loads(line)
    except ValueError:
        return {}
    return members if isinstance(members, dict) and members.get("v") == VERSION else {}


def _is_record(members: Mapping[str, Any]) -> bool:
    """Whether the line is, or should have been, a record."""
    return members.get("type") not in ("start", "end")


def _place(members: Mapping[str, Any], kind: str) -> Tip | None:
    if members.get("type") != kind or members.keys() != _NAMES[kind]:
        return None
    try:
        tip = Tip(members["sequence"], bytes.fromhex(members["hash"]))
    except (TypeError, ValueError):
        return None
    return tip if type(tip.sequence) is int else None


def _link(members: Mapping[str, Any]) -> Link:
    """The record of a line; one that cannot be read has no number, and follows nothing."""
    nothing = Link(None, None, None)
    if members.get("type") != "record" or members.keys() - {"body", "body_hex"} != _NAMES["record"]:
        return nothing
    try:
        body = members["body"].encode() if "body" in members else bytes.fromhex(members["body_hex"])
        return Link(members["sequence"], body, bytes.fromhex(members["hash"]))
    except (KeyError, TypeError, ValueError, AttributeError):
        return nothing
