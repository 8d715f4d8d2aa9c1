"""A teacher's list of 150 students among 200,000: our search beside the bare SQL query."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from sqlalchemy import Engine, create_engine, insert, select, text

from authz import clock, permitted
from authz.decision.search import Kind, parse_search
from authz.directory.tables import Class, Enrolment, Person
from authz.service.candidates import People
from authz.service.database import reading
from authz.service.decide import DecisionPoint
from authz.service.search import SearchPoint, begun
from benchmarks.directories import authz, directory
from benchmarks.inside import CALLER, Point
from benchmarks.results import Section, Table, target
from benchmarks.rosters import SCHOOL
from benchmarks.timing import in_turn, number, once

BARE = text(
    "SELECT DISTINCT theirs.person FROM enrolment mine "
    "JOIN enrolment theirs ON theirs.class = mine.class AND theirs.role = 'student' "
    "WHERE mine.person = :teacher AND mine.role = 'teacher' ORDER BY theirs.person LIMIT 1000"
)
STUDENTS = 229_200
RECORDED = "search, recorded"
SECTION = Section(
    "lists",
    "A list: a teacher's 150 students",
    """Among {students} students, a teacher of five rooms asks for everybody whose test results they
may read. The bare query joins two enrolments and looks at no date, restriction or retention; ours
answers as so many evaluations would. All found the same people first. Microseconds of the
processor; of the wall where it is recorded.""",
)


def run(section: Section, *, quick: bool) -> None:
    """Find the teacher, compare, and time."""
    of = directory(SCHOOL * 10 if quick else STUDENTS)
    section.about = section.about.format(students=f"{of.students:,}")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(of.path, folder / "authz.db")
        url = f"sqlite:///{folder}/authz.db"
        point = Point(url, durability="os")
        teacher = _teacher(folder, url)
        works: dict[str, Callable[[], Any]] = {}
        for found in (_bare, _narrowed, _page, _recorded):
            try:
                works.update(found(point, teacher))
            except Exception as error:  # noqa: BLE001 (the others are measured)
                section.problems.append(f"{found.__name__}: {type(error).__name__}: {error}")
        _compared(section, works, teacher)
        seconds, waits = (0.5 if quick else 2), {RECORDED: works.pop(RECORDED, None)}
        times = in_turn({n: once(w) for n, w in works.items()}, seconds)
        times |= in_turn({n: once(w) for n, w in waits.items() if w}, seconds, perf_counter)
        point.store.dispose()
    floor = times["bare SQL query"].p50
    rows = [[n, t.shown(), t.spread(), number(t.p50 / floor)] for n, t in times.items()]
    section.tables.append(Table("", ["", "µs, median", "10 % – 90 %", "× bare SQL"], rows))
    for name in ("search, its statement", "authz.permitted"):
        value = times[name].p50 / floor if name in times else None
        section.targets.append(
            target(f"a teacher's list, {name}: within 5 × of bare SQL", value, 5)
        )


def _teacher(folder: Path, url: str) -> str:
    """A teacher of the roster's first five rooms, given by the facts of an operator."""
    facts = folder / "teacher.jsonl"
    lines = ['{"fact": "person", "id": "bench-teacher", "given_name": "a", "family_name": "b"}']
    facts.write_text("\n".join(lines), "utf-8")
    authz(url, "import", "facts", str(facts), folder=folder)
    _enrol(url)
    return "bench-teacher"


def _enrol(url: str) -> None:
    """Classes come by a roster alone; five rows stand in for one."""
    engine = create_engine(url)
    with engine.begin() as connection:
        rooms = select(Class.id).where(Class.id.like("%.home")).order_by(Class.id).limit(5)
        made = {"person": "bench-teacher", "role": "teacher", "origin": "bench"}
        rows = [
            {**made, "id": f"bench-{c}", "class": c, "recorded_at": clock.now()}
            for c in connection.scalars(rooms)
        ]
        connection.execute(insert(Enrolment), rows)
    engine.dispose()


def _bare(point: Point, teacher: str) -> dict[str, Callable[[], Any]]:
    connection = point.store.connect()
    return {"bare SQL query": lambda: list(connection.scalars(BARE, {"teacher": teacher}))}


def _narrowed(point: Point, teacher: str) -> dict[str, Callable[[], Any]]:
    """Narrowed and run, as an application does it for each request."""
    connection = _prepared(point.store)

    def run() -> list[str]:
        own = permitted(
            select(Person.id), teacher, "read", "assessment_result",
            person=Person.id, policy=point.policy, place=point.place,
        )  # fmt: skip
        return list(connection.scalars(own))

    return {"authz.permitted": run}


def _page(point: Point, teacher: str) -> dict[str, Callable[[], Any]]:
    """The statement of the search; the only work here that knows its inside."""
    search = parse_search(Kind.RESOURCE, _body(teacher))
    quiet = DecisionPoint(point.store, point.policy.without_duties, point.place)
    people = People(quiet, Kind.RESOURCE, SearchPoint(point.point, lambda: b"bench").listings)
    asked, connection = point.point.question(search.request, CALLER), _prepared(point.store)
    return {"search, its statement": lambda: people.page(connection, asked, point.now, "", 1000)}


def _recorded(point: Point, teacher: str) -> dict[str, Callable[[], Any]]:
    searching = SearchPoint(point.point, lambda: b"bench")
    search = parse_search(Kind.RESOURCE, _body(teacher))
    return {RECORDED: lambda: searching.search(search, CALLER)}


def _body(teacher: str) -> dict[str, Any]:
    return {
        "subject": {"type": "user", "id": teacher},
        "action": {"name": "read"},
        "resource": {"type": "assessment_result"},
        "page": {"limit": 1000},
    }


def _prepared(store: Engine) -> Any:
    with reading(store) as connection:
        begun(connection)
    connection = store.connect()
    begun(connection)
    return connection


def _compared(section: Section, works: dict[str, Callable[[], Any]], teacher: str) -> None:
    """All that list ids list the same; who does not is not timed."""
    wanted = set(works["bare SQL query"]())
    section.about += f" The list has {len(wanted)} students."
    for name in _listing(works):
        found = set(works[name]()) - {teacher}  # one may read one's own, too
        if not found <= wanted or not found:
            section.problems.append(f"{name}: lists {len(found)} others; not timed")
            del works[name]


def _listing(works: dict[str, Callable[[], Any]]) -> Iterator[str]:
    yield from [name for name in works if name in ("authz.permitted", "search, its statement")]
