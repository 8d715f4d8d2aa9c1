"""The demo school of `make run` (issue 2, part 9): a roster, facts, and what to ask of them.

`write` is deterministic in its day and seed and reads no clock, so that the same demo can be
written twice and compared.
"""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from random import Random

from authz.cli.demo.facts import facts
from authz.cli.demo.people import (
    DOI,
    GRADES,
    OFFICE,
    POSTS,
    RIM,
    ROOMS,
    SUAN,
    SUBJECTS,
    Person,
    crowd,
    named,
)
from authz.cli.demo.scene import Scene
from authz.cli.demo.scenes import CAST, scenes

Row = tuple[str, ...]

ORGS = (
    (OFFICE, "สำนักงานเขตพื้นที่การศึกษาล้านนาสาธิต", "district", "5000", ""),
    (DOI, "โรงเรียนบ้านดอยงาม อำเภอดอยสะเก็ด", "school", "5001", OFFICE),
    (RIM, "โรงเรียนริมน้ำพิทยาคม อำเภอแม่ริม", "school", "5002", OFFICE),
    (SUAN, "โรงเรียนบ้านสวนลำไย อำเภอสารภี", "school", "5003", OFFICE),
)
TITLES = {
    "home": "แนะแนวและกิจกรรม",
    "thai": "ภาษาไทย",
    "math": "คณิตศาสตร์",
    "sci": "วิทยาศาสตร์และเทคโนโลยี",
    "eng": "ภาษาอังกฤษ",
    "soc": "สังคมศึกษา ศาสนา และวัฒนธรรม",
}
COLUMNS = {
    "orgs": "name type identifier parentSourcedId",
    "academicSessions": "title type startDate endDate parentSourcedId schoolYear",
    "courses": "schoolYearSourcedId title courseCode grades orgSourcedId subjects subjectCodes",
    "classes": "title grades courseSourcedId classCode classType location schoolSourcedId"
    " termSourcedIds subjects subjectCodes periods",
    "users": "enabledUser username userIds givenName familyName middleName identifier email sms"
    " phone agentSourcedIds grades password userMasterIdentifier resourceSourcedIds"
    " preferredGivenName preferredMiddleName preferredFamilyName primaryOrgSourcedId pronouns",
    "roles": "userSourcedId roleType role beginDate endDate orgSourcedId userProfileSourcedId",
    "enrollments": "classSourcedId schoolSourcedId userSourcedId role primary beginDate endDate",
    "demographics": "birthDate sex americanIndianOrAlaskaNative asian blackOrAfricanAmerican"
    " nativeHawaiianOrOtherPacificIslander white demographicRaceTwoOrMoreRaces"
    " hispanicOrLatinoEthnicity countryOfBirthCode stateOfBirthAbbreviation cityOfBirth"
    " publicSchoolResidenceStatus",
}
ABSENT = (
    "categories classResources courseResources lineItemLearningObjectiveIds lineItems"
    " lineItemScoreScales resources resultLearningObjectiveIds results resultScoreScales"
    " scoreScales userProfiles userResources"
)


@dataclass(frozen=True, slots=True)
class Demo:
    """What was written where, who plays which part, and the questions with their answers."""

    today: date
    roster: Path
    facts: Path
    cast: Mapping[str, str]
    scenes: tuple[Scene, ...]


def write(folder: Path, today: date, seed: int = 2569) -> Demo:
    """Write `folder/roster/` (OneRoster 1.2, bulk) and `folder/facts.jsonl` (spec 4.4)."""
    roster, lines = folder / "roster", folder / "facts.jsonl"
    roster.mkdir(parents=True, exist_ok=True)
    random = Random(seed)  # noqa: S311 (made-up people need no secret)
    cast = list(named(today))
    people = _some_links_from_the_parent([*cast, *crowd(today, random, cast)])
    year = school_year(today)
    for name, rows in _tables(year, people).items():
        _write(roster / f"{name}.csv", ("sourcedId", "status", "dateLastModified"), name, rows)
    _write_manifest(roster / "manifest.csv")
    with lines.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(json.dumps(fact, ensure_ascii=False) + "\n" for fact in facts(today))
    return Demo(today, roster, lines, CAST, scenes())


def school_year(today: date) -> int:
    """The C.E. year in which the school year of the day began (16 May).

    The demo's second term lasts until the next first one, without the long holiday, so that
    some term covers whatever day the demo is loaded on.
    """
    return today.year if today >= date(today.year, 5, 16) else today.year - 1


def _some_links_from_the_parent(people: list[Person]) -> list[Person]:
    """Rosters carry agent links in either direction (reference, *Guardians*): so does this."""
    turned = {p.id for i, p in enumerate(people) if p.grade and i % 9 == 0}
    children: dict[str, tuple[str, ...]] = {}
    for person in people:
        for adult in person.agents if person.id in turned else ():
            children[adult] = (*children.get(adult, ()), person.id)
    return [
        replace(p, agents=() if p.id in turned else (*p.agents, *children.get(p.id, ())))
        for p in people
    ]


