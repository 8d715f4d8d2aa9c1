"""The demo school of `make run` is a proper roster, and shows every rule (issue 2, part 9)."""

import csv
import json
import re
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from authz.cli.demo.scene import Scene
from authz.cli.demo.scenes import CAST, scenes
from authz.cli.demo.school import Demo, write
from benchmarks.rosters import generate
from tests.oracle.answer import answer
from tests.oracle.school import School

TODAY = date(2026, 11, 22)
DAYS = ("2026-05-15", "2026-05-16", "2026-10-31", "2027-02-28", "2028-02-28", "2028-02-29")
BANGKOK = ZoneInfo("Asia/Bangkok")
ID = re.compile(r"[0-9A-Za-z._/@-]{1,255}")

PERMITS = set(
    """
    self-read self-export self-update parent-read parent-export parent-update parent-answer
    teacher-read teacher-grade assistant-read school-read school-export school-maintain
    school-reset school-emergency processor-use processor-onward authority-receive support-read
    order-read mentor-read mentor-write analyst-read dpo-case dpo-log
    """.split()  # noqa: SIM905
)
REFUSALS = set(
    """
    inactive-subject unknown-person secret custody retention objected withdrawn restricted
    not-needed escalation no-fields
    """.split()  # noqa: SIM905
)
REASONS = {"no_rule", "purpose_required", "unknown_category", "unknown_action", "unknown_purpose"}

REFERENCES = {  # file: {column: the file that it points into}
    "academicSessions": {"parentSourcedId": "academicSessions"},
    "orgs": {"parentSourcedId": "orgs"},
    "courses": {"schoolYearSourcedId": "academicSessions", "orgSourcedId": "orgs"},
    "classes": {
        "courseSourcedId": "courses",
        "schoolSourcedId": "orgs",
        "termSourcedIds": "academicSessions",
    },
    "users": {"agentSourcedIds": "users", "orgSourcedIds": "orgs", "primaryOrgSourcedId": "orgs"},
    "enrollments": {
        "classSourcedId": "classes",
        "schoolSourcedId": "orgs",
        "userSourcedId": "users",
    },
    "roles": {"userSourcedId": "users", "orgSourcedId": "orgs"},
    "demographics": {"sourcedId": "users"},
}
MEMBERS = {  # 4.4: what a line must carry, and after the bar what it may
    "person": "id given_name family_name status | birth_date cancelled_at last_used_at schools",
    "grant": "person role granted_by reason | organisation from until",
    "guardianship": "guardian student kind | from until",
    "custody_restriction": "subject person basis | from until",
    "emancipation": "person | from",
    "processor": "id name members | country",
    "authority": "id name members | country",
    "contract": "id processor purposes categories actions schools transfer country sub_processing"
    " | from until",
    "order": "id authority persons categories | from until",
    "ticket": "id person assignee opened_at | closed_at",
    "purchase": "id person assignee ordered_at | received_at",
    "mentoring": "mentor person | from until",
    "case": "id kind persons assignee opened_at | closed_at",
    "elevation": "person school justification from until | approved_by",
    "consent": "person purpose given_at | withdrawn_at project",
    "project": "id customer | ended_at retention_days",
    "objection": "person purpose | from until",
    "restriction": "person | from until",
    "erasure": "person approved_at |",
}


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Demo:
    return write(tmp_path_factory.mktemp("demo"), TODAY)


def table(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, strict=True))


def lines(demo: Demo) -> list[dict[str, object]]:
    return [json.loads(line) for line in demo.facts.read_text("utf-8").splitlines()]


