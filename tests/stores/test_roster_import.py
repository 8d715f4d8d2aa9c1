"""What a roster becomes in the directory (pages 2.4, 4.4 and 5)."""

from __future__ import annotations

import csv
import json
import logging
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select, text, update

from authz.directory import tables
from authz.directory.roster import RosterProblemsError, import_roster
from authz.directory.tables import (
    Class,
    Enrolment,
    Grant,
    Guardianship,
    Membership,
    Organisation,
    Person,
    Term,
)
from authz.errors import MassChangeError
from tests.stores.test_roster_kit import (
    BANGKOK,
    LATER,
    NOW,
    SECRET,
    Kit,
    enrolment,
    role,
    school_12,
    user,
    zipped,
)


@pytest.fixture
def kit(tmp_path: Path, store: Engine) -> Kit:
    return Kit(tmp_path, store)


@pytest.fixture
def kit_12(kit: Kit) -> Kit:
    kit.version, kit.rows = "1.2", school_12()
    return kit


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


def test_the_same_id_from_two_sources_is_refused(kit: Kit) -> None:
    kit.load()
    other = kit.again()
    other.source = "other"
    message = other.refused()
    assert "users.csv:2: column sourcedId: 'head' is on file already from roster:sis" in message
    assert "--source" in message


def test_a_named_source_prefixes_every_id(kit: Kit) -> None:
    kit.load()
    other = kit.again()
    other.source = "other"
    summary = other.load(source="south")
    assert summary.source == "south"
    assert kit.person("south:head")["origin"] == "roster:south"
    assert kit.all(Enrolment)["south:e1"]["class"] == "south:k1"
    assert kit.all(Class)["south:k1"]["terms"] == ["south:term"]
    assert kit.all(Organisation)["south:school-a"]["parent"] == "south:district"
    assert ("south:mother", "south:student", "parent") in kit.guardians()
    assert not other.again().load(source="south", now=LATER).changed


def test_a_source_cannot_refer_to_what_another_one_brought(kit: Kit) -> None:
    kit.load()
    kit.source = "other"
    kit.delta(users=[user("stranger", "administrator", "school-a")])
    assert "users.csv:2: column orgSourcedIds: 'school-a'" in kit.refused()


def test_without_a_source_it_is_called_default(kit: Kit) -> None:
    kit.source = None
    assert kit.load().source == "default"


@pytest.mark.parametrize("name", ["", "a:b", "a b", "x" * 65])
def test_a_bad_name_of_a_source_is_refused(kit: Kit, name: str) -> None:
    assert "name of a source" in kit.refused(source=name)


def test_a_bulk_that_would_end_more_than_a_tenth_of_the_people_is_refused(kit: Kit) -> None:
    kit.rows["users"] += [user(f"s{number}", "student") for number in range(14)]
    kit.load()
    later = kit.again()
    later.rows["users"] += [user(f"s{number}", "student") for number in range(12)]
    later.load(now=LATER)
    last = kit.again()
    last.rows["users"] += [user(f"s{number}", "student") for number in range(10)]
    with pytest.raises(MassChangeError, match=r"end 2 of the 18 people.*--allow-mass-change"):
        last.load(now=LATER)
    assert last.load(now=LATER, allow_mass_change=True).tables["person"].ended == 2


def test_a_set_without_manifest_is_refused_unless_partial(kit: Kit) -> None:
    folder = kit.write()
    (folder / "manifest.csv").unlink()
    assert "no OneRoster 1.1 or 1.2 set" in kit.refused(folder)
    summary = kit.load(folder, partial=True)
    assert (summary.version, summary.source, summary.modes["users"]) == ("1.1", "default", "delta")


def test_partial_leaves_out_bad_rows_and_what_hangs_on_them(kit: Kit) -> None:
    kit.user("pupil")["enabledUser"] = "maybe"
    kit.rows["classes"].append(kit.rows["classes"][0] | {"sourcedId": "k2", "termSourcedIds": "x"})
    kit.rows["enrollments"].append(enrolment("e8", "k2", "student", "student"))
    kit.refused()
    summary = kit.load(partial=True)
    assert set(kit.all(Person)) == {"head", "teacher", "student", "mother", "uncle"}
    assert set(kit.all(Class)) == {"k1"}
    assert set(kit.all(Enrolment)) == {"e1", "e2"}
    listed = "\n".join(summary.skipped.first)
    for line in (
        "users.csv:5: column enabledUser: 'maybe'",
        "users.csv:7: column agentSourcedIds: 'pupil'",
        "classes.csv:3: column termSourcedIds: 'x'",
        "enrollments.csv:4: column userSourcedId: 'pupil'",
        "enrollments.csv:5: column classSourcedId: 'k2'",
    ):
        assert line in listed
    assert summary.skipped.total == 5


