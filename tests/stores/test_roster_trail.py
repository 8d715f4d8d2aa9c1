"""What an import did to each row stands in the trail, whoever it is about (N-49)."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from authz.directory.tables import Person
from authz.errors import RosterError
from authz.service import roster_changes, rosters
from tests.stores.test_roster_kit import BANGKOK, Kit
from tests.world import records


def imported(kit: Kit, **options: Any) -> list[dict[str, Any]]:
    """Import the set; the records that it left."""
    before = len(records(kit.store))
    rosters.import_oneroster(
        kit.store, kit.write(), local=BANGKOK, by="somchai", because="term", **options
    )
    return records(kit.store)[before:]


def told(found: list[dict[str, Any]], table: str, how: str) -> list[dict[str, Any]]:
    return [
        row
        for record in found
        if record["event"] == "roster_changed"
        and (record["detail"]["table"], record["action"]) == (table, how)
        for row in record["detail"]["rows"]
    ]


def test_a_first_import_is_told_by_counts_and_digests(tmp_path: Path, store: Engine) -> None:
    kit = Kit(tmp_path, store)
    (whole,) = imported(kit)
    folder = next(tmp_path.glob("set-*"))
    assert whole["detail"]["tables"]["enrolment"]["added"] == 3
    assert whole["detail"]["digests"] == {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()
    }
    assert (whole["detail"]["who"], whole["detail"]["why"]) == ("somchai", "term")


def test_the_same_again_tells_no_row(tmp_path: Path, store: Engine) -> None:
    kit = Kit(tmp_path, store)
    imported(kit)
    assert [record["event"] for record in imported(kit.again())] == ["roster_imported"]


def test_each_enrolment_that_ended_changed_or_came_is_told(tmp_path: Path, store: Engine) -> None:
    """Who changed this person's enrolment, when, and what was it before."""
    kit = Kit(tmp_path, store)
    imported(kit)
    other = kit.again()
    other.drop("enrollments", "e2")
    other.rows["enrollments"][0]["role"] = "aide"
    other.rows["enrollments"].append({**other.rows["enrollments"][0], "sourcedId": "e9"})
    found = imported(other)
    (ended,) = told(found, "enrolment", "ended")
    assert ended["before"] == {"class": "k1", "person": "student", "role": "student"}
    assert ended["after"].keys() == {"ended_at"}
    (changed,) = told(found, "enrolment", "changed")
    assert changed == {
        "id": "e1", "changed": ["role"], "before": {"role": "teacher"}, "after": {"role": "aide"},
    }  # fmt: skip
    (added,) = told(found, "enrolment", "added")
    assert (added["id"], added["after"]["person"]) == ("e9", "teacher")
    people = {
        record["action"]: record["detail"]["people"]
        for record in found
        if record["detail"].get("table") == "enrolment"
    }
    assert people == {"ended": ["student"], "changed": ["teacher"], "added": ["teacher"]}
    (returned,) = told(imported(kit.again()), "enrolment", "returned")
    assert returned["id"] == "e2"
    assert returned["changed"] == ["ended_at"]


def test_names_and_birth_dates_are_masked_and_seen_to_change(tmp_path: Path, store: Engine) -> None:
    kit = Kit(tmp_path, store)
    imported(kit)
    other = kit.again()
    other.user("student")["givenName"] = "Sawasdee"
    other.rows["demographics"][0]["birthDate"] = "2016-01-31"
    found = imported(other)
    changes = told(found, "person", "changed")
    assert sorted(each["changed"] for each in changes) == [
        ["birth_date"],
        ["given_name", "name_order"],
    ]
    assert {each["after"].get("given_name", "***") for each in changes} == {"***"}
    assert "Sawasdee" not in json.dumps(found)
    assert "2016" not in json.dumps([each["before"] for each in changes])


def test_people_who_leave_and_guardians_who_go_are_told(tmp_path: Path, store: Engine) -> None:
    kit = Kit(tmp_path, store)
    imported(kit)
    other = kit.again()
    other.drop("users", "mother")
    other.user("student")["agentSourcedIds"] = ""
    found = imported(other, allow_mass_change=True)
    (left,) = told(found, "person", "ended")
    assert (left["id"], left["after"]["status"]) == ("mother", "deregistered")
    (link,) = told(found, "guardianship", "ended")
    assert (link["before"]["guardian"], link["before"]["student"]) == ("mother", "student")


def test_a_dry_run_and_a_refused_roster_tell_nothing(tmp_path: Path, store: Engine) -> None:
    kit = Kit(tmp_path, store)
    imported(kit)
    other = kit.again()
    other.drop("enrollments", "e2")
    assert imported(other, dry_run=True) == []


def test_many_rows_are_told_in_records_of_some(
    tmp_path: Path, store: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster_changes, "ROWS", 2)
    monkeypatch.setattr(roster_changes, "TOGETHER", 2)
    monkeypatch.setattr(roster_changes, "IN_MEMORY", 10)
    kit = Kit(tmp_path, store)
    imported(kit)
    other = kit.again()
    other.rows["enrollments"] = []
    found = imported(other)
    assert {row["id"] for row in told(found, "enrolment", "ended")} == {"e1", "e2", "e3"}
    assert found[0]["detail"]["told"]["ended"] == 3
    assert max(len(record["detail"]["rows"]) for record in found[1:]) == 2


def test_a_roster_that_changes_while_it_is_read_is_refused(
    tmp_path: Path, sqlite_store: Engine
) -> None:
    """Else the digests of the record would be those of another roster."""
    kit = Kit(tmp_path, sqlite_store)
    folder = kit.write()

    def meanwhile(what: str, _done: int, _of: int | None) -> None:
        if what == "directory":
            (folder / "users.csv").write_bytes(b"other")

    with pytest.raises(RosterError, match="changed while it was read"):
        rosters.import_oneroster(kit.store, folder, local=BANGKOK, by="somchai", progress=meanwhile)
    assert kit.all(Person) == {}
    assert records(kit.store) == []
