"""Places of those who read bodies: bounded for one caller and for all, and always given back."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from threading import Event
from typing import Any

import pytest

from authz import arriving
from authz.arriving import Arriving
from tests.waiting import until


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "PATIENCE", 0.01)


def at_once(_environ: dict[str, Any], most: int) -> bytes:
    return b"a" * most


@contextmanager
def reading(places: Arriving, *callers: str) -> Iterator[list[Future[bytes | None]]]:
    """Bodies of these callers that do not come before the end."""
    comes, begun = Event(), []

    def slowly(_environ: dict[str, Any], most: int) -> bytes:
        begun.append(most)
        assert comes.wait(60)
        return b"a" * most

    with ThreadPoolExecutor(len(callers)) as pool:
        try:
            found = [pool.submit(places.read, each, slowly, {}, 3) for each in callers]
            until(lambda: len(begun) == len(callers))
            yield found
        finally:
            comes.set()


def test_one_caller_has_so_many_places_and_leaves_the_others_to_the_rest() -> None:
    places = Arriving(4, 2)
    with reading(places, "slow", "slow") as found:
        assert places.read("slow", at_once, {}, 3) is None
        assert places.read("other", at_once, {}, 3) == b"aaa"
    assert [each.result() for each in found] == [b"aaa"] * 2
    assert places.read("slow", at_once, {}, 3) == b"aaa"


def test_all_callers_together_have_so_many() -> None:
    places = Arriving(4, 2)
    for _ in range(2):  # who found no place of all holds none of its own
        with reading(places, "a", "a", "b", "b"):
            assert places.read("c", at_once, {}, 3) is None
            assert places.read("c", at_once, {}, 3) is None
            assert places.read("c", at_once, {}, 3) is None
    with reading(places, "c", "c"):
        assert places.read("a", at_once, {}, 3) == b"aaa"


def test_a_reading_that_fails_gives_its_place_back() -> None:
    def broken(_environ: dict[str, Any], _most: int) -> bytes:
        raise OSError

    places = Arriving(1)
    for _ in range(3):
        with pytest.raises(OSError, match=r"^$"):
            places.read("a", broken, {}, 3)
    assert places.read("a", at_once, {}, 3) == b"aaa"


def test_a_body_in_time_waits_for_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arriving, "PATIENCE", 60)
    places = Arriving(1, waiting=1)
    with ThreadPoolExecutor(1) as pool:
        with reading(places, "a"):
            waiting = pool.submit(places.read, "a", at_once, {}, 3)
            assert not waiting.done()
        assert waiting.result() == b"aaa"


def test_only_so_many_wait_for_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever comes on and on holds no more threads by waiting; who needs not wait goes on."""
    monkeypatch.setattr(arriving, "PATIENCE", 60)
    places = Arriving(4, 1, waiting=2)
    with ThreadPoolExecutor(2) as pool, reading(places, "slow"):
        waiting = [pool.submit(places.read, "slow", at_once, {}, 3) for _ in range(2)]
        until(places._waiting.empty)
        assert places.read("slow", at_once, {}, 3) is None
        assert places.read("other", at_once, {}, 3) == b"aaa"
        assert not any(each.done() for each in waiting)
        monkeypatch.setattr(arriving, "PATIENCE", 0.01)
    assert [each.result() for each in waiting] == [b"aaa"] * 2
    assert places._waiting.qsize() == 2


def test_who_waits_in_vain_is_sent_away_and_leaves_nothing_taken() -> None:
    places = Arriving(2, 1, waiting=1)
    with reading(places, "a", "b"):
        for _ in range(3):
            assert places.read("a", at_once, {}, 3) is None
            assert places.read("c", at_once, {}, 3) is None
    assert [places.read(each, at_once, {}, 3) for each in "abc"] == [b"aaa"] * 3


def test_a_stream_of_new_callers_is_not_remembered_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(arriving, "MOST", 8)
    places = Arriving(4, 2)
    for number in range(100):
        assert places.read(str(number), at_once, {}, 1) == b"a"
        assert len(places._of) <= 8


def test_even_the_smallest_server_reads_one_at_a_time() -> None:
    assert Arriving(0, 0).read("a", at_once, {}, 1) == b"a"