def defects(folder: Path) -> Iterator[str]:
    """What the standard would find wrong with a bulk folder."""
    manifest = {row["propertyName"]: row["value"] for row in table(folder, "manifest")}
    files = {key[5:] for key, value in manifest.items() if value == "bulk"}
    if files != {path.stem for path in folder.glob("*.csv")} - {"manifest"}:
        yield "the manifest names other files than there are"
    tables = {name: table(folder, name) for name in files}
    ids = {name: [row["sourcedId"] for row in rows] for name, rows in tables.items()}
    known = {name: set(found) for name, found in ids.items()}
    for name, rows in tables.items():
        if not rows or len(ids[name]) != len(known[name]):
            yield f"{name} is empty or names an id twice"
        for row in rows:
            yield from (f"{name} {row['sourcedId']}: {what}" for what in _row_defects(row))
            for column, target in REFERENCES[name].items():
                named = set(filter(None, row.get(column, "").split(",")))
                yield from (f"{name}.{column}: {id_}" for id_ in named - known[target])


def _row_defects(row: dict[str, str]) -> Iterator[str]:
    if None in row or None in row.values():
        yield "another number of cells than headings"
    if row["status"] or row["dateLastModified"]:
        yield "not a row of a bulk file"
    if not ID.fullmatch(row["sourcedId"]):
        yield "not an id"
    if row.get("password"):
        yield "a password"


def test_the_roster_is_a_well_formed_bulk_folder(demo: Demo) -> None:
    assert not list(defects(demo.roster))
    manifest = {row["propertyName"]: row["value"] for row in table(demo.roster, "manifest")}
    assert manifest["oneroster.version"] == "1.2"
    assert manifest["source.systemCode"] == "demo"


@pytest.mark.parametrize("version", ["1.1", "1.2"])
def test_the_benchmark_roster_is_one_too(tmp_path: Path, version: str) -> None:
    rows = generate(tmp_path, students=1600, today=TODAY, version=version)
    assert not list(defects(tmp_path))
    parents = [row["sourcedId"] for row in table(tmp_path, "users") if row["sourcedId"][0] == "P"]
    assert len(parents) == 1800
    assert rows["enrollments"] >= 8 * 1600
    assert rows["demographics"] == 1600


def test_some_600_students_in_rooms_of_about_30(demo: Demo) -> None:
    roles = table(demo.roster, "roles")
    students = {row["userSourcedId"] for row in roles if row["role"] == "student"}
    assert 550 <= len(students) <= 650
    enrolments = table(demo.roster, "enrollments")
    rooms = Counter(row["classSourcedId"] for row in enrolments if row["role"] == "student")
    assert all(24 <= size <= 32 for size in rooms.values())
    taught = {row["classSourcedId"] for row in enrolments if row["role"] == "teacher"}
    assert taught == set(rooms)
    schools = [row["name"] for row in table(demo.roster, "orgs") if row["type"] == "school"]
    assert len(schools) == 3
    assert all("\u0e01" <= name[0] <= "\u0e5b" for name in schools)


def test_students_are_6_to_20_and_have_an_adult(demo: Demo) -> None:
    born = {row["sourcedId"]: row["birthDate"] for row in table(demo.roster, "demographics")}
    ages = {
        id_: TODAY.year - day.year - ((TODAY.month, TODAY.day) < (day.month, day.day))
        for id_, text in born.items()
        if text
        for day in (date.fromisoformat(text),)
    }
    assert min(ages.values()) == 6
    assert [id_ for id_, age in ages.items() if age >= 20] == ["student-nat"]
    assert born["student-fah"] == (TODAY + timedelta(days=1)).replace(year=2006).isoformat()
    assert born["student-mek"] == ""
    links = {
        frozenset((row["sourcedId"], agent))
        for row in table(demo.roster, "users")
        for agent in filter(None, row["agentSourcedIds"].split(","))
    }
    linked = {id_ for pair in links for id_ in pair} & born.keys()
    assert born.keys() - linked == {"student-kaew"}  # her guardian is a fact


