"""The hash chain: each record's hash covers its bytes, its number and its predecessor.

Whoever changes, removes, adds or moves a record breaks the chain from there on, and
:func:`check` names the first record at which it shows, and what kind of damage it is
(N-49). The newest hash (the *head*) is kept apart, so that a cut tail shows too; a head
that was cut as well shows against a checkpoint that somebody kept elsewhere.

This module is pure: it reads no clock, file, network or database.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from hashlib import sha256
from itertools import count
from typing import Any, Final, NamedTuple

MAIN: Final = "main"
"""The chain that changes are recorded on, with their change; each writer has one of its own."""

_RECORD: Final = b"authz audit record 1\x00"
_GENESIS: Final = b"authz audit genesis 1\x00"


class Link(NamedTuple):
    """A record as stored: its number, its bytes and the hash kept beside them.

    An ``int`` and twice ``bytes``, if nobody touched it; damage may have made it anything.
    """

    sequence: Any
    body: Any
    hash: Any


class Tip(NamedTuple):
    """A place in the chain: the number of a record and its hash."""

    sequence: int
    hash: bytes


class Kind(StrEnum):
    """What happened to a trail; a :class:`Damage` says to which record."""

    CHANGED = "changed"
    MISSING = "missing"
    REORDERED = "reordered"
    DUPLICATED = "duplicated"
    TAIL_CUT = "tail_cut"
    APPENDED = "appended"
    """A record that the head knows nothing of: put there by hand."""
    HEAD = "head"
    """The head is gone or does not name the newest record's hash."""
    INDEX = "index"
    """A column that searches use does not say what the record says."""
    BATCH = "batch"
    """The order of the tree's leaves has a gap, or names what no chain has next."""
    TILE = "tile"
    """A stored hash of the tree does not follow from the records."""
    SEGMENT = "segment"
    """What was left of retired records is not what the trail says of it."""
    REWRITTEN = "rewritten"
    """The records fit together, but are not those that a checkpoint was signed over."""
    CHECKPOINT = "checkpoint"
    """It is none, not as it was stored, or of another log."""
    SIGNATURE = "signature"
    """No known key signed a checkpoint, or its signature is of another text."""


@dataclass(frozen=True, slots=True)
class Damage:
    """The first record that is not as it was written, and what was done to it."""

    kind: Kind
    sequence: int
    text: str
    chain: str = MAIN

    def of(self, chain: str) -> Damage:
        """The same, of that chain."""
        return replace(self, chain=chain)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a verification found: ``records`` are whole, up to ``damage`` if there is one.

    ``leaves`` of them are in the tree, and its root was that of ``checkpoints`` signed ones.
    """

    records: int
    leaves: int = 0
    checkpoints: int = 0
    damage: Damage | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong."""
        return self.damage is None


def genesis(chain: str = MAIN) -> Tip:
    """The place before the first record; chains differ in it, so records cannot change chains."""
    return Tip(0, sha256(_GENESIS + chain.encode()).digest())


def digest(previous: bytes, sequence: int, body: bytes) -> bytes:
    """The hash of a record: SHA-256 over domain, predecessor (32), number (8), bytes.

    The domain keeps these hashes apart from all others of the service; all parts before
    the bytes have a fixed length, so that no two records hash the same input.
    """
    return sha256(b"%b%b%b%b" % (_RECORD, previous, sequence.to_bytes(8, "big"), body)).digest()


def digests(previous: Sequence[bytes], first: int, bodies: Sequence[bytes]) -> list[bytes]:
    """The hashes of neighbours from record ``first`` on, if each follows its ``previous``.

    One of these may be anything that damage made of a hash; what follows it has none then.
    """
    try:
        return [
            sha256(b"".join((_RECORD, before, number.to_bytes(8, "big"), body))).digest()
            for number, before, body in zip(count(first), previous, bodies, strict=False)
        ]
    except TypeError:
        return []


def follows(tip: Tip, link: Link) -> bool:
    """Whether a stored record is the unharmed successor of ``tip``; it believes no type."""
    return (
        link.sequence == tip.sequence + 1
        and type(link.sequence) is int
        and isinstance(link.body, bytes)
        and digest(tip.hash, link.sequence, link.body) == link.hash
    )


def check(records: Iterable[Link], *, start: Tip, head: Tip | None = None) -> Damage | None:
    """The first damage of the records after ``start``, or nothing.

    ``records`` is walked once; on damage it is walked again to tell what was done, so it
    should begin anew with each ``iter()``. With ``head``, they must end there.
    """
    tip = start
    for link in records:
        if not follows(tip, link):
            return diagnose(tip, link, records)
        tip = Tip(link.sequence, link.hash)
    return check_end(tip, head) if head else None


def check_end(last: Tip, head: Tip) -> Damage | None:
    """Whether the unharmed chain that ends at ``last`` ends where the head says."""
    if last.sequence < head.sequence:
        text = f"the trail ends at record {last.sequence}, but {head.sequence} were written"
        return Damage(Kind.TAIL_CUT, last.sequence + 1, text)
    if last.sequence > head.sequence:
        text = f"there is a record {head.sequence + 1} after the head"
        return Damage(Kind.APPENDED, head.sequence + 1, text)
    if last.hash != head.hash:
        return Damage(Kind.HEAD, head.sequence, "the head has another hash than the newest record")
    return None


def diagnose(tip: Tip, found: Link, records: Iterable[Link]) -> Damage:
    """What was done where ``found`` stands and the successor of ``tip`` should.

    The record that belongs here is looked for everywhere: its hash follows from its bytes,
    ``tip`` and this place alone.
    """
    place = tip.sequence + 1
    if type(found.sequence) is not int:
        return Damage(Kind.CHANGED, place, "a record's number is no number")
    if found.sequence < place:
        return _behind(found.sequence)
    home, twin = _elsewhere(tip, found, records)
    if home is not None:
        return Damage(Kind.REORDERED, place, f"record {place} now stands as record {home}")
    if found.sequence > place:
        span = (
            f"record {place} is"
            if found.sequence == place + 1
            else (f"records {place} to {found.sequence - 1} are")
        )
        return Damage(Kind.MISSING, place, f"{span} missing")
    if twin is not None:
        return Damage(Kind.DUPLICATED, place, f"record {place} is a copy of record {twin}")
    return Damage(Kind.CHANGED, place, f"record {place} is not as it was written")


def _behind(sequence: int) -> Damage:
    """What a record is whose number was passed already."""
    if sequence < 1:
        return Damage(Kind.APPENDED, sequence, "a record stands before the first")
    text = f"record {sequence} stands in the trail a second time"
    return Damage(Kind.DUPLICATED, sequence, text)


def _elsewhere(tip: Tip, found: Link, records: Iterable[Link]) -> tuple[int | None, int | None]:
    """Where the successor of ``tip`` stands now, and which other record ``found`` copies."""
    place, twin = tip.sequence + 1, None
    own = _digest(tip, found)
    for link in records:
        if link == found and found.sequence == place:
            continue
        true = _digest(tip, link)
        if true is not None and (true in (link.hash, found.hash)):
            return link.sequence, None
        if found.sequence == place and own is not None and own == link.hash:
            return link.sequence, None
        if link[1:] == found[1:]:
            twin = link.sequence
    return None, twin


def _digest(tip: Tip, link: Link) -> bytes | None:
    """The hash the record would have after ``tip``; nothing where its bytes are none."""
    return digest(tip.hash, tip.sequence + 1, link.body) if isinstance(link.body, bytes) else None
