"""Ten thousand students and five rules: one small world, which every engine is asked about.

A parent reads a child of theirs who is a minor; a teacher whoever is in a class of theirs that
runs; an administrator everybody of the own school; a student their own data. The fifth rule
refuses: a parent about whom a restriction is on file. :func:`allowed` is the floor: the same in
plain Python. Everything is made from one seed and reads no clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

STUDENTS = 10_000
ROOM, SCHOOL = 30, 600
READ, WRITE = "read", "update"
ROLES = ("parent", "teacher", "admin", "student")


@dataclass(slots=True)
class Person:
    """Who asks: the role they ask in, and what the rules need to know of them."""

    id: str
    role: str
    children: frozenset[str] = frozenset()
    restricted: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    school: str = ""


@dataclass(slots=True)
class Student:
    """Who is asked about; ``running`` says whether the class's term runs."""

    id: str
    school: str
    klass: str
    minor: bool
    running: bool


@dataclass(frozen=True, slots=True)
class Ask:
    """May this person do this to the data of this student?"""

    person: Person
    action: str
    student: Student


@dataclass(slots=True)
class World:
    """All people, by id."""

    students: dict[str, Student] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)


def guardian(person: Person, student: Student) -> bool:
    """A parent of this student, who is a minor."""
    return student.id in person.children and student.minor


def teaches(person: Person, student: Student) -> bool:
    """A teacher of the student's class, while it runs."""
    return student.running and student.klass in person.classes


def administers(person: Person, student: Student) -> bool:
    """An administrator of the student's school."""
    return person.school == student.school


def self_(person: Person, student: Student) -> bool:
    """The student about themselves."""
    return person.id == student.id


def restricted(person: Person, student: Student) -> bool:
    """Whether a restriction between the two is on file."""
    return student.id in person.restricted


RELATIONS = {
    "guardian": guardian,
    "teaches": teaches,
    "administers": administers,
    "self": self_,
    "restricted": restricted,
}
RULES = (
    ("parent", READ, "guardian", "allow"),
    ("teacher", READ, "teaches", "allow"),
    ("admin", READ, "administers", "allow"),
    ("student", READ, "self", "allow"),
    ("parent", READ, "restricted", "deny"),
)
"""Role, action, relation, effect: the five rules."""


def allowed(ask: Ask) -> bool:
    """The five rules as plain Python: the floor, and the answer that all must give."""
    person, student = ask.person, ask.student
    if ask.action != READ:
        return False
    role = person.role
    if role == "parent":
        return (
            student.id in person.children and student.minor and student.id not in person.restricted
        )
    if role == "teacher":
        return student.running and student.klass in person.classes
    if role == "admin":
        return person.school == student.school
    return role == "student" and person.id == student.id


def world(students: int = STUDENTS, seed: int = 2569) -> World:
    """Students in rooms of thirty, their parents, teachers of five rooms, one head a school."""
    made, random = World(), Random(seed)
    for number in range(students):
        room, school = number // ROOM, f"school{number // SCHOOL}"
        id_ = f"s{number}"
        minor, running = random.random() > 0.1, room % 10 != 0  # noqa: PLR2004 (one in ten)
        made.students[id_] = Student(id_, school, f"c{room}", minor, running)
        made.people[id_] = Person(id_, "student", school=school)
        restricted_ = frozenset({id_}) if number % 20 == 0 else frozenset[str]()
        made.people[f"p{number}"] = Person(f"p{number}", "parent", frozenset({id_}), restricted_)
        made.people[f"h{school}"] = Person(f"h{school}", "admin", school=school)
        rooms = frozenset(f"c{r}" for r in range(room - room % 5, room - room % 5 + 5))
        made.people[f"t{room // 5}"] = Person(f"t{room // 5}", "teacher", classes=rooms)
    return made


def asks(made: World, count: int, seed: int = 3) -> Iterator[Ask]:
    """Questions of every kind by turns: two in three could be permitted, the rest could not."""
    random, ids = Random(seed), list(made.students)
    for number in range(count):
        role, kind = ROLES[number % len(ROLES)], number // len(ROLES) % 6
        student = made.students[random.choice(ids)]
        about = made.students[random.choice(ids)] if kind == 0 else student
        yield Ask(_asker(made, role, student), WRITE if kind == 1 else READ, about)


def _asker(made: World, role: str, student: Student) -> Person:
    """Whoever has this role towards the student."""
    number = int(student.id[1:])
    ids = {
        "parent": f"p{number}",
        "teacher": f"t{number // ROOM // 5}",
        "admin": f"h{student.school}",
        "student": student.id,
    }
    return made.people[ids[role]]
