"""The tree that the records make, grown anew beside the one that is stored (N-49).

While it grows, its whole tiles are held against the stored ones, and its root against
every signed checkpoint at that checkpoint's size. What differs from a stored tile and from
no checkpoint is a harmed tile; what differs from a checkpoint is another history.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from heapq import merge
from typing import Final

from sqlalchemy import Connection, select

from authz.audit import merkle, state
from authz.audit import tiles as layout
from authz.audit.chain import Damage, Kind
from authz.audit.finding import Damaged
from authz.audit.marks import Mark, Marks
from authz.audit.merkle import SIZE
from authz.audit.pieces import Piece
from authz.audit.segments import Retired
from authz.audit.tables import AuditBatch
from authz.audit.tiles import WIDTH, Place, Tiles

_WHOLE: Final = WIDTH * SIZE
_LEAVES: Final = 16 * WIDTH


def in_tree(connection: Connection, pieces: Sequence[Piece], leaves: Sequence[bytes]) -> None:
    """Hold the leaves of some pieces against the stored tiles; Damaged where one differs."""
    numbers = {
        Place(0, number)
        for piece in pieces
        for number in range(
            piece.position // WIDTH, (piece.position + piece.length - 1) // WIDTH + 1
        )
    }
    stored, rest = state.tiles(connection, numbers), iter(leaves)
    for piece in pieces:
        for offset, leaf in zip(range(piece.length), rest, strict=False):
            number, inside = divmod(piece.position + offset, WIDTH)
            if stored.get(Place(0, number), b"")[inside * SIZE : (inside + 1) * SIZE] != leaf:
                text = f"tile {number} of level 0 has another hash than the record"
                raise Damaged(Damage(Kind.TILE, piece.first + offset, text, piece.chain))


class Growth:
    """A tree of ``size`` leaves; of what it compares with, only the edge is held."""

    def __init__(self, connection: Connection, marks: Marks, size: int = 0) -> None:
        self.connection = connection
        self.size = size
        self.edge = _cut(state.tiles(connection, layout.edge(size)), size) if size else {}
        self.matched = size
        self.checkpoints = 0
        self.pending: Damage | None = None
        self.retired = 0
        self._marks = _of(marks, size)
        self._next = next(self._marks, None)

    def root(self) -> bytes:
        """The root of the tree as it is; LookupError where its tiles were taken away."""
        return merkle.root(self.size, layout.reader(lambda _: self.edge))

    def has(self, mark: Mark) -> bool:
        """Whether this is the tree that the checkpoint was signed over."""
        try:
            return (self.size, self.root()) == (mark.size, mark.root)
        except LookupError:
            return False

    def feed(self, leaves: Sequence[bytes]) -> None:
        """Add the hashes of leaves; stop wherever a checkpoint was signed."""
        self._compare()
        while leaves:
            upto = self._next.size - self.size if self._next else len(leaves)
            self._grow(leaves[:upto])
            leaves = leaves[upto:]
            self._compare()

    def pass_over(self, retired: Retired) -> None:
        """Grow by the leaves of retired records, as the tiles have them, and hold the roots."""
        self.retired = retired.leaves
        for end, root in retired.roots:
            while self.size < end:
                self.feed(self._stored_leaves(min(end, self.size + _LEAVES)))
                if self.size == end and self.root() != root:
                    raise self._torn(f"the first {end} leaves are not those that were retired")

    def _stored_leaves(self, end: int) -> list[bytes]:
        """The leaves from the size on to ``end``, as far as they are in the tiles."""
        numbers = range(self.size // WIDTH, -(-end // WIDTH))
        stored = state.tiles(self.connection, [Place(0, number) for number in numbers])
        row = b"".join(stored.get(Place(0, number), b"") for number in numbers)
        inside = self.size % WIDTH
        leaves = layout.split(row)[inside : inside + end - self.size]
        if len(leaves) < end - self.size or len(leaves[-1]) < SIZE:
            raise self._torn(f"a tile of the retired leaves {self.size} to {end - 1} is not whole")
        return leaves

    def _torn(self, text: str) -> Damaged:
        chain, sequence = self.record(self.matched)
        return Damaged(Damage(Kind.TILE, sequence, text, chain))

    def close(self) -> None:
        """The tree is complete: are its last tiles stored, no others, and no larger root?"""
        self._compare()
        self._hold(self.edge)
        if self.pending is not None:
            raise Damaged(self.pending)
        tiles = sum(-(-count // WIDTH) for count in layout.counts(self.size))
        if state.tile_count(self.connection) != tiles:
            text = f"there are tiles that a tree of {self.size} leaves does not have"
            raise Damaged(Damage(Kind.TILE, 0, text, chain=""))
        if self._next is not None:
            text = (
                f"the tree has {self.size} leaves, but {self._next.name} was signed "
                f"over {self._next.size}"
            )
            raise Damaged(Damage(Kind.TAIL_CUT, 0, text, chain=""))

    def record(self, leaf: int) -> tuple[str, int]:
        """Chain and number of the record that is that leaf."""
        batch = self.connection.execute(
            select(AuditBatch.position, AuditBatch.chain, AuditBatch.sequence)
            .where(AuditBatch.position <= leaf)
            .order_by(AuditBatch.position.desc())
            .limit(1)
        ).one_or_none()
        return (batch[1], batch[2] + leaf - batch[0]) if batch else ("", 0)

    def _grow(self, leaves: Sequence[bytes]) -> None:
        grown = layout.grown(self.size, self.edge, leaves)
        self.size += len(leaves)
        edge = set(layout.edge(self.size))
        self._hold({place: tile for place, tile in grown.items() if place not in edge})
        self.edge = {
            place: grown.get(place) or self.edge[place]
            for place in edge
        }  # fmt: skip

    def _hold(self, tiles: dict[Place, bytes]) -> None:
        """Compare tiles with the stored ones, and note the first leaf that differs."""
        if self.pending is not None or not tiles:
            return
        stored = state.tiles(self.connection, list(tiles))
        for place, tile in sorted(tiles.items()):
            found = stored.get(place, b"")
            if found != tile:
                self.pending = self._differs(place, tile, found)
                return

    def _differs(self, place: Place, tile: bytes, found: object) -> Damage:
        octets = found if isinstance(found, bytes) else b""
        at = next(
            (
                at
                for at in range(0, len(tile), SIZE)
                if octets[at : at + SIZE] != tile[at : at + SIZE]
            ),
            len(tile) - SIZE,
        )
        leaf = (place.number * WIDTH + at // SIZE) << layout.HEIGHT * place.level
        chain, sequence = self.record(leaf)
        text = f"tile {place.number} of level {place.level} does not follow from the records"
        return Damage(Kind.TILE, sequence, text, chain=chain)

    def _compare(self) -> None:
        """Hold the root against the checkpoints of this size."""
        while self._next is not None and self._next.size <= self.size:
            mark = self._next
            if mark.root != self.root():
                raise Damaged(self._rewritten(mark))
            if self.pending is not None:
                raise Damaged(self.pending)
            self.matched = mark.size
            self.checkpoints += 1
            self._next = next(self._marks, None)

    def _rewritten(self, mark: Mark) -> Damage:
        if self.pending is None and mark.size <= self.retired:
            text = f"the tiles of retired records are not those that {mark.name} was signed over"
            return self._torn(text).damage
        if self.pending is not None:
            text = f"it is not the record that {mark.name} was signed over"
            return Damage(Kind.REWRITTEN, self.pending.sequence, text, self.pending.chain)
        chain, sequence = self.record(self.matched)
        text = f"from here on, the records are not those that {mark.name} was signed over"
        return Damage(Kind.REWRITTEN, sequence, text, chain)


def _of(marks: Marks, size: int) -> Iterator[Mark]:
    """All marks of at least that size, those given and those stored."""
    given = (mark for mark in marks.given if mark.size >= size)
    bound = size or -(2**63)
    return (mark for mark in merge(given, marks.stored(bound)) if mark.size >= size)


def _cut(tiles: Tiles, size: int) -> dict[Place, bytes]:
    """Tiles as they were at that size."""
    counts = layout.counts(size)
    return {place: tile[: counts[place.level] % WIDTH * SIZE] for place, tile in tiles.items()}
