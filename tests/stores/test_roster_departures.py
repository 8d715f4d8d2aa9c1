"""Every departure of reference/oneroster.md that an importer meets, and what stays an error."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from authz.directory.tables import Class, Enrolment, Grant, Organisation, Person, Term
from tests.stores.test_roster_kit import LATER, NOW, SECRET, Kit, problems, school_12, user, zipped


@pytest.fixture
def kit(tmp_path: Path, sqlite_store: Engine) -> Kit:
    return Kit(tmp_path, sqlite_store)


def replaced(old: str, new: str, count: int = -1) -> object:
    return lambda data: data.replace(old.encode(), new.encode(), count)


def headings(old: str, new: str) -> object:
    """A change of a word in the first line only."""
    return replaced(old, new, 1)


def edit(kit: Kit, name: str, change: object) -> Path:
    assert callable(change)
    path = kit.edited(name, change)
    assert (path / name).read_bytes() != (kit.write() / name).read_bytes()
    return path


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("users.csv", "grades", "grade"),
        ("users.csv", "userIds", "userId"),
        ("users.csv", "agentSourcedIds", "agents"),
        ("courses.csv", "schoolYearSourcedId", "schoolYearId"),
        ("demographics.csv", "sourcedId", "userSourcedId"),
        ("classes.csv", "termSourcedIds", "termSourcedId"),
        ("users.csv", "dateLastModified", "dataLastModified"),
        ("users.csv", "middleName", "prefferedGivenName"),
        ("users.csv", "sms", "metadata.th.nickname"),
        ("users.csv", "sms", "ext_line_id"),
    ],
)
def test_older_and_vendor_headings_are_taken_without_a_note(
    kit: Kit, name: str, old: str, new: str
) -> None:
    summary = kit.load(edit(kit, name, headings(old, new)))
    assert summary.notes == ()
    assert len(kit.guardians()) == 2
    assert kit.person("student")["birth_date"] is not None
    assert kit.all(Class)["k1"]["terms"] == ["term"]


def test_demographics_are_of_the_user_they_name(kit: Kit) -> None:
    kit.rows["demographics"][0] |= {"sourcedId": "demo-1", "userSourcedId": "student"}
    kit.load()
    assert kit.person("student")["birth_date"] is not None


def test_an_unknown_column_is_ignored_with_a_note(kit: Kit) -> None:
    kit.user("student")["shoeSize"] = "34"
    assert kit.load().notes == ("users.csv: columns that are not known here: shoeSize",)


def test_the_order_of_columns_does_not_matter(kit: Kit) -> None:
    folder = kit.write()
    file = folder / "orgs.csv"
    lines = [line.split(",")[::-1] for line in file.read_text().splitlines()]
    file.write_text("".join(",".join(line) + "\n" for line in lines))
    kit.load(folder)
    assert kit.all(Organisation)["school-a"]["parent"] == "district"


def test_course_in_enrollments_is_ignored(kit: Kit) -> None:
    kit.rows["enrollments"][0]["courseSourcedId"] = "anything"
    assert kit.load().notes == ()


def test_more_cells_than_headings_are_ignored_with_a_note(kit: Kit) -> None:
    row = b"e9,,,k1,school-a,pupil,student,,,,over,more\r\n"
    summary = kit.load(kit.edited("enrollments.csv", lambda data: data + row))
    assert "e9" in kit.all(Enrolment)
    assert (
        "enrollments.csv: 1 rows have more cells than headings (the first is line 5)"
        in (summary.notes[0])
    )


def test_trailing_empty_columns_are_nothing(kit: Kit) -> None:
    assert kit.load(edit(kit, "orgs.csv", replaced("\r\n", ",,\r\n"))).notes == ()


def test_headings_only_are_taken_with_a_note(kit: Kit) -> None:
    kit.rows["demographics"] = []
    assert kit.load().notes == ("demographics.csv: there is no row in it that was taken.",)


@pytest.mark.parametrize("word", ["TRUE", "True", "true"])
def test_true_may_be_written_in_capitals(kit: Kit, word: str) -> None:
    kit.user("student")["enabledUser"] = word
    kit.load()
    assert kit.person("student")["status"] == "active"


def test_a_strange_date_of_change_is_not_looked_at(kit: Kit) -> None:
    kit.user("student")["dateLastModified"] = "1/05/2023"
    kit.load()


@pytest.mark.parametrize("stamp", ["", "2026-09-01T00:00:00.000Z"])
def test_active_in_a_bulk_is_no_error(kit: Kit, stamp: str) -> None:
    for rows in kit.rows.values():
        for row in rows:
            row |= {"status": "active", "dateLastModified": stamp}
    assert kit.load().notes == ()


def test_inactive_ends_a_row(kit: Kit) -> None:
    kit.user("uncle")["status"] = "inactive"
    kit.load()
    assert kit.person("uncle")["status"] == "deregistered"
    assert kit.person("uncle")["ended_at"] == NOW


def test_user_ids_without_type_are_not_looked_at(kit: Kit) -> None:
    kit.user("student")["userIds"] = "74727075"
    kit.load()


def test_a_principal_in_1_1_gives_no_grant_and_is_told(kit: Kit) -> None:
    kit.user("head")["role"] = "principal"
    assert "principal (1 times) is none of OneRoster 1.1" in kit.load().notes[0]
    assert not kit.living(Grant)


def test_a_department_may_be_the_school_of_a_class(kit: Kit) -> None:
    kit.rows["orgs"][1]["type"] = "department"
    kit.load()


def test_file_names_in_lower_case_are_found(kit: Kit) -> None:
    folder = kit.write()
    (folder / "academicSessions.csv").rename(folder / "academicsessions.csv")
    assert kit.load(folder).rows["academicSessions"] == 2


def test_a_byte_order_mark_is_no_part_of_the_heading(kit: Kit) -> None:
    assert kit.load(kit.edited("users.csv", lambda data: b"\xef\xbb\xbf" + data)).notes == ()


def test_line_ends_may_be_mixed_and_the_last_one_missing(kit: Kit) -> None:
    def mix(data: bytes) -> bytes:
        return data.replace(b"\r\n", b"\n", 3).rstrip(b"\r\n")

    assert kit.load(kit.edited("users.csv", mix)).rows["users"] == 6


def test_empty_lines_are_no_rows(kit: Kit) -> None:
    kit.load(kit.edited("orgs.csv", lambda data: data + b"\r\n\r\n"))
    assert len(kit.all(Organisation)) == 3


def test_white_space_in_a_list_is_no_part_of_the_ids(kit: Kit) -> None:
    kit.user("teacher")["orgSourcedIds"] = "school-a, school-b,"
    kit.load()


@pytest.mark.parametrize("version", ["1.1", "1.2", "1.2.1"])
def test_the_versions_that_are_met_are_read(kit: Kit, version: str) -> None:
    if version != "1.1":
        kit.version, kit.rows = "1.2", school_12()
    path = edit(kit, "manifest.csv", replaced(f"version,{kit.version}", f"version,{version}x"))
    manifest = path / "manifest.csv"
    manifest.write_text(manifest.read_text().replace(f"{version}x", version))
    assert kit.load(path).version == version[:3]


def test_extended_words_are_taken_in_1_2_only(kit: Kit) -> None:
    kit.rows["orgs"][0]["type"] = "ext:area"
    assert "orgs.csv:2: column type: 'ext:area' is none of" in kit.refused()
    kit.version, rows = "1.2", school_12()
    rows["orgs"][0]["type"] = "ext:area"
    rows["roles"][0]["role"] = "ext:nurse"
    kit.rows = rows
    kit.load()
    assert kit.all(Organisation)["district"]["type"] == "ext:area"


def test_profiles_and_gradebook_files_are_skipped_unread(kit: Kit) -> None:
    folder = kit.write()
    (folder / "userprofiles.csv").write_text(f"anything,password\nx,{SECRET}\n")
    (folder / "lineItems.csv").write_bytes(b"\xff\xfe")
    (folder / "stray.csv").write_text("a\n1\n")
    assert kit.load(folder).notes == (
        "lineItems.csv is skipped: nothing of it is held here.",
        "stray.csv is ignored: no file of OneRoster has that name.",
        "userprofiles.csv is skipped: nothing of it is held here.",
    )


@pytest.mark.parametrize(
    ("file", "id_", "column", "value", "reason"),
    [
        ("users", "student", "role", "studnt", "'studnt' is none of administrator, aide"),
        ("users", "student", "role", "Student", "'Student' is none of"),
        ("users", "student", "enabledUser", "yes", "'yes' is neither true nor false"),
        ("users", "student", "enabledUser", "", "is required and is empty"),
        ("users", "student", "givenName", "", "is required and is empty"),
        ("users", "student", "familyName", "x" * 1001, "is longer than 1000 characters"),
        ("users", "student", "familyName", "a\x07", "another control character"),
        ("users", "student", "status", "gone", "'gone' is none of active"),
        ("users", "student", "sourcedId", "", "is required and is empty"),
        ("users", "student", "sourcedId", "a,b", "'a,b' is no id"),
        ("users", "student", "sourcedId", " x", "' x' is no id"),
        ("users", "student", "sourcedId", "x" * 256, "is longer than 255 characters"),
        ("users", "student", "orgSourcedIds", "", "is required and is empty"),
        ("users", "student", "orgSourcedIds", "nowhere", "'nowhere' is not in the orgs"),
        ("users", "student", "agentSourcedIds", "nobody", "'nobody' is not in the users"),
        ("orgs", "school-a", "type", "temple", "'temple' is none of"),
        ("orgs", "school-a", "parentSourcedId", "nowhere", "'nowhere' is not in the orgs"),
        ("academicSessions", "term", "startDate", "16/05/2026", "'16/05/2026' is no date"),
        ("academicSessions", "term", "startDate", "20260516", "'20260516' is no date"),
        ("academicSessions", "term", "startDate", "2026-W20-1", "is no date"),
        ("academicSessions", "term", "startDate", "2026-02-30", "is no date"),
        ("academicSessions", "term", "startDate", "0001-01-01", "outside the years"),
        ("academicSessions", "term", "endDate", "2026-05-16", "the interval is empty"),
        ("academicSessions", "term", "parentSourcedId", "x", "not in the academicSessions"),
        ("classes", "k1", "courseSourcedId", "x", "'x' is not in the courses"),
        ("classes", "k1", "schoolSourcedId", "x", "'x' is not in the orgs"),
        ("classes", "k1", "termSourcedIds", "term,x", "'x' is not in the academicSessions"),
        ("classes", "k1", "termSourcedIds", "", "is required and is empty"),
        ("courses", "thai", "orgSourcedId", "x", "'x' is not in the orgs"),
        ("courses", "thai", "schoolYearSourcedId", "x", "'x' is not in the academicSessions"),
        ("enrollments", "e3", "classSourcedId", "x", "'x' is not in the classes"),
        ("enrollments", "e3", "schoolSourcedId", "x", "'x' is not in the orgs"),
        ("enrollments", "e3", "userSourcedId", "x", "'x' is not in the users"),
        ("enrollments", "e3", "role", "parent", "'parent' is none of"),
        ("enrollments", "e3", "endDate", "2026-05-01", "the interval is empty"),
        ("demographics", "student", "birthDate", "29.02.2016", "is no date"),
        ("demographics", "student", "birthDate", "2559-02-29", "is no date"),
        ("demographics", "student", "birthDate", "2559-02-28", "of the Buddhist era?"),
        ("demographics", "student", "sourcedId", "x", "'x' is not in the users"),
    ],
)
def test_a_bad_cell_names_file_line_and_column(
    kit: Kit, file: str, id_: str, column: str, value: str, reason: str
) -> None:
    number = [row["sourcedId"] for row in kit.rows[file]].index(id_)
    kit.rows[file][number][column] = value
    found = problems(kit)
    assert any(
        each.startswith(f"{file}.csv:{number + 2}: column {column}: ") and reason in each
        for each in found
    ), found
    assert kit.all(Person) == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda data: data + b"x,,,a\xff,district,1,\r\n", "orgs.csv:5: Byte 6 of the line is not"),
        (lambda data: data + b"x,,,a\0b,district,1,\r\n", "orgs.csv:5: The line holds a NUL byte"),
        (lambda data: data + b'x,,,"ab,district,1,\r\n', "A quote is left open"),
        (lambda data: data + b'x,,,"a"b,district,1,\r\n', "orgs.csv:5: The quotes of the line"),
        (lambda data: data + b"x,,,a\rb,district,1,\r\n", "orgs.csv:5: A line ends in a bare"),
        (lambda data: data + b"x" * 200_000 + b"\r\n", "orgs.csv:5: A cell is longer than"),
        (lambda data: data + b"x" * 2_000_000 + b"\r\n", "orgs.csv:5: The line is over"),
        (lambda _: b"", "orgs.csv:1: There is no row of headings"),
        (lambda data: data.decode().encode("utf-16"), "orgs.csv:1: "),
        (lambda data: data.replace(b"identifier", b"name"), "heading 'name' is there twice"),
        (lambda data: data.replace(b"name", b"title", 1), "orgs.csv:1: column name: is missing"),
    ],
)
def test_a_file_that_cannot_be_read_names_file_and_line(
    kit: Kit, change: object, reason: str
) -> None:
    assert reason in kit.refused(edit(kit, "orgs.csv", change))
    assert reason in kit.refused(edit(kit, "orgs.csv", change), partial=True)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"x,,,ab\r\n", "orgs.csv:5: there are 4 cells for 7 headings"),
        (b'x,,,"a\r\nb",district,1,\r\n', "orgs.csv:5: a cell holds a line break"),
    ],
)
def test_a_row_of_the_wrong_shape_is_refused_or_left_out(
    kit: Kit, line: bytes, reason: str
) -> None:
    later = b"y,,,Y,temple,1,\r\n"
    path = kit.edited("orgs.csv", lambda data: data + line + later)
    message = kit.refused(path)
    assert reason in message
    assert f"orgs.csv:{6 + line.count(bytes([10])) - 1}: column type: 'temple'" in message
    assert kit.load(path, partial=True).skipped.total == 2


def test_every_problem_of_a_set_is_told_at_once(kit: Kit) -> None:
    kit.user("student")["role"] = "studnt"
    kit.user("student")["enabledUser"] = "yes"
    kit.rows["enrollments"][2]["classSourcedId"] = "k9"
    found = problems(kit)
    assert any(each.startswith("users.csv:4: column role") for each in found)
    assert any(each.startswith("users.csv:4: column enabledUser") for each in found)
    assert any(each.startswith("enrollments.csv:4: column classSourcedId") for each in found)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("oneroster.version,1.1", "oneroster.version,1.0", "oneroster.version is '1.0'"),
        ("oneroster.version,1.1", "oneroster.version,2.0", "Only OneRoster 1.1 and 1.2"),
        ("oneroster.version,1.1\r\n", "", "There is no oneroster.version"),
        ("propertyName,value", "name,value", "headings are not propertyName,value"),
        ("file.users,bulk", "file.users,full", "file.users: 'full' is none of"),
        ("file.users,bulk", "file.users,bulk\r\nfile.users,delta", "is there twice"),
        ("file.users,bulk", "file.users,bulk\r\nfile.roles,bulk", "there is no roles.csv"),
    ],
)
def test_a_manifest_that_is_wrong_says_why(kit: Kit, old: str, new: str, reason: str) -> None:
    assert reason in kit.refused(edit(kit, "manifest.csv", replaced(old, new)))


def test_a_manifest_of_1_1_with_roles_ignores_them(kit: Kit) -> None:
    rows = school_12()["roles"]
    folder = kit.write()
    (folder / "roles.csv").write_text(",".join(rows[0]) + "\n")
    assert any("1.1 has no such file" in note for note in kit.load(folder).notes)


def test_an_encrypted_or_damaged_zip_is_refused(kit: Kit) -> None:
    path = zipped(kit.write())
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    assert "neither a folder nor a zip" in kit.refused(path)
    middle = data.index(b"users.csv") + 60
    path.write_bytes(data[:middle] + bytes(20) + data[middle + 20 :])
    assert "users.csv" in kit.refused(path)


def test_terms_keep_their_dates_when_the_same_set_comes_in_1_2(kit: Kit) -> None:
    kit.load()
    before = kit.all(Term)
    kit.version, kit.rows = "1.2", school_12()
    summary = kit.load(now=LATER)
    assert kit.all(Term) == before
    assert summary.tables["membership"].ended == 7
    assert len(kit.guardians()) == 2


def test_a_thai_name_is_kept_as_it_is(kit: Kit) -> None:
    kit.rows["users"].append(user("thai", "student", givenName="กฤษณ์", familyName="สุขใจ"))
    kit.load()
    assert kit.person("thai")["given_name"] == "กฤษณ์"
