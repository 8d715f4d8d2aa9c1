"""Rosters that are well-formed and almost surely wrong, or made to do harm (N-42, N-51)."""

from __future__ import annotations

import pytest

from authz.directory.tables import Enrolment, Organisation, Person
from authz.errors import MassChangeError
from tests.stores.test_roster_kit import LATER, Kit, Row, enrolment, problems, school_12, user

MANY = [f"s{number}" for number in range(24)]


def large(kit: Kit) -> Kit:
    """The same with two dozen more students, each with a parent, a class and a birthday."""
    kit.rows["users"] += [user(each, "student", agentSourcedIds=f"of-{each}") for each in MANY]
    kit.rows["users"] += [user(f"of-{each}", "parent") for each in MANY]
    kit.rows["enrollments"] += [enrolment(f"e-{each}", "k1", each, "student") for each in MANY]
    born = [{"sourcedId": each, "birthDate": "2015-05-01"} for each in MANY]
    kit.rows["demographics"] += born
    return kit


def without_links(kit: Kit) -> None:
    for each in kit.rows["users"]:
        each["agentSourcedIds"] = ""


def without(file: str, kit: Kit) -> None:
    kit.rows[file] = []


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (lambda kit: without("enrollments", kit), "27 rows of enrolment .* leave 0"),
        (lambda kit: without("demographics", kit), "25 rows of birth_date .* leave 0"),
        (without_links, "26 rows of guardianship .* leave 0"),
    ],
)
def test_a_bulk_that_leaves_less_than_half_is_refused(kit: Kit, harm: object, told: str) -> None:
    """A file cut short, or a column left out, is no school without pupils."""
    large(kit).load()
    later = large(kit.again())
    assert callable(harm)
    harm(later)
    before = kit.everything()
    with pytest.raises(MassChangeError, match=f"{told}.*--allow-mass-change"):
        later.load(now=LATER)
    assert kit.everything() == before
    later.load(now=LATER, allow_mass_change=True)


def test_roles_that_a_bulk_of_1_2_no_longer_has_are_guarded(kit: Kit) -> None:
    kit.version, kit.rows = "1.2", school_12()
    kit.rows["roles"] += [
        kit.rows["roles"][0] | {"sourcedId": f"more-{number}"} for number in range(12)
    ]
    kit.load()
    later = kit.again()
    later.rows["roles"] = []
    with pytest.raises(MassChangeError, match=r"19 rows of membership .* leave 0"):
        later.load(now=LATER)


def test_a_delta_that_ends_everybody_is_refused(kit: Kit) -> None:
    large(kit).load()
    later = kit.again()
    gone: list[Row] = [each | {"status": "tobedeleted"} for each in kit.rows["users"]]
    later.delta(users=gone)
    with pytest.raises(MassChangeError, match=r"54 rows of person .* leave 0"):
        later.load(now=LATER)
    later.delta(users=gone[-9:])
    assert later.load(now=LATER).tables["person"].ended == 9


def test_a_new_term_in_the_place_of_the_old_one_is_no_loss(kit: Kit) -> None:
    large(kit).load()
    later = large(kit.again())
    for each in later.rows["enrollments"]:
        each["sourcedId"] = f"next-{each['sourcedId']}"
    tally = later.load(now=LATER).tables["enrolment"]
    assert (tally.added, tally.ended) == (27, 27)


@pytest.mark.parametrize("top", ["school-a", "district"])
def test_an_organisation_is_not_below_itself(kit: Kit, top: str) -> None:
    """Else whoever administers a school would administer all of the district."""
    kit.rows["orgs"][0]["parentSourcedId"] = top
    told = f"orgs.csv:2: column parentSourcedId: '{top}' leads back to the row itself"
    assert any(each.startswith(told) for each in problems(kit))
    kit.load(partial=True)
    assert kit.all(Organisation) == {}


def test_a_delta_closes_no_circle_with_what_was_brought_before(kit: Kit) -> None:
    kit.load()
    later = kit.again()
    later.delta(orgs=[kit.rows["orgs"][0] | {"parentSourcedId": "school-b"}])
    assert "orgs.csv:2: column parentSourcedId: 'school-b' leads back" in later.refused()


def test_sessions_stand_in_no_circle(kit: Kit) -> None:
    kit.rows["academicSessions"][0]["parentSourcedId"] = "term"
    assert "academicSessions.csv:3: column parentSourcedId: 'year' leads back" in kit.refused()


@pytest.mark.parametrize("file", ["enrollments", "academicSessions"])
def test_a_year_of_the_buddhist_era_is_no_end(kit: Kit, file: str) -> None:
    """2567 for 2024: the enrolment would last five centuries (2.4)."""
    kit.rows[file][0]["endDate"] = "2567-03-31"
    told = f"{file}.csv:2: column endDate: '2567-03-31' is a year of the Buddhist era"
    assert told in kit.refused()
    kit.rows[file][0]["endDate"] = "9999-12-31"
    kit.load()


@pytest.mark.parametrize(
    "letter", ["\u200b", "\u202e", "\ufeff", "\u3000", "\u2028", "\u00ad", "\u2066"]
)
def test_an_id_shows_all_it_says(kit: Kit, letter: str) -> None:
    """`student` with a letter that nobody sees is another person with the same look."""
    kit.rows["users"].append(user(f"student{letter}", "student"))
    assert "users.csv:8: column sourcedId: " in kit.refused()
    assert "that nobody sees" in kit.refused()


def test_ids_of_other_letters_are_taken_as_they_are(kit: Kit) -> None:
    """Byte for byte: neither case nor normal form makes two ids one (3.5)."""
    ids = {"นักเรียน-1", "STUDENT", "e\u0301", "\u00e9", "ab c"}
    kit.rows["users"] += [user(each, "student") for each in sorted(ids)]
    kit.load()
    assert ids <= set(kit.all(Person))


def test_an_id_given_to_somebody_else_is_told(kit: Kit) -> None:
    """Whoever has the id has every right, consent and sign-in of whoever had it."""
    kit.load()
    later = kit.again()
    later.user("mother").update(givenName="Another", familyName="Person")
    later.user("pupil").update(familyName="Married")
    summary = later.load(now=LATER)
    assert summary.renamed.first == ("mother",)
    assert any("an id given to somebody else" in line for line in summary.lines())


def test_new_administrators_are_told(kit: Kit) -> None:
    """A row that says `administrator` opens a whole school or district (N-43)."""
    assert kit.load().administrators.first == ("head at school-a",)
    later = kit.again()
    later.rows["users"].append(user("clerk", "administrator", "district"))
    summary = later.load(now=LATER)
    assert summary.administrators.first == ("clerk at district",)
    assert any(line.startswith("1 new administrators") for line in summary.lines())


def test_a_row_over_many_lines_is_bounded(kit: Kit) -> None:
    """Cells with line breaks in one row could be as long as the file."""
    row = b'"x' + b'\r\n","' * 3_000_000 + b'"\r\n'
    path = kit.edited("orgs.csv", lambda data: data + row)
    assert "A row is over 1048576 bytes" in kit.refused(path)
    assert kit.all(Enrolment) == {}
