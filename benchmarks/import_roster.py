"""Import a roster into a new database; rows a second and the most memory taken.

    python benchmarks/rosters.py /tmp/roster --students 200000
    python benchmarks/import_roster.py /tmp/roster --twice
    python benchmarks/import_roster.py /tmp/roster --url postgresql://…

Issue 2, part 5: 20,000 rows a second or better on two cores, and memory that does not
grow with the file. PostgreSQL's own memory is not counted.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from pathlib import Path

from authz import clock
from authz.directory.roster import import_roster
from authz.directory.tables import Base
from authz.service.database import open_store, writing

LOCAL = clock.zone("Asia/Bangkok")
SHOWN_AFTER = 0.5


class Steps:
    """Prints how long each step of the import took."""

    def __init__(self) -> None:
        self.step = ""
        self.since = time.monotonic()

    def __call__(self, what: str, _done: int, _total: int | None) -> None:
        """Take the progress of the import."""
        if what == self.step:
            return
        took = time.monotonic() - self.since
        if self.step and took > SHOWN_AFTER:
            print(f"  {self.step:<24}{took:6.1f} s")
        self.step, self.since = what, time.monotonic()


def prepare(url: str) -> None:
    """Create the tables, over a connection that the import does not use."""
    engine = open_store(url)
    Base.metadata.create_all(engine)
    engine.dispose()


def measure(url: str, path: Path) -> None:
    """One import, and what it took."""
    engine = open_store(url)
    steps = Steps()
    began = time.monotonic()
    with writing(engine) as connection:
        summary = import_roster(connection, path, now=clock.now(), local=LOCAL, progress=steps)
        steps("commit", 0, None)
    took = time.monotonic() - began
    steps("", 0, None)
    engine.dispose()
    rows = sum(summary.rows.values())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    print(f"{rows:,} rows in {took:.1f} s: {rows / took:,.0f} rows/s, at most {peak} MB")


def main() -> None:
    """Read the arguments and measure."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("path", type=Path)
    parser.add_argument("--url", help="an empty database; a throw-away SQLite file without it")
    parser.add_argument("--twice", action="store_true", help="import it again: nothing changes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = options.url or f"sqlite:///{folder}/authz.db"
        prepare(url)
        for _ in range(2 if options.twice else 1):
            measure(url, options.path)


if __name__ == "__main__":
    main()
