"""The Merkle tree over the records of all chains: hashes, roots and proofs (RFC 9162, 2.1).

A leaf is a record, in the order that the sequencer gave it. Whoever knows the root at some
size can be shown that a record is a leaf of that tree (inclusion), and that a later tree
has the same leaves first (consistency), by some thirty hashes and without the trail
(N-49).

A :class:`Node` names a whole subtree, of ``2**level`` leaves. Proofs say which nodes they
need and ask for all of them at once, so that a reader can fetch them with one query.

This module is pure: it reads no clock, file, network or database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Final, NamedTuple

SIZE: Final = 32
"""Bytes of a hash."""
EMPTY: Final = sha256(b"").digest()
"""The root of a tree without leaves (RFC 9162, 2.1.1)."""
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


class Node(NamedTuple):
    """The subtree of the leaves from ``number * 2**level`` on, ``2**level`` of them."""

    level: int
    number: int


Reader = Callable[[Sequence[Node]], Sequence[bytes]]
"""Gives the hashes of these nodes, in their order."""


def entry(chain: str, sequence: int, body: bytes) -> bytes:
    r"""What the tree has of a record: ``<chain> <sequence>\n<body>``; it names its place."""
    return b"%s %d\n%s" % (chain.encode(), sequence, body)


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf (RFC 9162, 2.1.1)."""
    return sha256(_LEAF + content).digest()


def leaves(chain: str, first: int, bodies: Iterable[bytes]) -> list[bytes]:
    """The hashes of the leaves that neighbours of a chain are, from record ``first`` on."""
    start = b"%b%b " % (_LEAF, chain.encode())
    return [
        sha256(b"%b%d\n%b" % (start, number, body)).digest()
        for number, body in enumerate(bodies, first)
    ]


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of the node over two others (RFC 9162, 2.1.1)."""
    return sha256(_NODE + left + right).digest()


class Frontier:
    """A tree of which only the roots of its whole subtrees are kept: to append, and its root.

    ``nodes`` are at most one for each level, from the largest subtree (leftmost) to the
    smallest. Together with ``size`` they are all there is to store.
    """

    __slots__ = ("_levels", "size")

    def __init__(self, size: int = 0, nodes: Iterable[bytes] = ()) -> None:
        kept = list(nodes)
        if size < 0 or len(kept) != size.bit_count() or any(len(each) != SIZE for each in kept):
            raise ValueError(f"a tree of {size} leaves has other subtrees")
        self.size = size
        self._levels: list[bytes | None] = [
            kept.pop() if size >> level & 1 else None for level in range(size.bit_length())
        ]

    @property
    def nodes(self) -> tuple[bytes, ...]:
        """The roots of the whole subtrees, the largest first."""
        return tuple(each for each in reversed(self._levels) if each is not None)

    def append(self, leaf: bytes) -> None:
        """Add the hash of one leaf."""
        self.extend((leaf,))

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Add the hashes of leaves; many at once cost a microsecond each."""
        carried = list(leaves)
        self.size += len(carried)
        level = 0
        while carried:
            if level == len(self._levels):
                self._levels.append(None)
            waiting = self._levels[level]
            if waiting is not None:
                carried.insert(0, waiting)
            self._levels[level] = carried.pop() if len(carried) & 1 else None
            carried = _paired(carried)
            level += 1

    def root(self) -> bytes:
        """The root of the tree."""
        return fold(self.nodes)


def _paired(hashes: list[bytes]) -> list[bytes]:
    """The nodes over an even number of neighbours."""
    pairs = iter(hashes)
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(pairs, pairs)]  # noqa: B905 (both are one iterator)


def whole_root(hashes: list[bytes]) -> bytes:
    """The root over a power of two of neighbours."""
    while len(hashes) > 1:
        hashes = _paired(hashes)
    return hashes[0]


def fold(nodes: Sequence[bytes]) -> bytes:
    """The root over whole subtrees, the largest first; without any, that of the empty tree."""
    if not nodes:
        return EMPTY
    root = nodes[-1]
    for left in reversed(nodes[:-1]):
        root = node_hash(left, root)
    return root


