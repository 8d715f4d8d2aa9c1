"""Reading the trail, on both stores: any damage is found and named; records are found."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text

from authz.audit import trail as reading
from authz.audit.chain import digest
from authz.audit.log import record
from authz.audit.record import Ref
from authz.audit.tables import INDEX_COLUMNS
from authz.audit.trail import checkpoint, export, search, verify, verify_export
from authz.errors import MalformedError, NotFoundError
from authz.vocabulary import Event
from tests.stores.test_audit_support import BEGAN, entries, entry, harm, named, opened, verdict

COUNT = 12
PLACES = st.integers(1, COUNT)
PAIRS = st.tuples(PLACES, PLACES).filter(lambda pair: pair[0] < pair[1])
BITS = st.integers(0, 2**16)
on_the_same_trail = settings(
    max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
Harm = Callable[..., tuple[str, int] | None]


@pytest.fixture
def trail(store_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """Twelve records, read five at a time, whose guards are gone."""
    monkeypatch.setattr(reading, "_ROWS", reading._ROWS.limit(5))
    engine = opened(store_url)
    record(engine, entries(COUNT))
    harm(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def harmed(trail: Engine) -> Harm:
    """What verification says after some statements, of which nothing stays."""

    def run(*statements: str, since: Any = None, **values: Any) -> tuple[str, int] | None:
        with trail.connect().execution_options(authz_write=True) as connection:
            for statement in statements:
                connection.execute(text(statement), values)
            found = verify(connection, since=since).damage
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
    done: list[int] = []
    found = verdict(trail, progress=done.append)
    assert (found.whole, found.first, found.records) == (True, 1, COUNT)
    assert done == [5, 10, 12]


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


def cut(trail: Engine, keep: int) -> None:
    """Cut the tail and set the head back, as somebody would who knows how."""
    at = "sequence = :keep"
    tip = f"(SELECT hash FROM audit_record WHERE {at})"  # noqa: S608
    harm(
        trail,
        f"UPDATE audit_head SET sequence = :keep, hash = {tip}",  # noqa: S608
        "DELETE FROM audit_record WHERE sequence > :keep",
        keep=keep,
    )


def known(trail: Engine) -> dict[str, Any]:
    with trail.connect() as connection:
        return checkpoint(connection, BEGAN)


def test_a_tail_cut_with_its_head_is_found_by_a_checkpoint_alone(trail: Engine) -> None:
    since = known(trail)
    assert since["time"] == "2026-05-04T01:30:00.000000Z"
    record(trail, entries(3, COUNT))
    cut(trail, COUNT)
    assert named(trail, since=since) is None
    cut(trail, COUNT - 1)
    assert named(trail) is None
    assert named(trail, since=since) == ("tail_cut", COUNT)
    record(trail, entries(5, 500))
    assert named(trail) is None
    assert named(trail, since=since) == ("checkpoint", COUNT)


def test_since_a_checkpoint_only_what_came_after_is_walked(trail: Engine) -> None:
    since = known(trail)
    record(trail, entries(3, COUNT))
    found = verdict(trail, since=since)
    assert (found.whole, found.first, found.records) == (True, COUNT + 1, 3)
    harm(trail, "UPDATE audit_record SET reason = 'x' WHERE sequence = 2")
    assert named(trail, since=since) is None
    assert named(trail, since=since, first=1) == ("index", 2)
    harm(trail, "UPDATE audit_record SET reason = 'x' WHERE sequence = 14")
    assert named(trail, since=since) == ("index", 14)


def test_a_checkpoint_of_an_empty_trail_and_of_another_chain(trail: Engine) -> None:
    with trail.connect() as connection:
        other = checkpoint(connection, BEGAN, chain="other")
    assert other["sequence"] == 0
    with pytest.raises(MalformedError):
        verdict(trail, since=other)


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


def exported(trail: Engine, **options: Any) -> list[str]:
    out = io.StringIO()
    with trail.connect() as connection:
        export(connection, out, **options)
    return out.getvalue().splitlines()


def told(lines: list[str], since: Any = None) -> tuple[str, int] | None:
    damage = verify_export(lines, since=since).damage
    return (damage.kind.value, damage.sequence) if damage else None


def test_an_exported_file_is_whole_and_says_what_it_holds(trail: Engine) -> None:
    lines = exported(trail)
    found = verify_export(iter(lines), since=known(trail))
    assert (found.whole, found.first, found.records) == (True, 1, COUNT)
    part = verify_export(exported(trail, first=4, last=9))
    assert (part.whole, part.first, part.records) == (True, 4, 6)
    body = json.loads(json.loads(lines[1])["body"])
    assert body["request_id"] == "req-0"
    with pytest.raises(NotFoundError):
        exported(trail, first=COUNT + 2)


@on_the_same_trail
@given(st.data())
def test_harm_to_an_exported_file_is_found(trail: Engine, data: st.DataObject) -> None:
    lines = exported(trail)
    at = data.draw(PLACES)
    other = data.draw(PLACES.filter(lambda place: place != at))
    low, high = sorted((at, other))
    swapped = list(lines)
    swapped[low], swapped[high] = lines[high], lines[low]
    assert told(swapped) == ("reordered", low)
    kind = "tail_cut" if at == COUNT else "missing"
    assert told([*lines[:at], *lines[at + 1 :]]) == (kind, at)
    assert told([*lines[: at + 1], *lines[at:]]) == ("duplicated", at)
    assert told(lines[: at + 1])[0] == "tail_cut"  # type: ignore[index]
    assert told([*lines, lines[at]]) == ("duplicated", at)


@on_the_same_trail
@given(st.data())
def test_any_character_changed_in_an_exported_file_is_found(
    trail: Engine, data: st.DataObject
) -> None:
    lines = exported(trail)
    at = data.draw(st.integers(0, len(lines) - 1))
    place = data.draw(st.integers(0, len(lines[at]) - 1))
    letter = data.draw(st.characters(codec="utf-8"))
    line = lines[at][:place] + letter + lines[at][place + 1 :]

    def meaning(each: str) -> object:
        try:
            members = json.loads(each)
            return {**members, "hash": members["hash"].lower()}
        except (ValueError, KeyError, TypeError, AttributeError):
            return each

    if meaning(line) != meaning(lines[at]):
        assert told([*lines[:at], line, *lines[at + 1 :]]) is not None


def test_an_export_of_a_harmed_trail_shows_the_harm(trail: Engine) -> None:
    harm(trail, "UPDATE audit_record SET body = :body WHERE sequence = 5", body=b"\xff\x00")
    assert told(exported(trail)) == ("changed", 5)
    harm(trail, "DELETE FROM audit_record WHERE sequence > 4")
    assert told(exported(trail)) == ("tail_cut", 5)


def test_an_exported_file_is_held_against_a_checkpoint(trail: Engine) -> None:
    since = known(trail)
    assert told(exported(trail, first=4, last=9), since) == ("tail_cut", 10)
    cut(trail, COUNT - 2)
    record(trail, entries(4, 900))
    lines = exported(trail)
    assert told(lines) is None
    assert told(lines, since) == ("checkpoint", COUNT)


@pytest.mark.parametrize("lines", [[], [""], ["{}"], ["[]"], ["no JSON", "at all"]])
def test_what_is_no_export_is_not_whole(lines: list[str]) -> None:
    assert not verify_export(lines).whole


def sequences(connection: Connection, **asked: Any) -> list[int]:
    return [found.sequence for found in search(connection, **asked).records]


def test_search_finds_what_each_question_asks_for_newest_first(trail: Engine) -> None:
    record(
        trail,
        [
            entry(100, application="gradebook", purpose="advice", request_id="R"),
            entry(101, rules=["teacher-read-more"], decision=True),
            entry(
                102,
                event=Event.FACT_CHANGED,
                decision=None,
                rules=[],
                resource=Ref("person", "S-9"),
            ),
        ],
    )
    with trail.connect() as connection:
        assert sequences(connection, person="student-1") == [13, 2]
        assert sequences(connection, person="S-9") == [15]
        assert sequences(connection, subject="teacher-2") == [13, 10, 3]
        assert sequences(connection, application="gradebook") == [13]
        assert sequences(connection, purpose="advice", request_id="R") == [13]
        assert sequences(connection, event="fact_changed") == [15]
        assert sequences(connection, rule="teacher-read-more") == [14]
        assert sequences(connection, rule="teacher-rea_") == []
        assert sequences(connection, rule="retention") == [10, 7, 4, 1]
        assert sequences(connection, decision=False) == [10, 7, 4, 1]
        assert sequences(connection, decision=True, person="student-1") == [13, 2]
        second = timedelta(seconds=1)
        assert sequences(connection, since=BEGAN + second, until=BEGAN + 3 * second) == [3, 2]


def test_pages_give_each_record_once_though_new_ones_arrive(trail: Engine) -> None:
    moment = entry(50).time
    record(trail, [entry(50 + number, time=moment) for number in range(8)])
    seen: list[int] = []
    after, first = "", True
    with trail.connect() as connection:
        while first or after:
            page = search(connection, limit=3, after=after)
            seen += [found.sequence for found in page.records]
            after = page.after
            if first:
                connection.rollback()
                record(trail, [entry(999)])
                first = False
        assert seen == list(range(COUNT + 8, 0, -1))
        with pytest.raises(MalformedError):
            search(connection, after="nonsense")
