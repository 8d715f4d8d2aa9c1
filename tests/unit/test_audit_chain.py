"""The chain alone: whatever is done to the records is found, and named."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from authz.audit.chain import Damage, Kind, Link, Tip, check, digest, genesis

BODIES = st.lists(st.binary(max_size=40), min_size=2, max_size=12, unique=True)


def chained(bodies: list[bytes]) -> list[Link]:
    links, tip = [], genesis()
    for sequence, body in enumerate(bodies, 1):
        tip = Tip(sequence, digest(tip.hash, sequence, body))
        links.append(Link(sequence, body, tip.hash))
    return links


def damage(links: list[Link], whole: list[Link]) -> Damage | None:
    return check(links, start=genesis(), head=Tip(whole[-1].sequence, whole[-1].hash))


def found(links: list[Link], whole: list[Link]) -> tuple[Kind, int]:
    made = damage(links, whole)
    assert made is not None
    return made.kind, made.sequence


def flipped(octets: bytes, bit: int) -> bytes:
    at, mask = divmod(bit % (len(octets) * 8), 8)
    return octets[:at] + bytes([octets[at] ^ 1 << mask]) + octets[at + 1 :]


def test_the_digest_is_what_the_documentation_says() -> None:
    plain = b"authz audit record 1\x00" + bytes(32) + bytes(7) + b"\x05" + b"{}"
    assert digest(bytes(32), 5, b"{}") == sha256(plain).digest()
    assert genesis("main").hash == sha256(b"authz audit genesis 1\x00main").digest()
    assert genesis("main") != genesis("other")


@given(BODIES)
def test_an_untouched_chain_is_whole(bodies: list[bytes]) -> None:
    whole = chained(bodies)
    assert damage(whole, whole) is None


@given(BODIES, st.data())
def test_a_flipped_bit_is_found(bodies: list[bytes], data: st.DataObject) -> None:
    whole = chained(bodies)
    at = data.draw(st.integers(0, len(whole) - 1))
    name = data.draw(st.sampled_from(["body", "hash"]))
    octets = getattr(whole[at], name) or b"\x00"
    changed = whole[at]._replace(**{name: flipped(octets, data.draw(st.integers(0, 10_000)))})
    assert found([*whole[:at], changed, *whole[at + 1 :]], whole) == (Kind.CHANGED, at + 1)


@given(BODIES, st.data())
def test_a_removed_record_is_missing_and_the_last_one_is_a_cut_tail(
    bodies: list[bytes], data: st.DataObject
) -> None:
    whole = chained(bodies)
    at = data.draw(st.integers(0, len(whole) - 1))
    kind = Kind.TAIL_CUT if at == len(whole) - 1 else Kind.MISSING
    assert found([*whole[:at], *whole[at + 1 :]], whole) == (kind, at + 1)


@given(BODIES, st.data(), st.sampled_from(["lines", "numbers", "bodies", "hashes", "numbered"]))
def test_a_swap_is_found_at_its_first_place(
    bodies: list[bytes], data: st.DataObject, what: str
) -> None:
    whole = chained(bodies)
    one = data.draw(st.integers(0, len(whole) - 2))
    other = data.draw(st.integers(one + 1, len(whole) - 1))
    links = list(whole)
    first, second = links[one], links[other]
    links[one], links[other] = {
        "lines": (second, first),
        "numbers": (second._replace(sequence=one + 1), first._replace(sequence=other + 1)),
        "bodies": (first._replace(body=second.body), second._replace(body=first.body)),
        "hashes": (first._replace(hash=second.hash), second._replace(hash=first.hash)),
        "numbered": (
            first._replace(sequence=second.sequence),
            second._replace(sequence=first.sequence),
        ),
    }[what]
    assert found(links, whole) == (Kind.REORDERED, one + 1)


@given(BODIES, st.data())
def test_a_record_given_twice_is_a_duplicate(bodies: list[bytes], data: st.DataObject) -> None:
    whole = chained(bodies)
    one = data.draw(st.integers(0, len(whole) - 1))
    at = data.draw(st.integers(one + 1, len(whole)))
    assert found([*whole[:at], whole[one], *whole[at:]], whole) == (Kind.DUPLICATED, one + 1)


@given(BODIES, st.data())
def test_a_copy_over_another_record_is_a_duplicate(
    bodies: list[bytes], data: st.DataObject
) -> None:
    whole = chained(bodies)
    at = data.draw(st.integers(0, len(whole) - 1))
    source = data.draw(st.integers(0, len(whole) - 1).filter(lambda other: other != at))
    copy = whole[source]._replace(sequence=at + 1)
    links = [*whole[:at], copy, *whole[at + 1 :]]
    assert found(links, whole) == (Kind.DUPLICATED, at + 1)


@given(BODIES, st.integers(0, 255))
def test_another_head_is_found(bodies: list[bytes], bit: int) -> None:
    whole = chained(bodies)
    end = whole[-1]
    wrong = check(whole, start=genesis(), head=Tip(end.sequence, flipped(end.hash, bit)))
    assert wrong is not None
    assert wrong.kind == Kind.HEAD
    early = check(whole, start=genesis(), head=Tip(end.sequence - 1, whole[-2].hash))
    assert early is not None
    assert (early.kind, early.sequence) == (Kind.APPENDED, end.sequence)


@given(BODIES, st.data())
def test_a_rewritten_record_shows_at_the_next(bodies: list[bytes], data: st.DataObject) -> None:
    whole = chained(bodies)
    at = data.draw(st.integers(0, len(whole) - 1))
    before = whole[at - 1].hash if at else genesis().hash
    forged = Link(at + 1, b"forged", digest(before, at + 1, b"forged"))
    last = at == len(whole) - 1
    links = [*whole[:at], forged, *whole[at + 1 :]]
    assert found(links, whole) == ((Kind.HEAD, at + 1) if last else (Kind.CHANGED, at + 2))


@pytest.mark.parametrize(
    "link",
    [
        Link("1", b"{}", b""),
        Link(True, b"{}", b""),
        Link(1.0, b"{}", b""),
        Link(1, "{}", b""),
        Link(1, None, None),
        Link(None, None, None),
        Link(2**70, b"{}", b""),
    ],
)
def test_what_is_no_record_at_all_is_found(link: Link) -> None:
    whole = chained([b"a", b"b"])
    assert damage([link, *whole[1:]], whole) is not None