def test_partial_leaves_out_a_whole_branch_of_organisations(kit: Kit) -> None:
    kit.rows["orgs"][0]["parentSourcedId"] = "nowhere"
    summary = kit.load(partial=True)
    assert kit.all(Organisation) == {}
    assert len(kit.all(Person)) == 6
    assert kit.all(Membership) == {}
    assert len(kit.guardians()) == 2
    assert summary.partial


def test_partial_keeps_the_first_of_two_rows_with_one_id(kit: Kit) -> None:
    kit.rows["users"].append(user("uncle", "administrator", givenName="Second"))
    assert "users.csv:8: column sourcedId: 'uncle' is there already, on line 7" in kit.refused()
    kit.load(partial=True)
    assert kit.person("uncle")["given_name"] == "Given uncle"
    assert [row["person"] for row in kit.living(Grant)] == ["head"]


def test_partial_leaves_out_an_id_of_another_source(kit: Kit) -> None:
    kit.load()
    before = kit.everything()
    other = kit.again()
    other.source = "other"
    assert other.load(partial=True).skipped.total > 10
    assert kit.everything() == before


def test_a_rollback_is_a_dry_run(kit: Kit) -> None:
    before = kit.everything()
    with kit.store.connect() as connection:
        transaction = connection.begin()
        assert kit.load_into(connection).tables["person"].added == 6
        transaction.rollback()
    assert kit.everything() == before
    kit.load()


def test_a_crash_in_the_middle_leaves_nothing(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    def crash(*_: object) -> None:
        raise RuntimeError("power cut")

    before = kit.everything()
    monkeypatch.setattr("authz.directory.roster.apply.Links.merge", crash)
    with pytest.raises(RuntimeError, match="power cut"):
        kit.load()
    monkeypatch.undo()
    assert kit.everything() == before
    kit.load()


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


@pytest.mark.parametrize(
    ("name", "people", "enrolments"),
    [("oneroster-district-small", 268, 1855), ("oneroster-district-medium", 837, 5810)],
)
def test_the_shared_district_rosters_are_imported(
    kit: Kit, shared: Path, name: str, people: int, enrolments: int
) -> None:
    path = shared / "data" / name
    summary = kit.load(path)
    assert summary.source == "merge-oneroster-gen"
    assert summary.tables["person"].added == people
    assert summary.tables["enrolment"].added == enrolments
    assert not kit.load(path, now=LATER).changed


def test_the_shared_guardians_are_taken_partially_and_else_refused(kit: Kit, shared: Path) -> None:
    path = shared / "data" / "oneroster-guardians"
    message = kit.refused(path)
    assert "manifest.csv: missing" in message
    assert "users.csv:2: column orgSourcedIds: 'slksldkmlsk49303'" in message
    summary = kit.load(path, partial=True)
    assert summary.tables["person"].added == 1999
    assert summary.tables["guardianship"].added == _links(path)
    assert summary.skipped.total == 1999
    assert kit.all(Membership) == {}
    assert not kit.load(path, partial=True, now=LATER).changed


def _links(path: Path) -> int:
    with (path / "users.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    lists = [row["agentSourcedIds"] for row in rows]
    return sum(len(set(each.split(","))) for each in lists if each)


def test_school_data_sync_is_refused_by_name(kit: Kit, shared: Path) -> None:
    message = kit.refused(shared / "data" / "school-data-sync-v2.1", partial=True)
    assert "Microsoft School Data Sync v2.1, not OneRoster" in message


def test_nothing_is_committed_by_the_import(kit: Kit) -> None:
    with kit.store.connect() as connection:
        import_roster(connection, kit.write(), now=NOW, local=BANGKOK)
        assert connection.in_transaction()
        assert connection.execute(select(tables.Person.__table__.c.id)).first()
