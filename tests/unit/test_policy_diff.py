"""The tables of a policy, what differs between two, and what would be decided otherwise."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from authz.decision.combine import Decision
from authz.engine.policy import Policy
from authz.policy import diff, matrix
from authz.policy.cases import Case
from authz.policy.diff import Change, How, ReplayItem
from authz.policy.load import load
from authz.policy.testing import decide, run

SCHOOL = Path(__file__).resolve().parents[2] / "policies" / "school"
Edit = Callable[..., Policy]


@cache
def school() -> Policy:
    return load(SCHOOL)


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    """The school pack with pieces of one file replaced; edits add up."""
    pack = shutil.copytree(SCHOOL, tmp_path / "school")

    def edited(file: str, *pieces: str) -> Policy:
        text = (pack / file).read_text("utf-8")
        for old, new in zip(pieces[::2], pieces[1::2], strict=True):
            assert text.count(old) == 1
            text = text.replace(old, new)
        (pack / file).write_text(text, "utf-8")
        return load(pack)

    return edited


def only(old: Policy, new: Policy) -> Change:
    (change,) = diff.diff(old, new)
    return change


def test_a_policy_does_not_differ_from_itself(edit: Edit) -> None:
    assert diff.diff(school(), school()) == []
    assert diff.lines([]) == ["no difference"]
    remarked = edit("policy.csv", "# 2.5 Permits.", "# 2.5 The permits.")
    assert remarked.digest != school().digest
    assert diff.diff(school(), remarked) == []


@pytest.mark.parametrize(
    ("file", "old", "new", "line"),
    [
        (
            "policy.csv",
            "service*, r.rel.teaches, allow",
            "service*, r.rel.teaches || r.rel.assists, allow",
            "~ rule teacher-read: condition: r.rel.teaches → r.rel.teaches || r.rel.assists",
        ),
        (
            "policy.csv",
            "parent, update, contact(email phone)",
            "parent, update, contact(email)",
            "~ rule parent-update: categories: contact(email phone) → contact(email)",
        ),
        (
            "policy.csv",
            "service*|account, r.rel.same_school",
            "service|account*, r.rel.same_school",
            "~ rule school-read: purposes: service*|account → service|account*",
        ),
        (
            "policy.csv",
            "mentor, read, identity|",
            "mentor, read|export, identity|",
            "~ rule mentor-read: action: read → read|export",
        ),
        (
            "policy.csv",
            "p, self-read,",
            "g, school_admin, teacher\np, self-read,",
            "+ role school_admin: teacher",
        ),
        (
            "catalogue.toml",
            'clock = { starts = "received", years = 10 }',
            'clock = { starts = "received", years = 5 }',
            "~ purpose commerce: clock: starts received years 10 → starts received years 5",
        ),
        (
            "catalogue.toml",
            '"contact(email)", "interests"]',
            '"contact(email phone)", "interests"]',
            (
                "~ purpose marketing: needs: identity|contact(email)|interests → "
                "identity|contact(email phone)|interests"
            ),
        ),
        (
            "catalogue.toml",
            'school-reset = ["person"]',
            'school-reset = ["person", "dpo"]',
            "~ obligation notify: school-reset: person → person dpo",
        ),
        (
            "catalogue.toml",
            'review = ["school-emergency"]\n',
            "",
            "- obligation review: school-emergency",
        ),
        (
            "catalogue.toml",
            '"Delivery address"',
            '"Address for goods"',
            "~ category delivery: en: Delivery address → Address for goods",
        ),
        (
            "catalogue.toml",
            '"You are this person\'s mentor."',
            '"You mentor this person."',
            "~ reason mentor-read: en: You are this person's mentor. → You mentor this person.",
        ),
    ],
)
def test_a_difference_is_said_word_by_word(
    edit: Edit, file: str, old: str, new: str, line: str
) -> None:
    assert only(school(), edit(file, old, new)).line() == line


def test_a_rule_added_is_a_rule_removed_the_other_way(edit: Edit) -> None:
    # Plain answers want no sentences, so that rules can come and go alone.
    old = edit("catalogue.toml", 'name = "school"', 'name = "school"\nanswers = "plain"')
    student = "p, student-read, student, read, identity, service*, r.rel.assists, allow"
    new = edit("policy.csv", "p, teacher-read,", f"{student}\np, teacher-read,")
    added, removed = only(old, new), only(new, old)
    assert (added.kind, added.name, added.how) == ("rule", "student-read", How.ADDED)
    assert (removed.kind, removed.name, removed.how) == ("rule", "student-read", How.REMOVED)
    assert added.line().startswith("+ rule student-read: student, read, identity, service*")
    assert diff.as_dict([added])[0]["after"] == removed.before


def test_the_order_of_refusals_is_the_order_of_reasons(edit: Edit) -> None:
    custody = "p, custody, any, any, all, any, r.rel.custody_restricted, deny\n"
    first = "p, inactive-subject,"
    new = edit("policy.csv", custody, "", first, custody + first)
    change = only(school(), new)
    assert (change.kind, change.name, change.part) == ("rules", "refusals", "order")
    assert change.after.startswith("custody inactive-subject")


def test_a_replay_names_the_decisions_that_would_change(edit: Edit) -> None:
    edit("catalogue.toml", '"teacher-read", "assistant-read"]', '"teacher-read"]')
    new = edit(
        "policy.csv",
        "r.rel.guardian && r.rel.minor, allow\np, parent-export",
        ("r.rel.guardian, allow\np, parent-export"),
    )
    outcomes = run(school(), SCHOOL).outcomes
    items = [ReplayItem(outcome.case.name, outcome.case) for outcome in outcomes]
    found = list(diff.replay(school(), new, items, decide))
    lines = {changed.id: changed.line() for changed in found}
    opened = "A parent does not read the results of their adult child"
    bound = "An assistant knows whom they assist, in these classes"
    assert lines[opened].startswith(f"OPENS  {opened}: no, no_rule → yes, service (parent-read;")
    assert lines[bound].startswith("ALTERS")
    assert all(changed.opens or changed.id != opened for changed in found)
    back = {changed.id: changed for changed in diff.replay(new, school(), items, decide)}
    assert back[opened].closes
    assert len(found) < 10


def test_a_replay_decides_each_request_under_both() -> None:
    asked: list[tuple[str, str]] = []

    def decide_nothing(policy: Policy, case: Case) -> Decision:
        asked.append((policy.digest, case.name))
        return Decision(permit=False, reason="no_rule")

    items = [ReplayItem("1", Case("a", "")), ReplayItem("2", Case("b", ""))]
    assert list(diff.replay(school(), school(), items, decide_nothing)) == []
    assert [name for _, name in asked] == ["a", "a", "b", "b"]


def test_the_matrix_shows_each_permit_where_it_is() -> None:
    cells = {(cell.role, cell.category): cell.actions for cell in matrix.matrix(school())}
    assert cells["teacher", "assessment_result"] == {
        "read": ("teacher-read",),
        "update": ("teacher-grade",),
    }
    assert cells["school_admin", "contact"]["read"] == ("school-read", "school-emergency")
    assert ("teacher", "contact") not in cells
    shown = {rule for actions in cells.values() for rules in actions.values() for rule in rules}
    assert shown == {compiled.rule.id for compiled in school().permits}


def test_a_senior_role_shows_what_it_inherits(edit: Edit) -> None:
    policy = edit("policy.csv", "p, self-read,", "g, platform_admin, teacher\np, self-read,")
    cells = {(cell.role, cell.category) for cell in matrix.matrix(policy)}
    assert ("platform_admin", "identity") in cells
    assert ("platform_admin", "identity") not in {
        (cell.role, cell.category) for cell in matrix.matrix(school())
    }


@pytest.mark.parametrize("language", ["en", "th", "de"])
def test_the_tables_fit_a_terminal(language: str) -> None:
    lines = matrix.lines(school(), language)
    table = lines[lines.index("                   public") :]
    rows = [line for line in table if line.startswith(tuple(school().catalogue.categories))]
    assert len(rows) >= 2 * len(school().catalogue.categories)
    title = school().catalogue.categories["identity"].title["th" if language == "th" else "en"]
    assert rows[0].startswith("identity           re   r   r  re")
    assert rows[0].endswith(title)
    assert all(matrix.width(row.removesuffix(title)) <= 72 for row in rows[:1])
    assert any("r.rel.guardian && r.rel.minor" in line for line in lines)


def test_the_tables_are_json_too() -> None:
    data = json.loads(json.dumps(matrix.as_dict(school())))
    assert data["digest"] == school().digest
    assert len(data["permits"]) == 25
    assert len(data["refusals"]) == 11
    assert data["purposes"]["marketing"]["needs"]["contact"] == ["email"]
    assert data["purposes"]["event"]["clock"] == {"starts": "project_ended", "days": 30}
    assert data["purposes"]["legal_duty"]["clock"] is None


def test_thai_marks_take_no_column() -> None:
    assert matrix.width("ชื่อ") == 2
    assert matrix.pad("ชื่อ", 4) == "ชื่อ  "
