"""Group commit: who waits shares a commit, its failure, and nobody waits for ever."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from authz.audit.group import ENOUGH, MOST, GroupCommit
from tests.waiting import until

SECONDS = 60


class Store:
    """Commits when it is let, and notes what came together."""

    def __init__(self) -> None:
        self.commits: list[list[int]] = []
        self.begun = threading.Semaphore(0)
        self.let = threading.Semaphore(0)
        self.fail: Callable[[], None] = lambda: None


def commit(store: Store, items: Sequence[int]) -> list[int]:
    store.begun.release()
    assert store.let.acquire(timeout=SECONDS)
    store.fail()
    store.commits.append(list(items))
    return [-item for item in items]


class SharedError(Exception):
    """What those get whose commit another one tried."""


def shared(error: BaseException) -> Exception:
    return SharedError(str(error))


@pytest.fixture
def group() -> GroupCommit[Store, int, int]:
    return GroupCommit(commit, shared)


def together(
    group: GroupCommit[Store, int, int], store: Store, pool: ThreadPoolExecutor, *batches: list[int]
) -> list[Future[Sequence[int]]]:
    """One commit under way, and the batches waiting behind it in their order."""
    futures = [pool.submit(group, store, [0])]
    assert store.begun.acquire(timeout=SECONDS)
    queue = group._queues[store]
    for number, batch in enumerate(batches, 1):
        futures.append(pool.submit(group, store, batch))
        until(lambda number=number: len(queue.waiting) == number, every=0.001)  # type: ignore[misc]
    return futures


def test_those_who_wait_are_committed_together_and_each_gets_its_own(
    group: GroupCommit[Store, int, int],
) -> None:
    store = Store()
    with ThreadPoolExecutor(8) as pool:
        futures = together(group, store, pool, [1], [2, 3], [4])
        store.let.release(2)
        results = [future.result(SECONDS) for future in futures]
    assert results == [[0], [-1], [-2, -3], [-4]]
    assert store.commits == [[0], [1, 2, 3, 4]]


def test_a_failed_commit_fails_everybody_in_it_and_nobody_else(
    group: GroupCommit[Store, int, int],
) -> None:
    store = Store()
    turns = iter([None, OSError("full"), None])

    def fail() -> None:
        if error := next(turns):
            raise error

    store.fail = fail
    with ThreadPoolExecutor(8) as pool:
        first, *waiting = together(group, store, pool, [1], [2, 3], [4])
        store.let.release(3)
        assert first.result(SECONDS) == [0]
        errors = [future.exception(SECONDS) for future in waiting]
        assert [type(error) for error in errors] == [OSError, SharedError, SharedError]
        assert len({id(error) for error in errors}) == 3
        assert pool.submit(group, store, [5]).result(SECONDS) == [-5]
    assert store.commits == [[0], [5]]


def test_a_commit_is_no_larger_than_its_limit_but_no_batch_is_torn(
    group: GroupCommit[Store, int, int],
) -> None:
    store = Store()
    with ThreadPoolExecutor(8) as pool:
        futures = together(group, store, pool, [1] * (MOST - 1), [2], [3], [4] * (MOST + 1))
        store.let.release(4)
        for future in futures:
            future.result(SECONDS)
    assert [len(commit) for commit in store.commits] == [1, MOST, 1, MOST + 1]


def test_stores_do_not_wait_for_each_other(group: GroupCommit[Store, int, int]) -> None:
    one, other = Store(), Store()
    other.let.release()
    with ThreadPoolExecutor(8) as pool:
        futures = together(group, one, pool, [1])
        assert group(other, [7]) == [-7]
        one.let.release(2)
        assert [future.result(SECONDS) for future in futures] == [[0], [-1]]


def test_a_forked_child_does_not_wait_for_threads_that_it_has_not(
    group: GroupCommit[Store, int, int],
) -> None:
    store = Store()
    with ThreadPoolExecutor(8) as pool:
        futures = together(group, store, pool, [1])
        child = os.fork()
        if child == 0:
            store.let = threading.Semaphore(1)
            signal.alarm(SECONDS)
            os._exit(0 if group(store, [9]) == [-9] else 1)
        assert os.waitpid(child, 0)[1] == 0
        store.let.release(2)
        assert [future.result(SECONDS) for future in futures] == [[0], [-1]]


@pytest.mark.parametrize("leads", [False, True])
def test_one_who_is_interrupted_while_waiting_keeps_nobody_waiting(
    group: GroupCommit[Store, int, int], *, leads: bool
) -> None:
    class SignalledError(BaseException):
        pass

    def interrupt(*_: object) -> None:
        queue = group._queues[store]
        if not queue.waiting or queue.guard.locked():
            return  # it does not wait yet, and the signal comes again
        signal.setitimer(signal.ITIMER_REAL, 0)
        if leads:  # the lead was handed over before the signal came
            store.let.release(2)
            assert futures[0].result(SECONDS) == [0]
        raise SignalledError

    store = Store()
    before = signal.signal(signal.SIGALRM, interrupt)
    with ThreadPoolExecutor(8) as pool:
        try:
            futures = together(group, store, pool)
            signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
            with pytest.raises(SignalledError):
                group(store, [1])
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            signal.signal(signal.SIGALRM, before)
        store.let.release(3)
        assert pool.submit(group, store, [2]).result(SECONDS) == [-2]
    assert [1] not in store.commits


def test_those_who_are_there_wait_for_who_is_coming_and_share_the_write(
    group: GroupCommit[Store, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authz.audit.group.PATIENCE", SECONDS)
    store = Store()
    store.let.release(2)
    coming = [group.expect(store) for _ in range(3)]
    with ThreadPoolExecutor(8) as pool:
        futures = [
            pool.submit(group, store, [number], each) for number, each in enumerate(coming[:2])
        ]
        until(lambda: len(group._queues[store].waiting) == 2, every=0.001)
        assert group(store, [2], coming[2]) == [-2]
        assert [future.result(SECONDS) for future in futures] == [[0], [-1]]
    assert [sorted(items) for items in store.commits] == [[0, 1, 2]]
    assert group(store, [3]) == [-3], "nobody is coming any more"


@pytest.mark.parametrize("patience", [SECONDS, 0.001])
def test_one_who_does_not_come_is_not_waited_for(
    group: GroupCommit[Store, int, int], monkeypatch: pytest.MonkeyPatch, patience: float
) -> None:
    """Neither when it says so, nor when it says nothing for too long."""
    monkeypatch.setattr("authz.audit.group.PATIENCE", patience)
    store = Store()
    store.let.release()
    coming = group.expect(store)
    with ThreadPoolExecutor(8) as pool:
        future = pool.submit(group, store, [1])
        if patience == SECONDS:
            with pytest.raises(TimeoutError):
                future.result(0.1)
            coming.over()
            coming.over()
        assert future.result(SECONDS) == [-1]
    coming.over()
    assert group._queues[store].coming == 0


def test_a_write_that_is_large_enough_waits_for_nobody(
    group: GroupCommit[Store, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("authz.audit.group.PATIENCE", SECONDS)
    store = Store()
    store.let.release()
    group.expect(store)
    with ThreadPoolExecutor(ENOUGH) as pool:
        futures = [pool.submit(group, store, [number]) for number in range(ENOUGH)]
        assert [future.result(SECONDS) for future in futures] == [[-n] for n in range(ENOUGH)]
    assert [len(items) for items in store.commits] == [ENOUGH]