def _tables(year: int, people: list[Person]) -> dict[str, Iterable[Row]]:
    """The body of every file; the columns are those of `COLUMNS`."""
    students = [person for person in people if person.grade]
    return {
        "orgs": ORGS,
        "academicSessions": [row for y in (year - 1, year) for row in _sessions(y)],
        "courses": _courses(year),
        "classes": _classes(year),
        "users": map(_user, people),
        "roles": [row for person in people for row in _roles(person)],
        "enrollments": _enrolments(students),
        "demographics": [
            (p.id, p.born.isoformat() if p.born else "", p.sex) + ("",) * 11 for p in students
        ],
    }


def _sessions(year: int) -> Iterator[Row]:
    """A school year of two terms, named by its Buddhist year, as Thai schools do."""
    begin, middle, end = f"{year}-05-16", f"{year}-11-01", f"{year + 1}-05-16"
    top, ends, be = f"year-{year}", str(year + 1), year + 543
    yield top, f"ปีการศึกษา {be}", "schoolYear", begin, end, "", ends
    yield f"term-{year}-1", f"ภาคเรียนที่ 1/{be}", "term", begin, middle, top, ends
    yield f"term-{year}-2", f"ภาคเรียนที่ 2/{be}", "term", middle, end, top, ends


def thai(grade: str) -> str:
    """`p5` as it is said: ป.5."""
    return ("ป." if grade[0] == "p" else "ม.") + grade[1]


def _courses(year: int) -> Iterator[Row]:
    for grade in GRADES:
        for code, title in TITLES.items():
            name = f"{title} {thai(grade)}"
            id_ = f"course-{grade}-{code}"
            yield id_, f"year-{year}", name, id_, thai(grade), OFFICE, title, code


def _classes(year: int) -> Iterator[Row]:
    for school, grades in ROOMS.items():
        for grade in grades:
            for code in TITLES:
                yield _class(class_id(school, grade, code), school, grade, code, year)
    yield _class(LAST_YEAR, DOI, "p4", "home", year - 1)


def class_id(school: str, grade: str, code: str) -> str:
    """`doi-p5-math`: every grade of the demo has one room."""
    return f"{school.removeprefix('school-')}-{grade}-{code}"


LAST_YEAR = "doi-p4-home-last-year"  # whose terms have ended: N-21 "while it runs"


def _class(id_: str, school: str, grade: str, code: str, year: int) -> Row:
    title = f"{TITLES[code]} {thai(grade)}/1"
    kind = "homeroom" if code == "home" else "scheduled"
    terms = f"term-{year}-1,term-{year}-2"
    course = f"course-{grade}-{code}"
    subject = TITLES[code]
    return id_, title, thai(grade), course, id_, kind, "", school, terms, subject, code, ""


def _user(person: Person) -> Row:
    """Names, a user name and an address; never a password (4.4: none is ever stored)."""
    home = person.roles[0][1]
    email = f"{person.id}@{home}.example"
    grades = thai(person.grade) if person.grade else ""
    about = (person.id, str(person.enabled).lower(), person.id, "", person.given, person.family)
    return (*about, "", "", email, "", "", ",".join(person.agents), grades, *[""] * 6, home, "")


def _roles(person: Person) -> Iterator[Row]:
    for number, (role, org) in enumerate(person.roles):
        kind = "secondary" if number else "primary"
        yield f"{person.id}.{role}", person.id, kind, role, "", "", org, ""


def _enrolments(students: list[Person]) -> Iterator[Row]:
    """Dates are left to the classes' terms, as most rosters do (2.4 `teaches`)."""

    def row(class_: str, school: str, person: str, role: str) -> Row:
        primary = "true" if role == "teacher" else ""
        return f"{class_}.{person}", class_, school, person, role, primary, "", ""

    for school, grades in ROOMS.items():
        for grade in grades:
            for code in TITLES:
                class_ = class_id(school, grade, code)
                yield row(class_, school, _teacher(school, grade, code), "teacher")
                for student in students:
                    if (student.roles[0][1], student.grade) == (school, grade):
                        yield row(class_, school, student.id, "student")
    yield row("doi-p1-home", DOI, "aide-noi", "aide")
    yield row("rim-m6-math", RIM, "aide-jira", "proctor")
    yield row(LAST_YEAR, DOI, "teacher-preecha", "teacher")
    for student in students:
        if (student.roles[0][1], student.grade) == (DOI, "p5"):
            yield row(LAST_YEAR, DOI, student.id, "student")


def _teacher(school: str, grade: str, code: str) -> str:
    post = code if code in SUBJECTS else grade
    return POSTS.get((school, post), f"{school.removeprefix('school-')}-t-{post}")


def _write(path: Path, first: Row, name: str, rows: Iterable[Row]) -> None:
    """A bulk file: status and dateLastModified are empty (reference, *Bulk or delta*)."""
    header = [*first, *COLUMNS[name].split()]
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(header)
        out.writerows((id_, "", "", *rest) for id_, *rest in rows)


def _write_manifest(path: Path) -> None:
    rows = [("manifest.version", "1.0"), ("oneroster.version", "1.2")]
    rows += [(f"file.{name}", "bulk") for name in COLUMNS]
    rows += [(f"file.{name}", "absent") for name in ABSENT.split()]
    rows += [("source.systemName", "โรงเรียนสาธิต"), ("source.systemCode", "demo")]
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("propertyName", "value"), *rows])
