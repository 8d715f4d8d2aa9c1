"""What a roster becomes in the directory (pages 2.4, 4.4 and 5)."""

from __future__ import annotations

import json
import logging
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, select, text, update

from authz.directory import tables
from authz.directory.roster import RosterProblemsError, import_roster
from authz.directory.tables import (
    Class,
    Enrolment,
    Grant,
    Guardianship,
    Membership,
    Person,
    Term,
)
from tests.stores.test_roster_kit import (
    BANGKOK,
    LATER,
    NOW,
    SECRET,
    Kit,
    enrolment,
    role,
    user,
    zipped,
)


def test_dates_are_local_midnights_and_the_end_is_the_first_day_without(kit: Kit) -> None:
    kit.load()
    row = kit.all(Enrolment)["e3"]
    assert row["valid_from"] == datetime(2026, 5, 31, 17, tzinfo=UTC)
    assert row["valid_until"] == datetime(2026, 6, 30, 17, tzinfo=UTC)
    assert kit.all(Term)["term"]["begins"] == datetime(2026, 5, 15, 17, tzinfo=UTC)


def test_rows_carry_origin_time_and_terms(kit: Kit) -> None:
    kit.load()
    row = kit.all(Class)["k1"]
    assert row["terms"] == ["term"]
    assert (row["origin"], row["recorded_at"], row["recorded_by"]) == (
        "roster:sis",
        NOW,
        "roster:sis",
    )


def test_a_birth_date_comes_with_who_vouched(kit: Kit) -> None:
    kit.load()
    person = kit.person("student")
    assert (person["birth_date"], person["birth_date_from"]) == (date(2016, 2, 29), "roster:sis")
    assert kit.person("pupil")["birth_date"] is None


def test_memberships_come_from_organisations_and_not_from_enrolments(kit: Kit) -> None:
    kit.rows["enrollments"][0]["schoolSourcedId"] = "school-b"
    kit.rows["enrollments"].append(enrolment("e9", "k1", "mother", "aide"))
    kit.load()
    found = {(row["person"], row["organisation"]) for row in kit.living(Membership)}
    assert ("teacher", "school-b") in found
    assert {org for person, org in found if person == "mother"} == {"school-a"}


def test_an_administrator_becomes_school_admin_where_they_are_one(kit: Kit) -> None:
    kit.load()
    (grant,) = kit.living(Grant)
    assert (grant["person"], grant["role"], grant["organisation"], grant["granted_by"]) == (
        "head",
        "school_admin",
        "school-a",
        "roster:sis",
    )


@pytest.mark.parametrize("word", ["principal", "siteAdministrator", "districtAdministrator"])
def test_administrators_of_1_2_are_granted_with_the_dates_of_the_role(
    kit_12: Kit, word: str
) -> None:
    dates = {"beginDate": "2026-05-16", "endDate": "2027-05-16"}
    kit_12.rows["roles"][0] |= {"role": word, **dates}
    kit_12.load()
    (grant,) = kit_12.living(Grant)
    assert grant["valid_from"] == datetime(2026, 5, 15, 17, tzinfo=UTC)
    assert grant["valid_until"] == datetime(2027, 5, 15, 17, tzinfo=UTC)


def test_a_system_administrator_is_granted_nothing(kit_12: Kit) -> None:
    kit_12.rows["roles"][0]["role"] = "systemAdministrator"
    kit_12.load()
    assert kit_12.living(Grant) == []


def test_an_administrator_enrolment_is_kept_with_its_role(kit: Kit) -> None:
    kit.rows["enrollments"].append(enrolment("e9", "k1", "head", "administrator"))
    kit.load()
    assert kit.all(Enrolment)["e9"]["role"] == "administrator"


def test_guardianships_come_from_links_in_either_direction(kit: Kit) -> None:
    kit.load()
    assert kit.guardians() == {("mother", "student", "parent"), ("uncle", "pupil", "relative")}


