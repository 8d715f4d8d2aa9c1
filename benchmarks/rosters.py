"""Write a OneRoster folder of any size, for the import benchmark (issue 2, part 5).

    python benchmarks/rosters.py OUT --students 200000 --version 1.2 --seed 2569 --today DATE

By default 200,000 students, 225,000 parents and 1.6 million enrolments in 334 schools under
one office. Faker is asked for names once; after that it is plain csv writing, one school at a
time, so that memory does not grow with the files. The folder is what the standard asks for:
a manifest, bulk files with empty status and dateLastModified, closed references.
"""

import argparse
import csv
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import TextIO
from zoneinfo import ZoneInfo

from faker import Faker

SCHOOL, ROOM, ROOMS = 600, 30, 20  # students of a school and of a room; rooms of a school
SUBJECTS = ("home", "thai", "math", "sci", "eng", "soc", "art", "pe")  # 8 enrolments each
HOUSEHOLDS = ((2, 1), (2, 2), (2, 2), (1, 1), (2, 2))  # (adults, children): 9 for 8
AREA = 25  # schools of an area office
OFFICE = "office"
"""The one office at the top; area offices are below it, and schools below those."""
HALF = 0.5
NOT_SAID = ("",) * 11  # columns of demographics.csv that no Thai school fills in

COLUMNS = {
    "orgs": "name type identifier parentSourcedId",
    "academicSessions": "title type startDate endDate parentSourcedId schoolYear",
    "courses": "schoolYearSourcedId title courseCode grades orgSourcedId subjects subjectCodes",
    "classes": "title grades courseSourcedId classCode classType location schoolSourcedId"
    " termSourcedIds subjects subjectCodes periods",
    "enrollments": "classSourcedId schoolSourcedId userSourcedId role primary beginDate endDate",
    "demographics": "birthDate sex americanIndianOrAlaskaNative asian blackOrAfricanAmerican"
    " nativeHawaiianOrOtherPacificIslander white demographicRaceTwoOrMoreRaces"
    " hispanicOrLatinoEthnicity countryOfBirthCode stateOfBirthAbbreviation cityOfBirth"
    " publicSchoolResidenceStatus",
}
COLUMNS_OF = {
    "1.1": {
        **COLUMNS,
        "users": "enabledUser orgSourcedIds role username userIds givenName familyName middleName"
        " identifier email sms phone agentSourcedIds grades password",
    },
    "1.2": {
        **COLUMNS,
        "users": "enabledUser username userIds givenName familyName middleName identifier email"
        " sms phone agentSourcedIds grades password userMasterIdentifier resourceSourcedIds"
        " preferredGivenName preferredMiddleName preferredFamilyName primaryOrgSourcedId pronouns",
        "roles": "userSourcedId roleType role beginDate endDate orgSourcedId userProfileSourcedId",
    },
}
ABSENT = {
    "1.1": "categories classResources courseResources lineItems resources results",
    "1.2": "categories classResources courseResources lineItemLearningObjectiveIds lineItems"
    " lineItemScoreScales resources resultLearningObjectiveIds results resultScoreScales"
    " scoreScales userProfiles userResources",
}
HEAD = {"1.1": "administrator", "1.2": "principal"}


@dataclass(frozen=True, slots=True)
class Names:
    """Pools of names: asking Faker for each of half a million people would take minutes."""

    female: tuple[str, ...]
    male: tuple[str, ...]
    family: tuple[str, ...]

    @classmethod
    def of(cls, seed: int, size: int = 400) -> "Names":
        """Pools of at most `size` different Thai names."""
        fake = Faker("th_TH")
        fake.seed_instance(seed)
        asked = (fake.first_name_female, fake.first_name_male, fake.last_name)
        return cls(*(tuple(dict.fromkeys(ask() for _ in range(size))) for ask in asked))


