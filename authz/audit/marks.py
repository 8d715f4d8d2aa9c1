"""Signed checkpoints as a verification needs them: which root the tree had at which size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from sqlalchemy import Connection

from authz.audit import state
from authz.audit.chain import Damage, Kind
from authz.audit.note import Checkpoint, Verifier, checkpoint, parse, signers
from authz.errors import AuditDamagedError, MalformedError


class Source(NamedTuple):
    """A note as somebody has it: its text, and what to call it in a message."""

    name: str
    text: str


class Mark(NamedTuple):
    """What a checkpoint says; the smallest sorts first."""

    size: int
    root: bytes
    name: str
    time: str


def read(source: Source, keys: Sequence[Verifier]) -> Mark | Damage:
    """What a note says, or what is wrong with it; with keys, one of them must have signed."""
    try:
        note = parse(source.text)
        found = checkpoint(note.text)
        signed = signers(note, keys)
    except MalformedError:
        return _damage(Kind.CHECKPOINT, source, "is no checkpoint")
    except AuditDamagedError:
        return _damage(Kind.SIGNATURE, source, "has a signature that is of another text")
    if keys and not signed:
        return _stranger(source, found, keys)
    return Mark(found.size, found.root, source.name, found.time)


def _stranger(source: Source, found: Checkpoint, keys: Sequence[Verifier]) -> Damage:
    names = sorted({key.name for key in keys})
    if found.origin not in names:
        text = f"is of another log, {found.origin}, and this is {', '.join(names)}"
        return _damage(Kind.CHECKPOINT, source, text)
    return _damage(Kind.SIGNATURE, source, "was signed by no key that is known")


def _damage(kind: Kind, source: Source, text: str) -> Damage:
    return Damage(kind, 0, f"{source.name} {text}", chain="")


@dataclass
class Marks:
    """The checkpoints that a trail is held against, the smallest first, and what ails them.

    Those of the store are read as they are needed: there is one for each minute of its life.
    """

    connection: Connection
    keys: Sequence[Verifier]
    damage: Damage | None = None
    given: list[Mark] = field(default_factory=list)

    def add(self, sources: Sequence[Source]) -> None:
        """Checkpoints from elsewhere: published, or kept by somebody."""
        found = [read(source, self.keys) for source in sources]
        self.given = sorted(each for each in found if isinstance(each, Mark))
        for each in found:
            if isinstance(each, Damage):
                self.damage = self.damage or each

    def stored(self, size: int) -> Iterator[Mark]:
        """The checkpoints of the store that are of at least that size."""
        for row in state.checkpoints(self.connection, size):
            source = Source(f"the stored checkpoint of {row.time}", str(row.note))
            found = read(source, self.keys)
            if isinstance(found, Mark) and (found.size, found.root, found.time) != (
                row.size,
                row.root,
                row.time,
            ):
                found = _damage(Kind.CHECKPOINT, source, "is not what its row says")
            if isinstance(found, Mark):
                yield found
            else:
                self.damage = self.damage or found
