"""The Merkle tree against the definitions of RFC 9162, written down as they stand there."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.audit import merkle, tiles
from authz.audit.merkle import EMPTY, Frontier, Node, Reader
from authz.audit.tiles import Place

CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243"),
        *("5051525354555657", "606162636465666768696a6b6c6d6e6f"),
    )
]
"""The leaves that implementations of RFC 6962 are tested with, and the roots over them."""
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
LEAVES = [b"leaf %d" % number for number in range(600)]
HASHES = [merkle.leaf_hash(leaf) for leaf in LEAVES]
SIZES = st.integers(1, 70)


def mth(leaves: Sequence[bytes]) -> bytes:
    """RFC 9162, 2.1.1."""
    if not leaves:
        return sha256().digest()
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    k = split(len(leaves))
    return sha256(b"\x01" + mth(leaves[:k]) + mth(leaves[k:])).digest()


def split(n: int) -> int:
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def path(m: int, leaves: Sequence[bytes]) -> list[bytes]:
    """RFC 9162, 2.1.3.1."""
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if m < k:
        return [*path(m, leaves[:k]), mth(leaves[k:])]
    return [*path(m - k, leaves[k:]), mth(leaves[:k])]


def subproof(m: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    """RFC 9162, 2.1.4.1."""
    if m == len(leaves):
        return [] if whole else [mth(leaves)]
    k = split(len(leaves))
    if m <= k:
        return [*subproof(m, leaves[:k], whole=whole), mth(leaves[k:])]
    return [*subproof(m - k, leaves[k:], whole=False), mth(leaves[:k])]


def naive(nodes: Sequence[Node]) -> list[bytes]:
    found = []
    for level, number in nodes:
        leaves = LEAVES[number << level : (number + 1) << level]
        assert len(leaves) == 1 << level, "a node that is not whole was asked for"
        found.append(mth(leaves))
    return found


def flipped(octets: bytes) -> bytes:
    return bytes([octets[0] ^ 1]) + octets[1:]


@pytest.mark.parametrize("size", range(1, 9))
def test_the_roots_are_those_of_certificate_transparency(size: int) -> None:
    tree = Frontier()
    tree.extend(map(merkle.leaf_hash, CT_LEAVES[:size]))
    assert tree.root().hex() == CT_ROOTS[size - 1]


def test_a_tree_without_leaves() -> None:
    assert Frontier().root() == EMPTY == mth([])
    assert EMPTY.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_an_entry_names_its_place() -> None:
    assert merkle.entry("main", 12, b'{"v":1}') == b'main 12\n{"v":1}'


@given(st.lists(st.integers(0, 40), max_size=10), st.booleans())
def test_the_frontier_has_the_root_however_leaves_come(steps: list[int], kept: bool) -> None:
    tree = Frontier()
    for step in steps:
        tree.extend(HASHES[tree.size : tree.size + step])
        if kept:
            tree = Frontier(tree.size, tree.nodes)
        assert tree.root() == mth(LEAVES[: tree.size])
        assert list(tree.nodes) == naive(merkle.cover(0, tree.size))
    tree.append(HASHES[tree.size])
    assert tree.root() == mth(LEAVES[: tree.size]) == merkle.root(tree.size, naive)


@pytest.mark.parametrize(("size", "nodes"), [(1, []), (-1, []), (0, [EMPTY]), (2, [b"short"])])
def test_a_frontier_of_another_size_is_refused(size: int, nodes: list[bytes]) -> None:
    with pytest.raises(ValueError, match="other subtrees"):
        Frontier(size, nodes)


@given(SIZES, st.data())
def test_inclusion(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof = merkle.inclusion_proof(index, size, naive)
    root = mth(LEAVES[:size])
    assert proof == path(index, LEAVES[:size])
    assert merkle.verify_inclusion(HASHES[index], index, size, proof, root)
    other = data.draw(st.integers(0, size).filter(lambda each: each != index))
    assert not merkle.verify_inclusion(HASHES[index], other, size, proof, root)
    assert not merkle.verify_inclusion(HASHES[size], index, size, proof, root)
    assert not merkle.verify_inclusion(HASHES[index], index, size, [*proof, EMPTY], root)
    for at, each in enumerate(proof):
        harmed = [*proof[:at], flipped(each), *proof[at + 1 :]]
        assert not merkle.verify_inclusion(HASHES[index], index, size, harmed, root)
        assert not merkle.verify_inclusion(HASHES[index], index, size, proof[:at], root)


@given(SIZES, st.data())
def test_consistency(second: int, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, second))
    proof = merkle.consistency_proof(first, second, naive)
    roots = mth(LEAVES[:first]), mth(LEAVES[:second])
    assert proof == (subproof(first, LEAVES[:second]) if first else [])
    assert merkle.verify_consistency(first, second, proof, *roots)
    assert not merkle.verify_consistency(first, second, proof, flipped(roots[0]), roots[1])
    assert not merkle.verify_consistency(first, second, [*proof, EMPTY], *roots)
    assert not merkle.verify_consistency(second + 1, second, proof, *roots)
    if first:
        wrong = flipped(roots[1])
        assert not merkle.verify_consistency(first, second, proof, roots[0], wrong)
    for at, each in enumerate(proof):
        harmed = [*proof[:at], flipped(each), *proof[at + 1 :]]
        assert not merkle.verify_consistency(first, second, harmed, *roots)
        assert not merkle.verify_consistency(first, second, proof[:at], *roots)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5)])
def test_no_proof_of_what_is_not_in_the_tree(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        merkle.inclusion_proof(index, size, naive)
    assert not merkle.verify_inclusion(HASHES[0], index, size, [], HASHES[0])


@pytest.mark.parametrize(("first", "second"), [(6, 5), (-1, 5)])
def test_no_proof_of_a_tree_that_is_none(first: int, second: int) -> None:
    with pytest.raises(ValueError, match="does not begin"):
        merkle.consistency_proof(first, second, naive)


def grown(*steps: int) -> tuple[int, dict[Place, bytes]]:
    size, held = 0, dict[Place, bytes]()
    for step in steps:
        edge = {place: held[place] for place in tiles.edge(size)}
        held.update(tiles.grown(size, edge, HASHES[size : size + step]))
        size += step
    return size, held


def reading(held: dict[Place, bytes]) -> Reader:
    return tiles.reader(lambda wanted: {place: held[place] for place in wanted})


@given(st.lists(st.integers(0, 300), max_size=4).filter(lambda steps: sum(steps) <= 600))
def test_tiles_hold_the_tree(steps: list[int]) -> None:
    size, held = grown(*steps)
    assert merkle.root(size, reading(held)) == mth(LEAVES[:size])
    assert {len(tile) % merkle.SIZE for tile in held.values()} <= {0}
    for level, count in enumerate(tiles.counts(size)):
        row = b"".join(held[Place(level, number)] for number in range(-(-count // 256)))
        assert len(row) == count * merkle.SIZE
        assert level or row == b"".join(HASHES[:size])


@given(st.integers(1, 600), st.integers(0, 599))
def test_proofs_from_tiles(size: int, index: int) -> None:
    read, (_, held) = naive, grown(600)
    index %= size
    made = merkle.inclusion_proof(index, size, reading(held))
    assert made == merkle.inclusion_proof(index, size, read)
    made = merkle.consistency_proof(index, size, reading(held))
    assert made == merkle.consistency_proof(index, size, read)


def test_a_tile_of_another_length_is_no_tree() -> None:
    size, held = grown(300)
    held[Place(0, 1)] = held[Place(0, 1)][32:]
    with pytest.raises(ValueError, match="another number"):
        tiles.grown(size, held, HASHES[300:301])
    with pytest.raises(LookupError, match="tile 1 of level 0"):
        merkle.root(size, reading(held))


def test_a_missing_tile_is_no_tree() -> None:
    with pytest.raises(LookupError, match="tile 0 of level 0"):
        merkle.root(5, tiles.reader(lambda _: {}))


def test_levels_go_as_high_as_the_tree() -> None:
    assert tiles.counts(2**16 + 5) == [65541, 256, 1]
    assert tiles.edge(2**16 + 5) == [Place(0, 256), Place(2, 0)]
    assert tiles.place(Node(17, 3)) == (Place(2, 0), 6, 8)
