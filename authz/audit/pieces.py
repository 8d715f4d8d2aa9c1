"""How a trail is cut into pieces that are small enough to be held in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

JOB: Final = 2048
"""Records in a job: a query costs little beside them, and the processor's cache holds them."""
UNPLACED: Final = -1
"""The position of what is not in the tree yet."""


class Piece(NamedTuple):
    """Records of one chain that follow each other, by number; leaves from ``position`` on."""

    chain: str
    first: int
    length: int
    position: int = UNPLACED
    after: bytes = b""
    """The hash that the first record follows, where the record before it was retired."""

    @property
    def last(self) -> int:
        """The number of the last record."""
        return self.first + self.length - 1


Job = tuple[Piece, ...]


def pieces(chain: str, first: int, last: int) -> Iterator[Piece]:
    """Records ``first`` to ``last``, as one piece; none where there are none."""
    if first <= last:
        yield Piece(chain, first, last - first + 1)


def jobs(found: Iterable[Piece]) -> Iterator[Job]:
    """The pieces cut and put together, so that each job is of about the same size."""
    job: list[Piece] = []
    room: int = JOB
    for piece in found:
        rest = piece
        while rest.length:
            part = rest._replace(length=min(rest.length, room))
            job.append(part)
            room -= part.length
            rest = _after(rest, part.length)
            if not room:
                yield tuple(job)
                job, room = [], JOB
    if job:
        yield tuple(job)


def _after(piece: Piece, length: int) -> Piece:
    """The piece without its first records."""
    placed = piece.position != UNPLACED
    return Piece(
        piece.chain,
        piece.first + length,
        piece.length - length,
        piece.position + length if placed else UNPLACED,
    )