def cover(begin: int, end: int) -> list[Node]:
    """The whole subtrees that the leaves ``begin`` to ``end`` consist of, the largest first.

    ``begin`` must be where a subtree of that many leaves may begin, as RFC 9162 cuts them.
    """
    found, size = [], end - begin
    for level in range(size.bit_length() - 1, -1, -1):
        if size >> level & 1:
            found.append(Node(level, begin >> level))
            begin += 1 << level
    return found


def root(size: int, read: Reader) -> bytes:
    """The root of the tree of the first ``size`` leaves."""
    return fold(read(cover(0, size)))


def inclusion_proof(index: int, size: int, read: Reader) -> list[bytes]:
    """The hashes that lead from leaf ``index`` to the root at ``size`` (RFC 9162, 2.1.3.1)."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    return _folded(list(_path(index, 0, size)), read)


def consistency_proof(first: int, second: int, read: Reader) -> list[bytes]:
    """The hashes that show that ``first`` leaves are the first of ``second`` (2.1.4.1).

    Nothing needs to be shown of a tree without leaves, and of a tree and itself.
    """
    if not 0 <= first <= second:
        raise ValueError(f"a tree of {second} leaves does not begin with {first}")
    if first in {0, second}:
        return []
    return _folded(list(_subproof(first, 0, second)), read)


def _folded(spans: list[tuple[int, int]], read: Reader) -> list[bytes]:
    """The root over each span of leaves, all read at once."""
    covers = [cover(begin, end) for begin, end in spans]
    hashes = iter(read([node for nodes in covers for node in nodes]))
    return [fold([next(hashes) for _ in nodes]) for nodes in covers]


def _split(size: int) -> int:
    """The largest power of two below ``size``: how many leaves are on the left."""
    return 1 << (size - 1).bit_length() - 1


def _path(index: int, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The spans of leaves beside the way to ``index``, from the leaf upwards."""
    if end - begin == 1:
        return
    middle = begin + _split(end - begin)
    if index < middle:
        yield from _path(index, begin, middle)
        yield middle, end
    else:
        yield from _path(index, middle, end)
        yield begin, middle


def _subproof(first: int, begin: int, end: int) -> Iterator[tuple[int, int]]:
    """The spans that both trees are put together from, from the cut upwards."""
    if first == end:
        if begin:
            yield begin, end
        return
    middle = begin + _split(end - begin)
    if first <= middle:
        yield from _subproof(first, begin, middle)
        yield middle, end
    else:
        yield from _subproof(first, middle, end)
        yield begin, middle


def verify_inclusion(
    leaf: bytes, index: int, size: int, proof: Sequence[bytes], expected: bytes
) -> bool:
    """Whether the leaf with that hash is leaf ``index`` of the tree (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    place, last, found = index, size - 1, leaf
    for each in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            found = node_hash(each, found)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            found = node_hash(found, each)
        place, last = place >> 1, last >> 1
    return last == 0 and found == expected


def verify_consistency(
    first: int, second: int, proof: Sequence[bytes], first_root: bytes, second_root: bytes
) -> bool:
    """Whether the second tree begins with all leaves of the first (RFC 9162, 2.1.4.2)."""
    if not 0 <= first <= second or (first in {0, second} and proof):
        return False
    if first == 0:
        return first_root == EMPTY and (second > 0 or second_root == EMPTY)
    if first == second:
        return first_root == second_root
    hashes = [first_root, *proof] if first & first - 1 == 0 else list(proof)
    return bool(hashes) and _leads(first, second, hashes) == (first_root, second_root)


def _leads(first: int, second: int, hashes: Sequence[bytes]) -> tuple[bytes, bytes] | None:
    """The roots of both trees that a consistency proof leads to, if it has the right length."""
    place, last = first - 1, second - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    one = two = hashes[0]
    for each in hashes[1:]:
        if last == 0:
            return None
        if place & 1 or place == last:
            one, two = node_hash(each, one), node_hash(each, two)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            two = node_hash(two, each)
        place, last = place >> 1, last >> 1
    return (one, two) if last == 0 else None