def test_a_link_in_both_rows_is_one_guardianship(kit: Kit) -> None:
    kit.user("mother")["agentSourcedIds"] = "student"
    kit.load()
    assert len(kit.all(Guardianship)) == 2


def test_1_2_gives_the_same_guardianships(kit_12: Kit) -> None:
    kit_12.load()
    assert kit_12.guardians() == {("mother", "student", "parent"), ("uncle", "pupil", "relative")}


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        (["parent", "guardian"], "guardian"),
        (["parent", "relative"], "relative"),
        (["guardian", "relative"], "relative"),
        (["parent", "teacher"], "parent"),
    ],
)
def test_of_several_roles_the_weakest_counts(kit_12: Kit, words: list[str], kind: str) -> None:
    kit_12.rows["roles"] = [each for each in kit_12.rows["roles"] if each["role"] != "parent"]
    kit_12.rows["roles"] += [role(f"m{word}", "mother", word) for word in words]
    kit_12.load()
    assert ("mother", "student", kind) in kit_12.guardians()


def test_a_dated_guardian_role_dates_the_guardianship(kit_12: Kit) -> None:
    mother = next(each for each in kit_12.rows["roles"] if each["role"] == "parent")
    mother |= {"beginDate": "2026-05-16", "endDate": "2027-05-16"}
    kit_12.load()
    row = next(row for row in kit_12.living(Guardianship) if row["guardian"] == "mother")
    assert row["valid_until"] == datetime(2027, 5, 15, 17, tzinfo=UTC)


def test_a_guardian_role_that_is_over_gives_nothing(kit_12: Kit) -> None:
    mother = next(each for each in kit_12.rows["roles"] if each["role"] == "parent")
    mother |= {"beginDate": "2020-05-16", "endDate": "2021-05-16"}
    assert kit_12.load().idle_links.total == 1
    assert kit_12.guardians() == {("uncle", "pupil", "relative")}


@pytest.mark.parametrize("agent", ["teacher", "pupil", "student"])
def test_other_links_give_nothing_and_are_reported(kit: Kit, agent: str) -> None:
    kit.user("student")["agentSourcedIds"] = agent
    summary = kit.load()
    assert kit.guardians() == {("uncle", "pupil", "relative")}
    assert summary.idle_links.total == 1
    assert summary.idle_links.first[0].startswith("users.csv:4: column agentSourcedIds: 'student'")


def test_a_disabled_user_is_suspended_and_active_again_when_enabled(kit: Kit) -> None:
    kit.user("student")["enabledUser"] = "false"
    kit.load()
    assert kit.person("student")["status"] == "suspended"
    assert kit.again().load(now=LATER).tables["person"].changed == 1
    assert kit.person("student")["status"] == "active"
    assert kit.person("student")["ended_at"] is None


def test_a_status_that_another_hand_set_is_not_opened_by_the_roster(kit: Kit) -> None:
    kit.load()
    with kit.store.begin() as connection:
        who = Person.__table__.c.id
        for id_, status in (("student", "suspended"), ("pupil", "deregistered")):
            ended = NOW if status == "deregistered" else None
            connection.execute(
                update(Person)
                .where(who == id_)
                .values(status=status, ended_at=ended, recorded_by="dpo")
            )
    summary = kit.again().load(now=LATER)
    assert set(summary.held.first) == {"student", "pupil"}
    assert kit.person("student")["status"] == "suspended"
    assert kit.person("pupil")["status"] == "deregistered"
    assert not summary.changed


def test_leaving_and_coming_back_does_not_open_what_another_hand_closed(kit: Kit) -> None:
    kit.load()
    with kit.store.begin() as connection:
        uncle = update(Person).where(Person.__table__.c.id == "uncle")
        connection.execute(uncle.values(status="suspended", recorded_by="dpo"))
    without = kit.again()
    without.drop("users", "uncle")
    without.load(now=LATER, allow_mass_change=True)
    assert kit.again().load(now=LATER).held.first == ("uncle",)
    assert kit.person("uncle")["status"] == "deregistered"


