"""The people of the demo roster: the named ones of the story, and the crowd around them.

Ages are counted from the given day, so that the demo shows the boundaries of N-22 (a 20th
birthday today, and one tomorrow) whenever it is loaded.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import count
from random import Random

from authz.cli.demo.names import given, surname

OFFICE, DOI, RIM, SUAN = "office-lanna", "school-doi", "school-rim", "school-suan"
GRADES = tuple(f"{stage}{year}" for stage in "pm" for year in range(1, 7))  # ป.1-ม.6
ROOMS = {DOI: GRADES[:6], RIM: GRADES[6:], SUAN: GRADES[:9]}  # one room of each grade
SUBJECTS = ("thai", "math", "sci", "eng", "soc")
SIBLINGS = 0.15  # the share of children with an elder one at the same school

Role = tuple[str, str]  # (role, organisation): one row of roles.csv


@dataclass(frozen=True, slots=True)
class Person:
    """One row of users.csv with its roles; `agents` are links as the roster writes them."""

    id: str
    given: str
    family: str
    sex: str
    roles: tuple[Role, ...]
    grade: str = ""
    born: date | None = None
    agents: tuple[str, ...] = ()
    enabled: bool = True


def years_before(day: date, years: int) -> date:
    """The same day `years` ago; 29 February falls back to the 28th (spec 5)."""
    try:
        return day.replace(year=day.year - years)
    except ValueError:
        return day.replace(year=day.year - years, day=28)


# id, given name, family name, sex, (role, organisation)...
ADULTS = """
admin-area     วิเชียร   พงษ์พิพัฒน์  male   districtAdministrator@office-lanna
admin-prapai   ประไพ     ศรีวิชัย     female principal@school-doi
admin-it       ธนากร     ใจคำ        male   siteAdministrator@school-doi
admin-chai     ชัยยันต์   มหาวัน      male   principal@school-rim
admin-suri     สุรีย์     ธรรมวงศ์    female principal@school-suan
teacher-somsri สมศรี     บุญเรือง     female teacher@school-doi
teacher-danai  ดนัย      อินทร์แก้ว   male   teacher@school-doi
teacher-preecha ปรีชา    คำแสน       male   teacher@school-doi
teacher-kanya  กัญญา     ทองสุก      female teacher@school-doi parent@school-doi
aide-noi       น้อย      ปินตา       female aide@school-doi
aide-jira      จิระ      มูลเมือง     male   proctor@school-rim
parent-somchai สมชาย     ใจดี        male   parent@school-doi
parent-wanida  วนิดา     ใจดี        female parent@school-doi
relative-yai   คำป้อ     ปัญญาดี        female relative@school-doi
parent-anan    อนันต์    แสงทอง      male   parent@school-doi
parent-suda    สุดา      แสงทอง      female parent@school-doi
parent-decha   เดชา      ทองสุก      male   parent@school-doi
parent-chalerm เฉลิม     เรือนคำ     male   parent@school-doi
guardian-ratree ราตรี    วงศ์ใหญ่     female guardian@school-doi
parent-boonmee บุญมี     กองแก้ว     male   parent@school-rim
parent-prani   ปราณี     สุขใจ       female parent@school-rim
parent-wirat   วิรัตน์    เมืองใจ      male   parent@school-rim
parent-nipa    นิภา      ชัยศรี       female parent@school-rim
parent-lamai   ละไม      จันทร์ดี     female parent@school-rim
parent-orathai อรทัย     นามวงศ์     female parent@school-suan
parent-thongchai ธงชัย   สายบุญ      male   parent@school-suan
parent-kesorn  เกสร      รักไทย      female parent@school-suan
parent-somjai  สมใจ      เพชรดี      female parent@school-suan
"""

# id, given name, family name, sex, school, grade, age today, agents of the student's own row
STUDENTS = """
student-mali มะลิ    ใจดี      female school-doi  p5 10 parent-somchai,parent-wanida,relative-yai
student-ploy พลอย   แสงทอง   female school-doi  p4 9  parent-anan,parent-suda
student-tan  ต้น     ทองสุก    male   school-doi  p3 8  teacher-kanya,parent-decha
student-bua  บัว     เรือนคำ   female school-doi  p6 11 parent-chalerm
student-kaew แก้ว    วงศ์ใหญ่   female school-doi  p1 6  -
student-krit กฤต    กองแก้ว   male   school-rim  m6 18 parent-boonmee
student-nat  ณัฐ     สุขใจ     male   school-rim  m6 20 parent-prani
student-fah  ฟ้า     เมืองใจ    female school-rim  m6 19 parent-wirat
student-ice  ไอซ์    ชัยศรี     male   school-rim  m5 16 parent-nipa
student-nok  นก     จันทร์ดี   female school-rim  m6 17 parent-lamai
student-mek  เมฆ    นามวงศ์   male   school-suan p6 -  parent-orathai
student-dao  ดาว    สายบุญ    female school-suan m3 14 parent-thongchai
student-ton  ธนา    สายบุญ    male   school-suan m2 13 parent-thongchai
student-phu  ภู      รักไทย    male   school-suan m1 12 parent-kesorn
student-lek  เล็ก    เพชรดี    female school-suan m3 15 parent-somjai
"""


def named(today: date) -> Iterator[Person]:
    """The cast, in the order of the tables above."""
    for line in ADULTS.split("\n")[1:-1]:
        id_, first, last, sex, *roles = line.split()
        pairs = (role.partition("@") for role in roles)
        yield Person(id_, first, last, sex, tuple((role, org) for role, _, org in pairs))
    for line in STUDENTS.split("\n")[1:-1]:
        id_, first, last, sex, school, grade, age, agents = line.split()
        yield Person(
            id_,
            first,
            last,
            sex,
            roles=(("student", school),),
            grade=grade,
            born=_born(today, id_, age),
            agents=() if agents == "-" else tuple(agents.split(",")),
            enabled=id_ != "student-ice",
        )


def _born(today: date, id_: str, age: str) -> date | None:
    """The two boundary birthdays to the day; the others near the middle of their year."""
    if age == "-":
        return None
    if id_ == "student-fah":  # 20 tomorrow
        return years_before(today + timedelta(days=1), 20)
    if id_ == "student-nat":  # 20 today: the birthday itself is adult (2.4 `minor`)
        return years_before(today, 20)
    return years_before(today, int(age)) - timedelta(days=150)


def crowd(today: date, random: Random, cast: Iterable[Person]) -> list[Person]:
    """Fill every room to 26-31 students, each with a family, and staff the schools."""
    people: list[Person] = []
    students = [person for person in cast if person.grade]
    for school, grades in ROOMS.items():
        families: list[tuple[str, tuple[str, ...]]] = []
        prefix, numbers = school.removeprefix("school-"), count(1)
        for grade in grades:
            taken = sum((p.roles[0][1], p.grade) == (school, grade) for p in students)
            for _ in range(random.randint(26, 31) - taken):
                number = next(numbers)
                if families and random.random() < SIBLINGS:
                    family, agents = families[random.randrange(len(families))]
                else:
                    parents = _parents(random, school, f"{prefix}-{{}}{number:03d}")
                    people += parents
                    family, agents = parents[0].family, tuple(p.id for p in parents)
                    families.append((family, agents))
                child = _child(today, random, f"{prefix}-s{number:03d}", school, grade)
                people.append(replace(child, family=family, agents=agents))
        people += _teachers(random, school, prefix)
    return people


def _child(today: date, random: Random, id_: str, school: str, grade: str) -> Person:
    sex = random.choice(("female", "male"))
    oldest = years_before(today, GRADES.index(grade) + 6)
    born = oldest - timedelta(days=random.randrange(365))
    return Person(id_, given(random, sex), "", sex, (("student", school),), grade, born)


def _parents(random: Random, school: str, id_: str) -> list[Person]:
    """One or two adults of one name; now and then a guardian, or a grandmother as well."""
    family = surname(random)

    def adult(letter: str, sex: str, role: str) -> Person:
        return Person(id_.format(letter), given(random, sex), family, sex, ((role, school),))

    mother, father = adult("m", "female", "parent"), adult("f", "male", "parent")
    households = {
        (mother, father): 63,
        (mother,): 20,
        (father,): 8,
        (adult("g", "female", "guardian"),): 5,
        (mother, father, adult("r", "female", "relative")): 4,
    }
    return list(random.choices([*households], [*households.values()])[0])


def _teachers(random: Random, school: str, prefix: str) -> list[Person]:
    """A homeroom teacher a grade and a teacher a subject; the cast takes some of the places."""
    posts = (*ROOMS[school], *SUBJECTS)
    return [
        Person(f"{prefix}-t-{post}", given(random, sex), surname(random), sex, roles)
        for post in posts
        if (school, post) not in POSTS
        for sex in (random.choice(("female", "male")),)
        for roles in ((("teacher", school),),)
    ]


POSTS = {  # places that somebody of the cast holds
    (DOI, "p5"): "teacher-somsri",
    (DOI, "p6"): "teacher-preecha",
    (DOI, "p2"): "teacher-kanya",
    (DOI, "math"): "teacher-danai",
}
