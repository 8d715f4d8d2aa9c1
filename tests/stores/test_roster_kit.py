"""A small OneRoster set that a test edits, writes and imports; and that it is imported whole."""

from __future__ import annotations

import copy
import csv
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Table, select

from authz.directory import tables
from authz.directory.roster import RosterProblemsError, Summary, import_roster
from authz.errors import RosterError

_SETS = count(1)

BANGKOK = ZoneInfo("Asia/Bangkok")
NOW = datetime(2026, 8, 3, 2, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
SECRET = "Sawasdee-7421"

HEAD = "sourcedId status dateLastModified "
USERS = (
    "username userIds givenName familyName middleName identifier email sms phone "
    "agentSourcedIds grades password"
)
HEADINGS = {
    "academicSessions": "title type startDate endDate parentSourcedId schoolYear",
    "orgs": "name type identifier parentSourcedId",
    "courses": "schoolYearSourcedId title courseCode grades orgSourcedId subjects subjectCodes",
    "classes": "title grades courseSourcedId classCode classType location schoolSourcedId "
    "termSourcedIds subjects subjectCodes periods",
    "enrollments": "classSourcedId schoolSourcedId userSourcedId role primary beginDate endDate",
    "demographics": "birthDate sex",
}
HEADINGS_OF = {
    "1.1": HEADINGS | {"users": "enabledUser orgSourcedIds role " + USERS},
    "1.2": HEADINGS
    | {
        "users": "enabledUser " + USERS,
        "roles": "userSourcedId roleType role beginDate endDate orgSourcedId userProfileSourcedId",
    },
}

Row = dict[str, str]


def user(id_: str, role: str, orgs: str = "school-a", **other: str) -> Row:
    """A row of users.csv, with a password as careless exports have it."""
    row = {"sourcedId": id_, "enabledUser": "true", "orgSourcedIds": orgs, "role": role}
    row |= {"username": id_, "givenName": f"Given {id_}", "familyName": "Family"}
    return row | {"password": SECRET} | other


def enrolment(id_: str, class_: str, person: str, role: str, **other: str) -> Row:
    """A row of enrollments.csv."""
    row = {"sourcedId": id_, "classSourcedId": class_, "schoolSourcedId": "school-a"}
    return row | {"userSourcedId": person, "role": role} | other


def role(id_: str, person: str, word: str, org: str = "school-a", **other: str) -> Row:
    """A row of roles.csv."""
    row = {"sourcedId": id_, "userSourcedId": person, "roleType": "primary", "role": word}
    return row | {"orgSourcedId": org} | other


def school() -> dict[str, list[Row]]:
    """One district, two schools; a student whose row names a parent, and one named by hers."""
    session = {"title": "t", "startDate": "2026-05-16", "endDate": "2027-05-16"}
    term = session | {"sourcedId": "term", "type": "term", "parentSourcedId": "year"}
    k1 = {"sourcedId": "k1", "title": "P1/1", "courseSourcedId": "thai"}
    k1 |= {"schoolSourcedId": "school-a", "termSourcedIds": "term", "classType": "homeroom"}
    return {
        "academicSessions": [session | {"sourcedId": "year", "type": "schoolYear"}, term],
        "orgs": [
            {"sourcedId": "district", "name": "District", "type": "district"},
            {"sourcedId": "school-a", "name": "A", "type": "school", "parentSourcedId": "district"},
            {"sourcedId": "school-b", "name": "B", "type": "school", "parentSourcedId": "district"},
        ],
        "courses": [{"sourcedId": "thai", "title": "Thai", "orgSourcedId": "district"}],
        "classes": [k1],
        "users": [
            user("head", "administrator"),
            user("teacher", "teacher", "school-a,school-b"),
            user("student", "student", agentSourcedIds="mother"),
            user("pupil", "student"),
            user("mother", "parent"),
            user("uncle", "relative", agentSourcedIds="pupil"),
        ],
        "enrollments": [
            enrolment("e1", "k1", "teacher", "teacher", primary="true"),
            enrolment("e2", "k1", "student", "student"),
            enrolment("e3", "k1", "pupil", "student", beginDate="2026-06-01", endDate="2026-07-01"),
        ],
        "demographics": [{"sourcedId": "student", "birthDate": "2016-02-29", "sex": "female"}],
    }


def school_12() -> dict[str, list[Row]]:
    """The same school in 1.2: the roles stand in a file of their own."""
    rows = school()
    rows["roles"] = [
        role(f"r{number}{org}", each["sourcedId"], _word(each["role"]), org)
        for number, each in enumerate(rows["users"])
        for org in each["orgSourcedIds"].split(",")
    ]
    for each in rows["users"]:
        del each["role"], each["orgSourcedIds"]
    return rows


def _word(role_: str) -> str:
    return "principal" if role_ == "administrator" else role_


class Kit:
    """Writes a set into a folder, and imports it into a store."""

    def __init__(self, folder: Path, store: Engine) -> None:
        self.folder = folder
        self.store = store
        self.rows = school()
        self.version = "1.1"
        self.modes: dict[str, str] = {}
        self.mode = "bulk"
        self.source: str | None = "sis"

    def user(self, id_: str) -> Row:
        """The row of users.csv of that person."""
        return next(each for each in self.rows["users"] if each["sourcedId"] == id_)

    def drop(self, file: str, id_: str) -> None:
        """Take a row out."""
        self.rows[file] = [each for each in self.rows[file] if each["sourcedId"] != id_]

    def delta(self, **files: list[Row]) -> None:
        """Make it a delta of these rows, which are active unless they say otherwise."""
        self.mode = "delta"
        stamp = {"status": "active", "dateLastModified": "2026-08-03T00:00:00.000Z"}
        self.rows = {name: [stamp | row for row in rows] for name, rows in files.items()}

    def again(self) -> Kit:
        """The same as a bulk, to be edited for the next import."""
        other = copy.copy(self)
        other.rows = school() if self.version == "1.1" else school_12()
        other.mode = "bulk"
        return other

    def write(self) -> Path:
        """The set as a folder of its own."""
        folder = self.folder / f"set-{next(_SETS)}"
        folder.mkdir()
        headings = HEADINGS_OF[self.version]
        for name, rows in self.rows.items():
            columns = (HEAD + headings[name]).split()
            columns += sorted({key for row in rows for key in row} - set(columns))
            with (folder / f"{name}.csv").open("w", newline="", encoding="utf-8") as stream:
                writer = csv.DictWriter(stream, columns, restval="")
                writer.writeheader()
                writer.writerows(rows)
        self.write_manifest(folder)
        return folder

    def write_manifest(self, folder: Path) -> None:
        """The manifest, which lists the files that there are."""
        modes = {name: self.modes.get(name, self.mode) for name in self.rows}
        lines = [("manifest.version", "1.0"), ("oneroster.version", self.version)]
        lines += [(f"file.{name}", mode) for name, mode in modes.items()]
        lines += [("source.systemCode", self.source)] if self.source else []
        text = "".join(f"{name},{value}\r\n" for name, value in lines)
        (folder / "manifest.csv").write_text(f"propertyName,value\r\n{text}", "utf-8")

    def load(self, path: Path | None = None, **options: Any) -> Summary:
        """Import it, in a transaction that is kept."""
        with self.store.begin() as connection:
            return self.load_into(connection, path, **options)

    def load_into(
        self, connection: Connection, path: Path | None = None, **options: Any
    ) -> Summary:
        """Import it in the transaction of the test."""
        settings: dict[str, Any] = {"now": NOW, "local": BANGKOK} | options
        return import_roster(connection, path or self.write(), **settings)

    def refused(self, path: Path | None = None, **options: Any) -> str:
        """Import it, see it refused and nothing changed; the message."""
        before = self.everything()
        try:
            self.load(path, **options)
        except RosterError as error:
            assert self.everything() == before, "a refused roster changed something"
            return str(error)
        raise AssertionError("the roster was not refused")

    def edited(self, name: str, change: Callable[[bytes], bytes]) -> Path:
        """The set with the bytes of a file changed."""
        folder = self.write()
        file = folder / name
        file.write_bytes(change(file.read_bytes()))
        return folder

    def all(self, model: type[tables.Base]) -> dict[str, dict[str, Any]]:
        """The rows of a table by id."""
        table = model.__table__
        assert isinstance(table, Table)
        with self.store.connect() as connection:
            rows = connection.execute(select(table)).mappings()
            return {str(row["id"]): dict(row) for row in rows}

    def living(self, model: type[tables.Base]) -> list[dict[str, Any]]:
        """The rows that have not ended."""
        return [row for row in self.all(model).values() if row["ended_at"] is None]

    def person(self, id_: str) -> dict[str, Any]:
        """The row of a person."""
        return self.all(tables.Person)[id_]

    def guardians(self) -> set[tuple[str, str, str]]:
        """The living guardianships: guardian, student and kind."""
        rows = self.living(tables.Guardianship)
        return {(row["guardian"], row["student"], row["kind"]) for row in rows}

    def everything(self) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table."""
        with self.store.connect() as connection:
            return {
                table.name: sorted(map(tuple, connection.execute(select(table))), key=repr)
                for table in tables.Base.metadata.sorted_tables
            }


def zipped(folder: Path, prefix: str = "") -> Path:
    """The folder as a zip file."""
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, f"{prefix}{file.name}")
    return path


def problems(kit: Kit, **options: Any) -> tuple[str, ...]:
    """The problems for which the set is refused."""
    try:
        kit.load(**options)
    except RosterProblemsError as error:
        return error.problems
    raise AssertionError("the roster was not refused")


def test_the_small_school_is_imported_whole(tmp_path: Path, store: Engine) -> None:
    summary = Kit(tmp_path, store).load()
    added = {name: tally.added for name, tally in summary.tables.items() if tally.added}
    assert added == {
        "organisation": 3,
        "term": 2,
        "course": 1,
        "class": 1,
        "person": 6,
        "membership": 7,
        "role_grant": 1,
        "enrolment": 3,
        "birth_date": 1,
        "guardianship": 2,
    }
    assert summary.source == "sis"
    assert not summary.notes
