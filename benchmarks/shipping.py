"""What the keeper's shipping costs: processor time for each record that it moves.

    python -m benchmarks.shipping [--records N] [--before N] [--rounds N] [--url URL]

A journal is filled by decisions as the service records them, and is shipped in one go to a
store that holds ``--before`` records already. The processor time is that of this process; what
a PostgreSQL server spends is not in it.
"""

from __future__ import annotations

import argparse
import gc
import os
import tempfile
from itertools import count
from pathlib import Path
from time import perf_counter, process_time

from sqlalchemy import Engine

from authz.audit.journal import Journal
from authz.audit.record import spelt
from authz.audit.ship import Shipper
from authz.service.database import open_store, upgrade
from benchmarks.verify import entry

GROUP = 32
"""Records in a group, as workers under load write them."""


def fill(store: Engine, folder: Path, numbers: list[int]) -> None:
    """Write that many records to a journal of their own, and end it in order."""
    journal = Journal(store, folder, forced=False)
    bodies = [spelt(entry(number)) for number in numbers]
    for at in range(0, len(bodies), GROUP):
        journal.append(bodies[at : at + GROUP])
    journal.close()


def measure(store: Engine, folder: Path, numbers: list[int]) -> tuple[float, float]:
    """Fill a journal and ship it: microseconds of the processor and of the clock a record."""
    fill(store, folder, numbers)
    shipper = Shipper(store, folder)
    gc.collect()
    began, used = perf_counter(), process_time()
    found = shipper.ship()
    used, took = process_time() - used, perf_counter() - began
    shipper.close()
    assert (found.records, found.damage) == (len(numbers), {})
    return used / len(numbers) * 1e6, took / len(numbers) * 1e6


def main() -> None:
    """Make a store, fill it where asked, and measure some times."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--records", type=int, default=20_000)
    options.add_argument("--before", type=int, default=0)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--url", default="")
    given = options.parse_args()
    numbers = count()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = open_store(given.url or f"sqlite:///{folder}/trail.db")
        upgrade(store)
        if given.before:
            measure(store, folder / "audit", [next(numbers) for _ in range(given.before)])
        found = [
            measure(store, folder / "audit", [next(numbers) for _ in range(given.records)])
            for _ in range(given.rounds)
        ]
        for used, took in found:
            print(f"{used:6.1f} us of the processor a record, {took:6.1f} us in all")
        least = min(used for used, _ in found)
        print(
            f"{store.dialect.name}: least {least:.1f} us of the processor a record, "
            f"load {os.getloadavg()[0]:.1f}"
        )
        store.dispose()


if __name__ == "__main__":
    main()
