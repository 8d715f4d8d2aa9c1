"""Verification of one chain, on both stores: any damage is found and named."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from authz.audit import pieces
from authz.audit.chain import digest
from authz.audit.log import record
from authz.audit.tables import INDEX_COLUMNS
from authz.audit.trail import verify
from tests.stores.test_audit_support import entries, entry, harm, named, opened, unguard, verdict

COUNT = 12
PLACES = st.integers(1, COUNT)
PAIRS = st.tuples(PLACES, PLACES).filter(lambda pair: pair[0] < pair[1])
BITS = st.integers(0, 2**16)
on_the_same_trail = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
Harm = Callable[..., tuple[str, int] | None]


@pytest.fixture
def trail(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Twelve records, read five at a time."""
    monkeypatch.setattr(pieces, "JOB", 5)
    engine = opened(store_url)
    record(engine, entries(COUNT))
    yield engine
    engine.dispose()


@pytest.fixture
def harmed(trail: Engine) -> Harm:
    """What verification says after some statements, of which nothing stays."""

    def run(*statements: str, **values: Any) -> tuple[str, int] | None:
        with trail.connect().execution_options(authz_write=True) as connection:
            unguard(connection)
            for statement in statements:
                connection.execute(text(statement), values)
            found = verify(connection).damage
            connection.rollback()
        return (found.kind.value, found.sequence) if found else None

    return run


def octets(engine: Engine, column: str, place: int) -> bytes:
    query = f"SELECT {column} FROM audit_record WHERE sequence = :place"  # noqa: S608
    with engine.connect() as connection:
        return bytes(connection.execute(text(query), {"place": place}).scalar_one())


def flipped(value: bytes, bit: int) -> bytes:
    at, mask = divmod(bit % (len(value) * 8), 8)
    return value[:at] + bytes([value[at] ^ 1 << mask]) + value[at + 1 :]


def test_an_untouched_trail_is_whole(trail: Engine) -> None:
    done: list[tuple[int, int]] = []
    found = verdict(trail, progress=lambda *each: done.append(each))
    assert (found.whole, found.records, found.leaves) == (True, COUNT, 0)
    assert done == [(5, 12), (10, 12), (12, 12)]


@on_the_same_trail
@given(PLACES, BITS, st.sampled_from(["body", "hash"]))
def test_one_bit_flipped_in_a_record_is_found(
    trail: Engine, harmed: Harm, place: int, bit: int, column: str
) -> None:
    value = flipped(octets(trail, column, place), bit)
    statement = f"UPDATE audit_record SET {column} = :value WHERE sequence = :place"  # noqa: S608
    assert harmed(statement, value=value, place=place) == ("changed", place)


@on_the_same_trail
@given(
    PLACES,
    st.sampled_from(INDEX_COLUMNS),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00")),
)
def test_an_index_that_says_something_else_is_found(
    trail: Engine, harmed: Harm, place: int, column: str, value: str
) -> None:
    query = f"SELECT {column} FROM audit_record WHERE sequence = :place"  # noqa: S608
    with trail.connect() as connection:
        if connection.execute(text(query), {"place": place}).scalar_one() == value:
            return
    statement = f"UPDATE audit_record SET {column} = :value WHERE sequence = :place"  # noqa: S608
    assert harmed(statement, value=value, place=place) == ("index", place)


@on_the_same_trail
@given(PLACES)
def test_a_removed_record_is_missing_and_the_last_is_a_cut_tail(harmed: Harm, place: int) -> None:
    kind = "tail_cut" if place == COUNT else "missing"
    assert harmed("DELETE FROM audit_record WHERE sequence = :at", at=place) == (kind, place)


@on_the_same_trail
@given(PAIRS)
def test_swapped_records_are_found(harmed: Harm, pair: tuple[int, int]) -> None:
    move = "UPDATE audit_record SET sequence = {} WHERE sequence = {}"
    swap = (move.format(0, ":one"), move.format(":one", ":other"), move.format(":other", 0))
    assert harmed(*swap, one=pair[0], other=pair[1]) == ("reordered", pair[0])


@on_the_same_trail
@given(pair=PAIRS, back=st.booleans())
def test_a_copy_over_another_record_is_found(
    harmed: Harm, pair: tuple[int, int], *, back: bool
) -> None:
    to, of = reversed(pair) if back else pair
    part = "(SELECT {0} FROM audit_record WHERE sequence = :of)"
    sets = ", ".join(f"{name} = {part.format(name)}" for name in ("body", "hash", *INDEX_COLUMNS))
    statement = f"UPDATE audit_record SET {sets} WHERE sequence = :to"  # noqa: S608
    assert harmed(statement, of=of, to=to) == ("duplicated", to)