class Folder:
    """The open files of one roster; rows go out as they come, and are counted."""

    def __init__(self, out: Path, version: str, stack: ExitStack) -> None:
        out.mkdir(parents=True, exist_ok=True)
        self.version, self.enrolled = version, 0
        self.rows: dict[str, int] = {}
        self._open = {}
        for name, columns in COLUMNS_OF[version].items():
            path = out / f"{name}.csv"
            file: TextIO = stack.enter_context(path.open("w", encoding="utf-8", newline=""))
            self._open[name] = csv.writer(file)
            self._open[name].writerow(("sourcedId", "status", "dateLastModified", *columns.split()))
            self.rows[name] = 0
        with (out / "manifest.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(_manifest(version))

    def add(self, name: str, id_: str, *cells: str) -> None:
        """One row of a bulk file: its status and dateLastModified are empty."""
        self._open[name].writerow((id_, "", "", *cells))
        self.rows[name] += 1

    def enrol(self, class_: str, school: str, user: str, role: str, begin: str = "") -> None:
        """One enrolment; without dates it takes those of the class's terms (2.4)."""
        self.enrolled += 1
        primary = "true" if role == "teacher" else ""
        self.add("enrollments", f"E{self.enrolled}", class_, school, user, role, primary, begin, "")

    def user(
        self,
        id_: str,
        role: str,
        org: str,
        given: str,
        family: str,
        *,
        agents: str = "",
        grade: str = "",
        enabled: bool = True,
    ) -> None:
        """One person: in 1.2 the role has a file of its own. No password, ever (N-45)."""
        on, name = "true" if enabled else "false", id_.lower()
        person = (name, "", given, family, "", "", f"{name}@example.org", "", "", agents, grade, "")
        if self.version == "1.1":
            self.add("users", id_, on, org, role, *person)
            return
        self.add("users", id_, on, *person, "", "", "", "", "", org, "")
        self.add("roles", f"{id_}/{role}", id_, "primary", role, "", "", org, "")


def _manifest(version: str) -> Iterator[tuple[str, str]]:
    yield "propertyName", "value"
    yield "manifest.version", "1.0"
    yield "oneroster.version", version
    for name in COLUMNS_OF[version]:
        yield f"file.{name}", "bulk"
    for name in ABSENT[version].split():
        yield f"file.{name}", "absent"
    yield "source.systemName", "authz benchmark"
    yield "source.systemCode", "bench"


class Roster:
    """The people of one district, made and written school by school."""

    def __init__(self, folder: Folder, today: date, seed: int) -> None:
        self.folder, self.today = folder, today
        self.random, self.names = Random(seed), Names.of(seed)
        self.parents = self.families = 0
        self.year = today.year if today >= date(today.year, 5, 16) else today.year - 1
        self.terms = f"term-{self.year}-1,term-{self.year}-2"

    def write(self, students: int) -> None:
        """The frame, then every school with those of its pupils."""
        self.frame()
        for index, first in enumerate(range(0, students, SCHOOL)):
            self.school(index, range(first, min(first + SCHOOL, students)))
            _progress(min(first + SCHOOL, students), students)

    def frame(self) -> None:
        """The office, the school year, and the courses of every grade.

        The second term lasts until the next first one, so that some term covers any day.
        """
        add, year = self.folder.add, self.year
        add("orgs", OFFICE, "สำนักงานเขตพื้นที่การศึกษา", "district", "1", "")
        begin, middle, end = f"{year}-05-16", f"{year}-11-01", f"{year + 1}-05-16"
        top, ends = f"year-{year}", str(year + 1)
        add("academicSessions", top, top, "schoolYear", begin, end, "", ends)
        for term, (first, last) in enumerate(((begin, middle), (middle, end)), start=1):
            id_ = f"{top.replace('year', 'term')}-{term}"
            add("academicSessions", id_, id_, "term", first, last, top, ends)
        for grade in range(1, 13):
            for subject in SUBJECTS:
                id_ = f"{subject}-{grade}"
                add("courses", id_, top, id_, id_, str(grade), OFFICE, subject, subject)

    def school(self, index: int, pupils: range) -> None:
        """A school with its staff, its classes, and the families of its pupils."""
        area, school = f"area-{index // AREA}", f"school-{index:04d}"
        if index % AREA == 0:
            self.folder.add("orgs", area, area, "local", f"A{index}", OFFICE)
        self.folder.add("orgs", school, f"โรงเรียนที่ {index + 1}", "school", f"S{index}", area)
        self.adult(f"{school}/head", HEAD[self.folder.version], school)
        for number in range(2 * ROOMS):
            self.adult(f"{school}/t{number}", "teacher", school)
        rooms = min(ROOMS, -(-len(pupils) // ROOM))
        for room in range(rooms):
            self.classes(school, room)
        waiting = iter(pupils)
        while self.household(school, waiting, rooms):
            pass

    def classes(self, school: str, room: int) -> None:
        """The classes of one room, each with a teacher."""
        grade = str(_grade(room))
        for number, subject in enumerate(SUBJECTS):
            id_, course = f"{school}.{room}.{subject}", f"{subject}-{grade}"
            kind = "scheduled" if number else "homeroom"
            about = (f"{subject} {grade}/{room}", grade, course, id_, kind, "", school)
            self.folder.add("classes", id_, *about, self.terms, subject, subject, "")
            post = ROOMS + (number + room) % ROOMS if number else room
            self.folder.enrol(id_, school, f"{school}/t{post}", "teacher")

    def adult(
        self, id_: str, role: str, school: str, family: str = "", *, agents: str = ""
    ) -> None:
        """A grown-up; one of a household has its name."""
        given = self.random.choice(self.random.choice((self.names.female, self.names.male)))
        last = family or self.random.choice(self.names.family)
        self.folder.user(id_, role, school, given, last, agents=agents)

    def household(self, school: str, waiting: Iterator[int], rooms: int) -> bool:
        """One family: its children of those waiting, and their parents; False with none left.

        The links are mostly in the child's row; every tenth family has them in the parents'.
        """
        adults, size = HOUSEHOLDS[self.families % len(HOUSEHOLDS)]
        children = list(islice(waiting, size))
        if not children:
            return False
        parents = [f"P{self.parents + number:06d}" for number in range(adults)]
        turned = self.families % 10 == 0
        role = "guardian" if self.families % 40 == 1 else "parent"
        name = self.random.choice(self.names.family)
        ids = ",".join(f"S{child:06d}" for child in children) if turned else ""
        for parent in parents:
            self.adult(parent, role, school, name, agents=ids)
        for child in children:
            self.pupil(child, school, child % rooms, name, "" if turned else ",".join(parents))
        self.parents, self.families = self.parents + adults, self.families + 1
        return True

    def pupil(self, number: int, school: str, room: int, family: str, agents: str) -> None:
        """A pupil with a birth date (one in a hundred without) in every class of the room."""
        id_, grade, random = f"S{number:06d}", _grade(room), self.random
        sex = "female" if random.random() < HALF else "male"
        given = random.choice(self.names.female if sex == "female" else self.names.male)
        on = number % 500 != 0
        self.folder.user(
            id_, "student", school, given, family, agents=agents, grade=str(grade), enabled=on
        )
        days = int((grade + 5) * 365.25) + int(random.random() * 365)
        born = (self.today - timedelta(days=days)).isoformat() if number % 100 else ""
        self.folder.add("demographics", id_, born, sex, *NOT_SAID)
        begin = f"{self.year}-06-15" if number % 50 == 0 else ""  # came a month late
        for subject in SUBJECTS:
            self.folder.enrol(f"{school}.{room}.{subject}", school, id_, "student", begin)


def _grade(room: int) -> int:
    """The twelve grades spread over the rooms of a school."""
    return 1 + room * 12 // ROOMS


def generate(
    out: Path, *, students: int, today: date, version: str = "1.2", seed: int = 2569
) -> dict[str, int]:
    """Write the folder; returns the rows of each file. The same arguments, the same bytes."""
    with ExitStack() as stack:
        folder = Folder(out, version, stack)
        Roster(folder, today, seed).write(students)
        return folder.rows


def _progress(done: int, of: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done:,} of {of:,} students", end="\n" if done == of else "", file=sys.stderr)


def main() -> None:
    """Read the arguments, write, and say how many rows in how many seconds."""
    parser = argparse.ArgumentParser(description="Write a OneRoster folder of any size.")
    parser.add_argument("out", type=Path)
    parser.add_argument("--students", type=int, default=200_000)
    parser.add_argument("--version", choices=sorted(COLUMNS_OF), default="1.2")
    parser.add_argument("--seed", type=int, default=2569)
    today = datetime.now(tz=ZoneInfo("Asia/Bangkok")).date()
    parser.add_argument("--today", type=date.fromisoformat, default=today)
    given = parser.parse_args()
    started = time.perf_counter()
    rows = generate(
        given.out,
        students=given.students,
        today=given.today,
        version=given.version,
        seed=given.seed,
    )
    for name, count in rows.items():
        print(f"{name:18}{count:>12,}")
    print(f"{'rows':18}{sum(rows.values()):>12,} in {time.perf_counter() - started:.1f} s")


if __name__ == "__main__":
    main()
