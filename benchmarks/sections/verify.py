"""How fast the trail is verified: records written by decisions, then ``authz audit verify``."""

from __future__ import annotations

import shutil
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.directories import authz, cases, directory
from benchmarks.inside import Point
from benchmarks.results import Section, Table
from benchmarks.timing import number

SECTION = Section(
    "verify",
    "The trail, verified",
    """Decisions are recorded in batches, then `authz audit verify` reads the whole trail:
every hash, every link, every index column. The start of the command is measured by itself and
taken off.""",
)
STUDENTS, BATCH = 600, 500


TIMES = 3
CLEAR = 0.2
"""Less than this part of the command's start is no measurement."""


def run(section: Section, *, quick: bool) -> None:
    """Write the records, verify them."""
    wanted, of = 10_000 if quick else 100_000, directory(STUDENTS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{folder}/authz.db"
        shutil.copy(of.path, folder / "authz.db")
        before = _verified(url, folder)
        point = Point(url, durability="os")
        requests = [point.request(case.request()) for case in cases(of)]
        batch = [requests[number_ % len(requests)] for number_ in range(BATCH)]
        began = time.monotonic()
        for _ in range(wanted // BATCH):
            point.together(batch)
        wrote = time.monotonic() - began
        point.store.dispose()
        whole = _verified(url, folder)
    took = whole - before
    if took < CLEAR * before:  # noise, not a measurement
        problem = (
            f"verification: {whole:.1f} s beside {before:.1f} s of starting is too near to tell"
        )
        section.problems.append(problem)
    rows = [
        [
            "decided and recorded, batches of 500",
            f"{wanted:,}",
            number(wrote),
            _rate(wanted, wrote),
        ],
    ]
    if took >= CLEAR * before:
        rows.append(["verified", f"{wanted:,}", number(took), _rate(wanted, took)])
    section.tables.append(Table("", ["", "records", "seconds", "records a second"], rows))


def _verified(url: str, folder: Path) -> float:
    """The seconds of one verification, the median of some; a trail that is not whole raises."""
    found = []
    for _ in range(TIMES):
        began = time.monotonic()
        authz(url, "audit", "verify", folder=folder)
        found.append(time.monotonic() - began)
    return median(found)


def _rate(records: int, seconds: float) -> str:
    return f"{records / seconds:,.0f}"