@on_the_same_trail
@given(PLACES, st.integers(-2, 3).filter(bool))
def test_a_record_put_in_by_hand_is_found(harmed: Harm, place: int, beyond: int) -> None:
    at = COUNT + beyond if beyond > 0 else beyond
    rest = ", ".join(("body", "hash", *INDEX_COLUMNS))
    statement = (
        f"INSERT INTO audit_record (chain, sequence, {rest}) "  # noqa: S608
        f"SELECT chain, {at}, {rest} FROM audit_record WHERE sequence = :place"
    )
    assert harmed(statement, place=place) == ("appended", COUNT + 1 if beyond > 0 else at)


def test_a_record_put_in_by_hand_with_the_right_hash_is_found(trail: Engine, harmed: Harm) -> None:
    forged = octets(trail, "body", 3)
    right = digest(octets(trail, "hash", COUNT), COUNT + 1, forged)
    rest = ", ".join(INDEX_COLUMNS)
    statement = (
        f"INSERT INTO audit_record (chain, sequence, body, hash, {rest}) "  # noqa: S608
        f"SELECT chain, {COUNT + 1}, body, :right, {rest} FROM audit_record WHERE sequence = 3"
    )
    assert harmed(statement, right=right) == ("appended", COUNT + 1)


@on_the_same_trail
@given(PLACES)
def test_a_record_moved_to_another_chain_is_found(harmed: Harm, place: int) -> None:
    kind = "tail_cut" if place == COUNT else "missing"
    move = "UPDATE audit_record SET chain = 'mair' WHERE sequence = :at"
    assert harmed(move, at=place) == (kind, place)


def test_records_of_a_chain_that_nobody_writes_are_found(harmed: Harm) -> None:
    rest = ", ".join(("sequence", "body", "hash", *INDEX_COLUMNS))
    forge = f"INSERT INTO audit_record (chain, {rest}) SELECT 'x', {rest} FROM audit_record"  # noqa: S608
    assert harmed(forge) == ("appended", 1)


@pytest.mark.parametrize(
    ("statement", "kind", "place"),
    [
        ("UPDATE audit_head SET sequence = sequence + 1", "tail_cut", COUNT + 1),
        ("UPDATE audit_head SET sequence = sequence - 1", "appended", COUNT),
        ("UPDATE audit_head SET chain = 'mair'", "head", COUNT),
        ("DELETE FROM audit_head", "head", COUNT),
        ("DELETE FROM audit_record WHERE sequence > 4", "tail_cut", 5),
        ("DELETE FROM audit_record", "tail_cut", 1),
    ],
)
def test_harm_to_head_and_tail_is_named(
    harmed: Harm, statement: str, kind: str, place: int
) -> None:
    assert harmed(statement) == (kind, place)


@on_the_same_trail
@given(BITS)
def test_one_bit_flipped_in_the_head_is_found(trail: Engine, harmed: Harm, bit: int) -> None:
    value = flipped(octets(trail, "hash", COUNT), bit)
    assert harmed("UPDATE audit_head SET hash = :value", value=value) == ("head", COUNT)


def test_a_range_is_verified_by_itself(trail: Engine) -> None:
    harm(trail, "UPDATE audit_record SET reason = 'x' WHERE sequence = 7")
    assert named(trail, first=1, last=6) is None
    assert named(trail, first=8) is None
    assert named(trail, first=5, last=8) == ("index", 7)
    assert verdict(trail, first=3, last=6).records == 4
    harm(trail, "DELETE FROM audit_record WHERE sequence = 4")
    assert named(trail, first=5, last=6) == ("missing", 4)
    assert named(trail, first=1, last=4) == ("missing", 4)
    assert named(trail, first=6, last=99) == ("index", 7)
    assert named(trail, first=8, last=99) is None


def test_an_empty_store_is_whole_and_an_empty_trail_with_a_head_is_not(store_url: str) -> None:
    engine = opened(store_url)
    assert verdict(engine).whole
    record(engine, [entry()])
    harm(engine, "DELETE FROM audit_record")
    assert named(engine) == ("tail_cut", 1)
    engine.dispose()
