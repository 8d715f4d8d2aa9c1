"""No wrong answer while facts change: both sides hammered, on both stores (3.5).

One process revokes and restores a guardianship; another, and threads of this one, ask.
Each answer names the directory revision it is of, and must be that revision's truth; and
a question asked after a change was committed must be answered of it, or of a later one.
"""

from __future__ import annotations

import multiprocessing as mp
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from multiprocessing.connection import Connection as Pipe
from multiprocessing.sharedctypes import Synchronized
from multiprocessing.synchronize import Barrier, Event, Semaphore
from typing import NamedTuple

import pytest
from sqlalchemy import Engine

from authz.decision.request import parse
from authz.service.database import open_store
from authz.service.decide import DecisionPoint
from authz.service.decided import Semantic
from tests.waiting import PATIENCE
from tests.world import CALLER, NOW, World, frozen, point, policy, question

SECONDS = 3.0
CHANGES = 20
"""So many at least, and until each who asks was permitted and refused, however long it takes."""
THREADS = 3
LATER = NOW + timedelta(seconds=1)
LINK = {"fact": "guardianship", "guardian": "mum", "student": "kid", "kind": "parent"}


class Answer(NamedTuple):
    """An answer, the revision it is of, and the newest one committed before it was asked."""

    permit: bool
    revision: int
    committed: int


class Shared(NamedTuple):
    """What all sides see: the newest revision committed, whether it was the last, the begin.

    Who asks says ``content`` once it was permitted and refused.
    """

    committed: Synchronized[int]
    over: Event
    begin: Barrier
    content: Semaphore


def change(url: str, shared: Shared, told: Pipe) -> None:
    """Revoke and restore, and tell what each revision says."""
    store = open_store(url, durability="os")
    policy()
    shared.begin.wait(PATIENCE)
    began, truth, asking = time.monotonic(), dict[int, bool](), 1 + THREADS
    try:
        while time.monotonic() < began + SECONDS or len(truth) < CHANGES or asking:
            linked = len(truth) % 2 == 1
            line = LINK if linked else {**LINK, "delete": True}
            revision = World().import_into(store, [line]).revision
            truth[revision] = linked
            shared.committed.value = revision
            asking -= shared.content.acquire(timeout=0.002)
            assert time.monotonic() < began + SECONDS + PATIENCE
    finally:
        shared.over.set()
    store.dispose()
    told.send(truth)


def ask(asker: DecisionPoint, shared: Shared) -> list[Answer]:
    """Ask the same again and again, as a request does but for its record (the clock is frozen)."""
    questions = [
        parse(question("mum", "read", category, "kid"))
        for category in ("identity", "assessment_result")
    ]
    answers: list[Answer] = []
    heard: set[bool] = set()
    shared.begin.wait(PATIENCE)
    while not shared.over.is_set():
        for asked in questions:
            before = shared.committed.value
            (found,), _ = asker._decide([asked], CALLER, Semantic.EXECUTE_ALL)
            revision = found.revision
            assert revision is not None
            answers.append(Answer(found.decision.permit, revision, before))
        if len(heard) < 2 <= len(heard := {*heard, answers[-1].permit, answers[-2].permit}):
            shared.content.release()
    return answers


def ask_elsewhere(url: str, shared: Shared, told: Pipe) -> None:
    """The same in a process of its own."""
    store = open_store(url, durability="os")
    with frozen(LATER):
        told.send([tuple(answer) for answer in ask(point(store), shared)])
    store.dispose()


@pytest.mark.slow
def test_every_answer_is_the_truth_of_its_revision(store: Engine, store_url: str) -> None:
    world = World().school("S").person("mum").person("kid", born="2015-01-01", at="S")
    world.guardian("mum", "kid").store(store)
    context = mp.get_context("spawn")
    committed: Synchronized[int] = context.Value("q", 1)
    begin = context.Barrier(2 + THREADS)  # a new process takes its time
    shared = Shared(committed, context.Event(), begin, context.Semaphore(0))
    pipes = []
    workers = []
    for work in (change, ask_elsewhere):
        here, there = context.Pipe(duplex=False)
        workers.append(context.Process(target=work, args=(store_url, shared, there)))
        pipes.append(here)
        workers[-1].start()
        there.close()  # or nobody would see that the other end is gone
    asker = point(store)
    with frozen(LATER), ThreadPoolExecutor(THREADS) as threads:
        asked = [threads.submit(ask, asker, shared) for _ in range(THREADS)]
        answers = [answer for one in asked for answer in one.result()]
    truth = {1: True, **pipes[0].recv()}
    elsewhere = [Answer(*each) for each in pipes[1].recv()]
    for worker in workers:
        worker.join(PATIENCE)
    for side in (answers, elsewhere):
        assert {answer.permit for answer in side} == {True, False}
        assert [a for a in side if a.permit is not truth[a.revision]] == []
        assert [a for a in side if a.revision < a.committed] == []
    assert len(truth) > CHANGES