def test_the_same_bulk_twice_changes_nothing(kit: Kit) -> None:
    kit.load()
    before = kit.everything()
    summary = kit.again().load(now=LATER)
    assert not summary.changed
    assert kit.everything() == before
    assert summary.tables["person"].unchanged == 6


def test_the_same_bulk_of_1_2_twice_changes_nothing(kit_12: Kit) -> None:
    kit_12.load()
    before = kit_12.everything()
    assert not kit_12.again().load(now=LATER).changed
    assert kit_12.everything() == before


def test_what_a_bulk_no_longer_has_ends(kit: Kit) -> None:
    kit.load()
    later = kit.again()
    later.drop("users", "uncle")
    later.drop("enrollments", "e3")
    summary = later.load(now=LATER, allow_mass_change=True)
    uncle = kit.person("uncle")
    assert (uncle["status"], uncle["ended_at"]) == ("deregistered", LATER)
    assert kit.all(Enrolment)["e3"]["ended_at"] == LATER
    assert kit.guardians() == {("mother", "student", "parent")}
    assert summary.tables["person"].ended == 1
    assert summary.tables["membership"].ended == 1


def test_a_bulk_ends_only_what_its_own_source_brought(kit: Kit) -> None:
    kit.load()
    other = kit.again()
    other.source = "other"
    other.rows = {"orgs": [{"sourcedId": "elsewhere", "name": "E", "type": "school"}]}
    other.rows["users"] = [user("stranger", "student", "elsewhere")]
    other.load(now=LATER)
    assert kit.person("student")["ended_at"] is None
    with kit.store.begin() as connection:
        row = {"id": "fact", "origin": "fact", "recorded_at": NOW, "birth_date_from": ""}
        row |= {"given_name": "", "family_name": "", "status": "active"}
        connection.execute(insert(Person).values(**row, recorded_by="", recorded_because=""))
    assert not kit.again().load(now=LATER).changed
    assert kit.person("fact")["ended_at"] is None


def test_somebody_who_comes_back_is_registered_again(kit: Kit) -> None:
    kit.load()
    without = kit.again()
    without.drop("users", "uncle")
    without.load(now=LATER, allow_mass_change=True)
    with kit.store.begin() as connection:
        who = Person.__table__.c.id == "uncle"
        connection.execute(update(Person).where(who).values(cancelled_at=LATER))
    summary = kit.again().load(now=LATER + timedelta(days=1))
    uncle = kit.person("uncle")
    assert (uncle["status"], uncle["ended_at"], uncle["cancelled_at"]) == ("active", None, None)
    assert summary.returned.first == ("uncle",)
    assert summary.tables["person"].returned == 1
    assert ("uncle", "pupil", "relative") in kit.guardians()


def test_a_cancellation_of_somebody_who_never_left_is_kept(kit: Kit) -> None:
    kit.load()
    with kit.store.begin() as connection:
        connection.execute(
            update(Person).where(Person.__table__.c.id == "uncle").values(cancelled_at=LATER)
        )
    kit.again().load()
    assert kit.person("uncle")["cancelled_at"] == LATER


def test_a_file_that_the_manifest_calls_absent_is_not_touched(kit: Kit) -> None:
    kit.load()
    later = kit.again()
    later.modes["enrollments"] = "absent"
    later.rows["enrollments"] = later.rows["enrollments"][:1]
    summary = later.load(now=LATER)
    assert len(kit.living(Enrolment)) == 3
    assert any("enrollments.csv is ignored" in note for note in summary.notes)


def test_a_bulk_may_refer_to_a_file_that_it_does_not_bring(kit: Kit) -> None:
    kit.load()
    later = kit.again()
    later.rows = {"enrollments": [enrolment("e7", "k1", "pupil", "student")]}
    later.load(now=LATER)
    assert [row["id"] for row in kit.living(Enrolment)] == ["e7"]


