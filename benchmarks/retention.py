"""What retiring old records costs, and how long others wait for it.

    python -m benchmarks.retention [--records N] [--retire N] [--folder DIR] [--url URL]

A store of N records is made where none is (by :mod:`benchmarks.verify`), and its oldest are
retired, while somebody else writes a record to the database every 20 ms and says how long
each took.
"""

from __future__ import annotations

import argparse
import os
import threading
import time
from datetime import timedelta
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter, process_time

from sqlalchemy import Engine, select

from authz.audit import log
from authz.audit import retire as segments
from authz.audit.tables import AuditBatch
from authz.config import Settings, load
from authz.service import checkpoints, retention, verification
from authz.service.database import open_store, reading, upgrade, writing
from benchmarks.verify import BEGAN, entry, fill

EVERY = 0.02


class Other:
    """Somebody else who writes: the seconds that each of the writes took."""

    def __init__(self, store: Engine) -> None:
        self.store = store
        self.took: list[float] = []
        self.stop = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        number = 10_000_000
        while not self.stop.wait(EVERY):
            began = perf_counter()
            with writing(self.store) as connection:
                log.append(connection, [entry(number)])
            self.took.append(perf_counter() - began)
            number += 1

    def end(self) -> str:
        """The waits, in words."""
        self.stop.set()
        self.thread.join()
        every = quantiles(self.took, n=100)
        return (
            f"{len(self.took)} writes beside it: median {median(self.took) * 1e3:.1f} ms, "
            f"99 of 100 below {every[98] * 1e3:.0f} ms, longest {max(self.took) * 1e3:.0f} ms"
        )


def held() -> list[float]:
    """From now on, the seconds that each removal and each retirement held the lock."""
    found: list[float] = []
    for name in ("remove", "commit"):
        done = getattr(segments, name)

        def timed(connection: object, *given: object, done: object = done) -> object:
            began = perf_counter()
            try:
                return done(connection, *given)  # type: ignore[operator]
            finally:
                found.append(perf_counter() - began)

        setattr(segments, name, timed)
    return found


def measure(store: Engine, settings: Settings, records: int) -> None:
    """Retire that many records, and print what it took."""
    checkpoints.keep(store, settings)
    before = Other(store)
    time.sleep(5)
    print(f"without it: {before.end()}")
    other, locks = Other(store), held()
    began, used = perf_counter(), process_time()
    older = BEGAN + timedelta(milliseconds=10 * records)
    count = retention.retire(store, settings, older_than=older, by="benchmark")
    seconds, used = perf_counter() - began, process_time() - used
    print(
        f"{store.dialect.name}: {count} records in {seconds:.0f} s, "
        f"{count / seconds:,.0f} a second, {used / count * 1e6:.0f} us of this process a record, "
        f"load {os.getloadavg()[0]:.1f}"
    )
    usual = quantiles(locks, n=100)[98]
    print(
        f"the lock was held {len(locks)} times, 99 of 100 below {usual * 1e3:.0f} ms, "
        f"{max(locks) * 1e3:.0f} ms at the most"
    )
    print(other.end())
    began = perf_counter()
    assert verification.verify(store, settings).whole
    print(f"the rest verified in {perf_counter() - began:.1f} s")


def main() -> None:
    """Make the store where it is not there yet, and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--retire", type=int, default=900_000)
    parser.add_argument("--folder", type=Path, default=Path("var/bench/retention"))
    parser.add_argument("--url", default="")
    given = parser.parse_args()
    folder: Path = given.folder
    folder.mkdir(parents=True, exist_ok=True)
    url = given.url or f"sqlite:///{folder}/{given.records}.db"
    settings = load(
        database_url=url,
        key_folder=folder / "keys",
        checkpoint_folder=folder / "checkpoints",
        audit_folder="",
        audit_origin="authz.example/benchmark",
    )
    store = open_store(url)
    upgrade(store)
    with reading(store) as connection:
        there = connection.execute(select(AuditBatch.position).limit(1)).first()
    if there is None:
        fill(store, given.records)
    if given.retire:
        measure(store, settings, given.retire)
    store.dispose()


if __name__ == "__main__":
    main()