def test_facts_have_the_members_of_4_4_and_no_others(demo: Demo) -> None:
    seen = set()
    for line in lines(demo):
        kind = str(line["fact"])
        must, _, may = (part.split() for part in MEMBERS[kind].partition("|"))
        members = line.keys() - {"fact"}
        assert set(must) <= members <= {*must, *may}, line
        seen.add(kind)
    assert seen == MEMBERS.keys()


def test_facts_name_only_what_is_there(demo: Demo) -> None:
    facts = lines(demo)
    known = {row["sourcedId"] for name in ("users", "orgs") for row in table(demo.roster, name)}
    members = ("person", "subject", "guardian", "student", "mentor", "assignee", "granted_by")
    others = ("organisation", "school", "approved_by", "processor", "authority", "project")
    for line in facts:
        named = {line[member] for member in (*members, *others) if member in line}
        named |= set(line.get("persons", ()))  # type: ignore[call-overload]
        assert named <= known, line
        known.add(str(line.get("id", "")))


def test_every_interval_has_a_length(demo: Demo) -> None:
    for line in lines(demo):
        begin, end = (str(line.get(name, "")) for name in ("from", "until"))
        assert not (begin and end) or begin < end, line
        if line["fact"] == "elevation":
            length = datetime.fromisoformat(end) - datetime.fromisoformat(begin)
            assert timedelta(0) < length <= timedelta(hours=24)


def test_the_same_day_and_seed_write_the_same_bytes(demo: Demo, tmp_path: Path) -> None:
    def written(folder: Path) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in folder.rglob("*.*") if path.is_file()}

    first = written(demo.roster.parent)
    assert written(write(tmp_path / "again", TODAY).roster.parent) == first
    other = written(write(tmp_path / "other", TODAY, seed=1).roster.parent)
    assert other["users.csv"] != first["users.csv"]
    assert other["facts.jsonl"] == first["facts.jsonl"]


def test_the_cast_is_there(demo: Demo) -> None:
    people = {row["sourcedId"] for row in table(demo.roster, "users")}
    for line in lines(demo):
        if line["fact"] == "person":
            people.add(str(line["id"]))
        people |= set(line.get("members", ()))  # type: ignore[call-overload]
    assert set(CAST.values()) <= people
    classes = {row["sourcedId"] for row in table(demo.roster, "classes")}
    for scene in demo.scenes:
        resource = scene.request["resource"]
        assert isinstance(resource, dict)
        assert resource.get("properties", {}).get("class", "doi-p5-math") in classes
        assert resource["id"] in people | {"student-nobody"}


def test_every_rule_permits_and_nearly_permits() -> None:
    told = scenes()
    assert {scene.rule for scene in told if scene.decision} == PERMITS
    assert {scene.shows for scene in told if not scene.decision} >= PERMITS


def test_every_refusal_and_reason_has_its_scene() -> None:
    assert {scene.rule for scene in scenes() if not scene.decision} == REFUSALS | REASONS


def test_scenes_are_told_apart_and_in_both_languages() -> None:
    told = scenes()
    for distinct in (
        [scene.id for scene in told],
        [json.dumps(scene.request, sort_keys=True) for scene in told],
    ):
        assert len(distinct) == len(set(distinct))
    assert all(scene.title["th"] and scene.title["en"] for scene in told)


@pytest.mark.parametrize("day", DAYS)
def test_scenes_are_answered_as_page_2_says_all_day_long(day: str, tmp_path: Path) -> None:
    demo = write(tmp_path, date.fromisoformat(day))
    school = School.from_roster(demo.roster).with_facts(lines(demo))
    for clock in ("00:00:00", "12:00:00", "23:59:59"):
        now = datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=BANGKOK).astimezone(UTC)
        wrong = [scene.id for scene in demo.scenes if not _as_told(school, scene, now)]
        assert not wrong, clock


def _as_told(school: School, scene: Scene, now: datetime) -> bool:
    got = answer(school, scene.request, now)
    said = got["rules"] == [scene.rule] if scene.decision else got["reason"] == scene.rule
    return got["decision"] is scene.decision and said
