"""Rosters that are refused, taken in part, or rolled back."""

from __future__ import annotations

import pytest

from authz.directory.tables import (
    Class,
    Enrolment,
    Grant,
    Membership,
    Organisation,
    Person,
)
from authz.errors import MassChangeError
from tests.stores.test_roster_kit import (
    LATER,
    Kit,
    enrolment,
    user,
)


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
