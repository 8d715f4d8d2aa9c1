"""The tree's hashes in tiles of 256, as C2SP's tlog-tiles lays them out.

Tile ``number`` of level 0 holds the hashes of leaves ``256 * number`` and on; of level n,
the roots of whole tiles of level n-1. Only the last tile of a level grows, so a store of
n leaves writes n / 256 rows and some, and any proof is read from a handful of them.

This module is pure: it reads no clock, file, network or database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from authz.audit.merkle import SIZE, Node, Reader, whole_root

WIDTH: Final = 256
"""Hashes of a whole tile."""
HEIGHT: Final = 8
"""Levels of the tree in a tile: ``2**HEIGHT == WIDTH``."""


class Place(NamedTuple):
    """Where a tile stands."""

    level: int
    number: int


Tiles = Mapping[Place, bytes]
"""Tiles by their places: hashes side by side."""


def counts(size: int) -> list[int]:
    """How many hashes each level has in a tree of that many leaves, while there are any."""
    found = []
    while size:
        found.append(size)
        size >>= HEIGHT
    return found


def edge(size: int) -> list[Place]:
    """The tiles that grow when a leaf is added: the last of each level that is not whole."""
    return [
        Place(level, count // WIDTH) for level, count in enumerate(counts(size)) if count % WIDTH
    ]


def grown(size: int, tiles: Tiles, leaves: Sequence[bytes]) -> dict[Place, bytes]:
    """All tiles that change when ``leaves`` (hashes) follow the first ``size``.

    ``tiles`` holds those of :func:`edge`; a tile that is not of the length that ``size``
    says is an error, as a tree that went on from it would be no tree.
    """
    found: dict[Place, bytes] = {}
    level, added = 0, b"".join(leaves)
    while added:
        number, used = divmod(size, WIDTH)
        begin = tiles.get(Place(level, number), b"") if used else b""
        if len(begin) != used * SIZE:
            raise ValueError(f"tile {number} of level {level} holds another number of hashes")
        row = begin + added
        parts = [row[at : at + WIDTH * SIZE] for at in range(0, len(row), WIDTH * SIZE)]
        found.update((Place(level, number + n), part) for n, part in enumerate(parts))
        added = b"".join(whole_root(split(part)) for part in parts if len(part) == WIDTH * SIZE)
        size, level = size >> HEIGHT, level + 1
    return found


def split(tile: bytes) -> list[bytes]:
    """The hashes of a tile."""
    return [tile[at : at + SIZE] for at in range(0, len(tile), SIZE)]


def place(node: Node) -> tuple[Place, int, int]:
    """The tile that a node follows from, and which of its hashes, from the first to the end."""
    level, inside = divmod(node.level, HEIGHT)
    begin = node.number << inside
    return Place(level, begin // WIDTH), begin % WIDTH, begin % WIDTH + (1 << inside)


def reader(fetch: Callable[[Iterable[Place]], Tiles]) -> Reader:
    """Reads nodes from tiles, all that are needed fetched at once.

    ``LookupError`` where the tiles do not hold a node.
    """

    def read(nodes: Sequence[Node]) -> list[bytes]:
        wanted = [place(node) for node in nodes]
        tiles = fetch({where for where, _, _ in wanted}) if wanted else {}
        found = []
        for where, begin, end in wanted:
            part = tiles.get(where, b"")[begin * SIZE : end * SIZE]
            if len(part) != (end - begin) * SIZE:
                raise LookupError(f"tile {where.number} of level {where.level} is not whole")
            found.append(whole_root(split(part)))
        return found

    return read
