"""A thousand to 500,000 people in the directory: load, size, memory, decisions warm and cold."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import Any

from benchmarks.directories import SCHOOLS, cases, directory
from benchmarks.inside import Point
from benchmarks.optional import ROOT
from benchmarks.results import Chart, Section, Table
from benchmarks.rosters import SCHOOL
from benchmarks.timing import in_turn, number, over

SECTION = Section(
    "people",
    "Directories that grow",
    """A roster of so many people (students, parents, teachers; eight enrolments a student) is
imported by `authz import oneroster` into SQLite, then the school policy is asked about people all
over it, in a process of its own for each size. *Warm* uses the facts that the process keeps,
*cold* reads them all. Memory is the most that the deciding process ever took.""",
)
STUDENTS = (600, 4_800, 45_600, SCHOOL * SCHOOLS, 229_200)
QUICK = (600, SCHOOL * 10)


def run(section: Section, *, quick: bool) -> None:
    """Each size in a process of its own."""
    rows = []
    lines: dict[str, list[tuple[float, float]]] = {"warm": [], "cold": []}
    for students in QUICK if quick else STUDENTS:
        try:
            of = directory(students)
            found = _child(students, 0.5 if quick else 2)
        except (RuntimeError, subprocess.SubprocessError) as error:
            section.problems.append(f"{students:,} students: {error}")
            continue
        rows.append(
            [
                f"{of.people:,}",
                f"{of.rows:,}",
                number(of.imported),
                f"{of.rows / of.imported:,.0f}",
                number(of.import_megabytes),
                number(of.megabytes),
                number(found["warm"]),
                number(found["cold"]),
                number(found["megabytes"]),
            ]
        )
        for name, points in lines.items():
            points.append((of.people, found[name]))
    columns = "people,rows,import s,rows/s,import MB,database MB,warm µs,cold µs,memory MB"
    section.tables.append(Table("", columns.split(","), rows))
    chart = Chart("people", "One decision", "µs", lines=lines, x="people in the directory")
    section.charts.append(chart)


def _child(students: int, seconds: float) -> dict[str, float]:
    """What a fresh process measures of this directory."""
    command = [sys.executable, "-m", __name__, str(students), str(seconds)]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-300:])
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _measured(students: int, seconds: float) -> dict[str, Any]:
    """Decisions of this directory, and the memory that the process took."""
    of = directory(students)
    point, asked = Point(of.url), cases(of)[:200]
    questions = [(point.question(case.request()),) for case in asked]
    wrong = [c for c, (q,) in zip(asked, questions, strict=True) if point.cold(q) is not c.permit]
    if wrong:
        raise AssertionError(f"{len(wrong)} answers are wrong, as {wrong[0]}")
    works = {"warm": over(point.warm, questions), "cold": over(point.cold, questions)}
    found = {name: one.p50 for name, one in in_turn(works, seconds).items()}
    return found | {"megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3}


if __name__ == "__main__":
    print(json.dumps(_measured(int(sys.argv[1]), float(sys.argv[2]))))