@pytest.mark.parametrize("status", ["tobedeleted", "inactive"])
def test_a_row_that_is_to_be_deleted_ends_in_a_bulk(kit: Kit, status: str) -> None:
    kit.load()
    later = kit.again()
    later.user("uncle")["status"] = status
    later.load(now=LATER, allow_mass_change=True)
    assert kit.person("uncle")["status"] == "deregistered"
    assert kit.guardians() == {("mother", "student", "parent")}


def test_a_living_row_on_an_ended_one_is_imported_and_reported(kit: Kit) -> None:
    kit.rows["classes"][0]["status"] = "tobedeleted"
    summary = kit.load()
    assert len(kit.living(Enrolment)) == 3
    assert summary.hanging.total == 3
    assert summary.hanging.first[0] == "enrollments.csv:2: column classSourcedId: 'k1' has ended"


def test_no_staging_table_is_left(kit: Kit) -> None:
    with kit.store.begin() as connection:
        kit.load_into(connection)
        names = "pg_class WHERE relname" if "postgres" in str(kit.store.url) else (
            "sqlite_temp_master WHERE name"
        )  # fmt: skip
        query = f"SELECT count(*) FROM {names} LIKE 'stage_%'"  # noqa: S608
        assert connection.execute(text(query)).scalar() == 0


def test_a_password_is_in_no_table_message_or_log(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    summary = kit.load()
    kit.user("student")["role"] = "nobody"
    shifted = kit.edited("users.csv", lambda data: data.replace(b"Given uncle", b"Given, uncle"))
    message = kit.refused(shifted)
    for said in (kit.everything(), summary.as_dict(), summary.lines(), message, caplog.text):
        assert SECRET not in repr(said)


def test_a_shifted_row_shows_none_of_its_cells(kit: Kit) -> None:
    line = f"x,,,true,school-a,{SECRET},u,,G,F,,,,,,,,,over\r\n".encode()
    message = kit.refused(kit.edited("users.csv", lambda data: data + line))
    assert "users.csv:8: column role: the value is none of" in message
    assert SECRET not in message


def test_a_zip_is_read_as_a_folder_is(kit: Kit) -> None:
    assert kit.load(zipped(kit.write())).tables["person"].added == 6
    assert not kit.load(zipped(kit.write(), "roster/"), now=LATER).changed


def test_progress_is_told_in_bytes_of_each_file(kit: Kit) -> None:
    seen: list[tuple[str, int, int | None]] = []
    kit.load(progress=lambda *each: seen.append(each))
    done = dict((what, (count, total)) for what, count, total in seen)  # noqa: C402
    assert done["users.csv"][0] == done["users.csv"][1]
    assert done["directory"] == (1, 1)


def test_a_summary_is_json_and_lines(kit: Kit) -> None:
    summary = kit.load()
    assert json.loads(json.dumps(summary.as_dict()))["tables"]["person"]["added"] == 6
    assert "  person: 6 added" in summary.lines()


def test_an_imported_relation_that_ended_gives_no_living_row(kit: Kit) -> None:
    kit.load()
    kit.delta(users=[user("teacher", "teacher", status="tobedeleted")])
    kit.load(now=LATER)
    assert all(row["person"] != "teacher" for row in kit.living(Membership))


def test_two_hundred_problems_are_counted_and_a_hundred_told(kit: Kit) -> None:
    kit.rows["enrollments"] = [
        enrolment(f"x{number}", "k9", "student", "student") for number in range(200)
    ]
    with pytest.raises(RosterProblemsError) as caught:
        kit.load()
    assert (caught.value.total, len(caught.value.problems)) == (200, 100)
    assert "and 100 more" in str(caught.value)


def test_nothing_is_committed_by_the_import(kit: Kit) -> None:
    with kit.store.connect() as connection:
        import_roster(connection, kit.write(), now=NOW, local=BANGKOK)
        assert connection.in_transaction()
        assert connection.execute(select(tables.Person.__table__.c.id)).first()
