"""Verification shared among processes: each reads and checks pieces of the trail of its own.

Small trails are checked in this process; helpers cost a second before they are of use.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from itertools import islice
from multiprocessing import get_context
from typing import Final

from sqlalchemy import Connection, Engine

from authz.audit.pieces import Job
from authz.audit.spans import Checked, check_job
from authz.audit.verify import Run
from authz.service.database import open_store

ALONE: Final = 64
"""Jobs that are done before helpers are called: a second or two, which is what they cost."""
AHEAD: Final = 8
"""Jobs given to each helper before the first of them must be back."""
_UNWATCHED: Final = 1_000_000
"""A job makes many thousand objects and no cycles; looking for these takes a tenth of it."""
_connections: list[Connection] = []


@contextmanager
def shared(store: Engine, connection: Connection, processes: int) -> Iterator[Run]:
    """A way to go through jobs with so many processes, in the order of the jobs."""
    pool: list[ProcessPoolExecutor] = []

    def run(jobs: Iterable[Job]) -> Iterator[Checked]:
        rest = iter(jobs)
        alone = islice(rest, None if processes < 2 else ALONE)  # noqa: PLR2004 (one is no help)
        for job in alone:
            yield check_job(connection, job)
        for job in rest:
            if not pool:
                pool.append(_pool(store, processes))
            yield from _ahead(pool[0], job, rest, processes * AHEAD)

    before = gc.get_threshold()
    gc.set_threshold(_UNWATCHED)
    try:
        yield run
    finally:
        gc.set_threshold(*before)
        for each in pool:
            each.shutdown(cancel_futures=True)


def _ahead(
    pool: ProcessPoolExecutor, first: Job, rest: Iterator[Job], ahead: int
) -> Iterator[Checked]:
    waiting: deque[Future[Checked]] = deque([pool.submit(_check, first)])
    for job in rest:
        waiting.append(pool.submit(_check, job))
        if len(waiting) > ahead:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _pool(store: Engine, processes: int) -> ProcessPoolExecutor:
    """Helpers that begin anew: a copy of this process would share its connections."""
    return ProcessPoolExecutor(
        processes,
        mp_context=get_context("spawn"),
        initializer=_begin,
        initargs=(store.url.render_as_string(hide_password=False),),
    )


def _begin(url: str) -> None:
    gc.set_threshold(_UNWATCHED)
    _connections.append(open_store(url).connect())


def _check(job: Job) -> Checked:
    return check_job(_connections[0], job)
