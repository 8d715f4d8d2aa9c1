"""What a delta of a roster changes, and what it leaves alone (page 5)."""

from __future__ import annotations

from datetime import date

from sqlalchemy import update

from authz.directory.tables import (
    Enrolment,
    Grant,
    Membership,
    Person,
)
from tests.stores.test_roster_kit import (
    LATER,
    Kit,
    enrolment,
    user,
)


def test_a_delta_adds_changes_and_ends_and_leaves_the_rest(kit: Kit) -> None:
    kit.load()
    kit.delta(
        users=[user("new", "student"), user("pupil", "student", givenName="Changed")],
        enrollments=[
            enrolment("e2", "k1", "student", "student", status="tobedeleted"),
            enrolment("e5", "k1", "new", "student"),
        ],
    )
    summary = kit.load(now=LATER)
    assert kit.person("pupil")["given_name"] == "Changed"
    assert kit.all(Enrolment)["e2"]["ended_at"] == LATER
    assert kit.all(Enrolment)["e1"]["ended_at"] is None
    tally = summary.tables["enrolment"]
    assert (tally.added, tally.ended, tally.unchanged) == (1, 1, 0)
    assert ("uncle", "pupil", "relative") in kit.guardians()


def test_a_delta_that_brings_the_carrying_row_without_the_link_ends_it(kit: Kit) -> None:
    kit.load()
    kit.delta(users=[user("student", "student")])
    kit.load(now=LATER)
    assert kit.guardians() == {("uncle", "pupil", "relative")}


def test_a_delta_that_changes_the_role_of_the_adult_changes_the_kind(kit: Kit) -> None:
    kit.load()
    kit.delta(users=[user("mother", "relative")])
    kit.load(now=LATER)
    assert ("mother", "student", "relative") in kit.guardians()


def test_a_delta_moves_a_person_to_another_school(kit: Kit) -> None:
    kit.load()
    kit.delta(users=[user("head", "administrator", "school-b")])
    kit.load(now=LATER)
    assert [row["organisation"] for row in kit.living(Grant)] == ["school-b"]
    found = [row for row in kit.living(Membership) if row["person"] == "head"]
    assert [row["organisation"] for row in found] == ["school-b"]


def test_a_delta_of_roles_ends_one_role_and_keeps_the_others(kit_12: Kit) -> None:
    kit_12.load()
    first = kit_12.rows["roles"][0]
    kit_12.delta(roles=[first | {"status": "tobedeleted"}])
    kit_12.load(now=LATER)
    assert kit_12.living(Grant) == []
    assert len(kit_12.living(Membership)) == 6
    assert len(kit_12.guardians()) == 2


def test_a_delta_needs_its_status(kit: Kit) -> None:
    kit.load()
    kit.delta(users=[user("new", "student", status="")])
    assert "users.csv:2: column status: is required" in kit.refused()


def test_a_rectified_birth_date_is_not_undone(kit: Kit) -> None:
    kit.load()
    rectified = date(2015, 2, 28)
    with kit.store.begin() as connection:
        connection.execute(
            update(Person)
            .where(Person.__table__.c.id == "student")
            .values(birth_date=rectified, birth_date_from="request 7")
        )
    kit.again().load(now=LATER)
    assert kit.person("student")["birth_date"] == rectified


def test_a_birth_date_that_a_bulk_no_longer_has_is_gone(kit: Kit) -> None:
    kit.load()
    later = kit.again()
    later.rows["demographics"] = [{"sourcedId": "pupil", "birthDate": "2017-01-01"}]
    later.load(now=LATER)
    assert kit.person("student")["birth_date"] is None
    assert kit.person("pupil")["birth_date"] == date(2017, 1, 1)
