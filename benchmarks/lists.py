"""A teacher's list of 150 students among 200,000: our search beside the bare SQL query.

    python benchmarks/lists.py [--students N] [--rounds N] [--folder DIR] [--url URL]

The roster of ``rosters.py`` is imported (once, where a folder is kept), a teacher is given
five rooms of thirty, and both queries must find the same people before anything is timed.
The bare query joins two enrolments and looks at no date, restriction or retention; the search
answers as 150 evaluations would. Only the ratios of one run mean something.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from time import perf_counter
from zoneinfo import ZoneInfo

from sqlalchemy import Engine, delete, insert, select, text

from authz import permitted
from authz.decision.search import Kind, parse_search
from authz.directory import tables as t
from authz.directory.facts import Place
from authz.policy.load import load
from authz.service.candidates import People
from authz.service.database import open_store, reading, upgrade
from authz.service.decide import Caller, DecisionPoint
from authz.service.rosters import import_oneroster
from authz.service.search import SearchPoint, begun
from benchmarks.decide import PACK
from benchmarks.rosters import generate

LOCAL = ZoneInfo("Asia/Bangkok")
TEACHER, ROOMS = "bench-teacher", 5
BARE = text(
    "SELECT DISTINCT theirs.person FROM enrolment mine "
    "JOIN enrolment theirs ON theirs.class = mine.class AND theirs.role = 'student' "
    "WHERE mine.person = :teacher AND mine.role = 'teacher' ORDER BY theirs.person LIMIT 1000"
)
BODY = {
    "subject": {"type": "user", "id": TEACHER},
    "action": {"name": "read"},
    "resource": {"type": "assessment_result"},
    "page": {"limit": 1000},
}


def main() -> None:
    """Prepare, compare, measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--students", type=int, default=200_000)
    options.add_argument("--rounds", type=int, default=100)
    options.add_argument("--folder", type=Path, help="Where the roster and database are kept.")
    options.add_argument("--url", help="Another database, SQLite or PostgreSQL.")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        store = open_store(given.url or f"sqlite:///{folder}/authz.db")
        upgrade(store)
        fill(store, folder, given.students)
        measure(store, given.rounds)


def fill(store: Engine, folder: Path, students: int) -> None:
    """The roster, and a teacher of five rooms."""
    with reading(store) as connection:
        known = connection.scalar(select(t.Person.id).limit(1)) is not None
    if not known:
        roster = folder / "roster"
        if not roster.exists():
            roster.mkdir()
            generate(roster, students=students, today=datetime.now(LOCAL).date())
        import_oneroster(store, roster, local=LOCAL, by="bench")
    with store.begin() as connection:
        connection.execute(delete(t.Enrolment).where(t.Enrolment.person == TEACHER))
        connection.execute(delete(t.Person).where(t.Person.id == TEACHER))
        found = select(t.Class.id).where(t.Class.id.like("%.home"))
        classes = list(connection.scalars(found.order_by(t.Class.id).limit(ROOMS)))
        row = {"origin": "bench", "recorded_at": datetime.now(UTC)}
        connection.execute(insert(t.Person), {**row, "id": TEACHER})
        connection.execute(
            insert(t.Enrolment),
            [
                {**row, "id": f"bench-{c}", "class": c, "person": TEACHER, "role": "teacher"}
                for c in classes
            ],
        )
    if store.dialect.name == "postgresql":
        with store.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("ANALYZE"))


def measure(store: Engine, rounds: int) -> None:
    """Time the bare query, the statement of the search, and the search with its record."""
    point = DecisionPoint(store, load(PACK), Place(LOCAL))
    searching = SearchPoint(point, lambda: b"bench")
    search, caller, now = parse_search(Kind.RESOURCE, BODY), Caller("bench"), datetime.now(UTC)
    asked = point.question(search.request, caller)
    quiet = DecisionPoint(store, point.policy.without_duties, point.place)
    people = People(quiet, Kind.RESOURCE, searching.listings)

    with reading(store) as connection:
        begun(connection)

        def bare() -> list[str]:
            return list(connection.scalars(BARE, {"teacher": TEACHER}))

        def ours() -> list[str]:
            return people.page(connection, asked, now, "", 1000)

        own = permitted(
            select(t.Person.id), TEACHER, "read", "assessment_result",
            person=t.Person.id, policy=point.policy, place=point.place,
        )  # fmt: skip
        wanted, found = set(bare()), ours()
        assert set(found) - {TEACHER} <= wanted  # one may read one's own, too
        assert set(connection.scalars(own)) == set(found)
        print(
            f"{store.dialect.name}: {len(wanted)} students of the bare query, {len(found)} listed"
        )
        floor = timed(bare, rounds)
        report = {
            "bare SQL query": floor,
            "search, its statement": timed(ours, rounds),
            "authz.permitted, narrowed": timed(lambda: list(connection.scalars(own)), rounds),
        }

    def unrecorded() -> list[str]:
        with reading(store) as own:
            begun(own)
            return people.page(own, asked, now, "", 1000)

    report["search, without its record"] = timed(unrecorded, rounds)
    report["search, recorded (fsync)"] = timed(lambda: searching.search(search, caller), rounds)
    for name, cost in report.items():
        print(f"{name:28}{cost:10.0f} µs{cost / floor:8.1f} x")


def timed(work: Callable[[], object], rounds: int) -> float:
    """The median time of one call, in microseconds."""
    times = []
    for _ in range(rounds):
        begin = perf_counter()
        work()
        times.append(perf_counter() - begin)
    return median(times) * 1e6


if __name__ == "__main__":
    main()
