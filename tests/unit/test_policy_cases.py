"""Policy tests: read strictly, run purely, and every rule must be shown (3.3)."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from authz.engine.policy import Policy
from authz.errors import PolicyError
from authz.policy.cases import Case
from authz.policy.load import load
from authz.policy.testing import FOLDER, Results, StatedSituation, decide, run

SCHOOL = Path(__file__).resolve().parents[2] / "policies" / "school"
GOOD = """\
- case: One reads oneself
  clauses: [N-30]
  holds: [self]
  ask: {action: read, category: identity}
  expect: {decision: true, rules: [self-read], purpose: service}
"""


@cache
def school() -> Policy:
    return load(SCHOOL)


@cache
def own_results() -> Results:
    return run(school(), SCHOOL)


def results(folder: Path, text: str) -> Results:
    (folder / FOLDER).mkdir(exist_ok=True)
    (folder / FOLDER / "a.yaml").write_text(text, "utf-8")
    return run(school(), folder)


def test_the_school_pack_passes_its_own_tests() -> None:
    found = own_results()
    assert found.passed, "\n".join(found.lines())
    assert found.lines() == [f"{len(found.outcomes)} passed, 0 failed, 0 gaps in what is shown"]
    assert {"N-20", "N-21", "N-22", "N-23", "N-24", "N-25", "E-01", "E-05"} <= found.clauses


def test_every_rule_and_obligation_is_shown_by_the_school_pack() -> None:
    found = own_results()
    shown = {rule for outcome in found.outcomes for rule in outcome.decision.rules}
    assert shown == {c.rule.id for c in (*school().permits, *school().refusals)}
    duties = Counter(duty for outcome in found.outcomes for duty in outcome.decision.obligations)
    assert len(duties) == 6


@pytest.mark.parametrize("dropped", [c.rule.id for c in (*school().permits, *school().refusals)])
def test_the_school_pack_misses_any_rule_that_is_dropped(dropped: str) -> None:
    policy = school()
    less = replace(
        policy,
        permits=tuple(c for c in policy.permits if c.rule.id != dropped),
        refusals=tuple(c for c in policy.refusals if c.rule.id != dropped),
    )
    expected = [o.case for o in own_results().outcomes if dropped in o.decision.rules]
    assert any(dropped not in decide(less, case).rules for case in expected)


def test_a_case_that_differs_says_how(tmp_path: Path) -> None:
    text = GOOD.replace("self-read", "self-export").replace("service", "account")
    text += """\
- case: Duties that are not expected are named
  roles: [school_admin]
  holds: [elevated]
  ask: {action: read, category: contact, fields: [email, x], context: {justification: fire}}
  expect: {decision: true, rules: [school-emergency], obligations: {fields: [phone]}}
- case: A refusal where a permit is expected
  ask: {action: read, category: identity}
  expect: {decision: true, rules: [self-read], purpose: service}
- case: No question
  ask: {action: read, category: identity, fields: []}
  expect: {decision: false, reason: no_rule}
"""
    found = results(tmp_path, text)
    assert not found.passed
    differences = [list(outcome.differences) for outcome in found.outcomes]
    assert differences == [
        [
            "rules: expected ['self-export'], got ['self-read']",
            "purpose: expected 'account', got 'service'",
        ],
        [
            "fields: expected ['phone'], got ['email']",
            "withheld: expected None, got ['x']",
            "notify: expected None, got ['dpo']",
            "review: expected None, got True",
        ],
        [
            "decision: expected True, got False",
            "rules: expected ['self-read'], got []",
            "purpose: expected 'service', got None",
        ],
        [
            (
                "It is no question: resource.properties.fields: It must name at least one field. "
                "Leave it out to ask for all."
            )
        ],
    ]
    path = tmp_path / FOLDER / "a.yaml"
    assert found.lines()[0] == f"FAILED {path}:1: One reads oneself"
    assert found.as_dict()["passed"] is False


def test_a_rule_without_a_test_fails(tmp_path: Path) -> None:
    found = results(tmp_path, GOOD)
    assert all(outcome.passed for outcome in found.outcomes)
    assert not found.passed
    assert "No test shows custody striking." in found.untested
    assert "No test shows parent-read permitting." in found.untested
    assert "No test shows self-read not permitting what it is about." in found.untested


def test_a_pack_without_tests_fails(tmp_path: Path) -> None:
    assert not run(school(), tmp_path).passed
    (tmp_path / FOLDER).mkdir()
    found = run(school(), tmp_path)
    assert not found.passed
    assert "The pack has no tests" in found.lines()[0]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("clauses:", "clause:", 2, "'clause' is unknown here"),
        ("holds: [self]", "holds: [sefl]", 3, "'sefl' is unknown"),
        ("holds: [self]", "holds: [self, self]", 3, "twice"),
        ("holds: [self]", "holds: [{contracted: [servce]}]", 3, "'servce' is unknown"),
        ("holds: [self]", "holds: {self: true}", 3, "no list"),
        ("holds: [self]", "fails: [sefl]", 3, "'sefl' is unknown"),
        ("holds: [self]", "roles: [techer]", 3, "'techer' is unknown"),
        ("holds: [self]", "classes: C-17", 3, "no list"),
        ("holds: [self]", "contract_fields: {servce: [score]}", 3, "'servce' is unknown"),
        ("holds: [self]", "resource: {known: perhaps}", 3, "neither true nor false"),
        ("holds: [self]", "subject: {typ: user}", 3, "'typ' is unknown"),
        ("action: read, ", "", 4, "asks for no action"),
        ("category: identity", "category: identity, field: [x]", 4, "'field' is unknown"),
        ("category: identity", "category: identity, category: contact", 4, "there twice"),
        ("category: identity", "category: 3", 4, "no text"),
        ("category: identity", "category: identity, context: x", 4, "no mapping"),
        ("category: identity", "category: identity, context: {on: 2026-01-01}", 4, "no value"),
        ("category: identity", "category: !!python/name:os.system x", 4, "no value of JSON"),
        ("rules: [self-read], ", "", 5, "does not say which rules"),
        ("rules: [self-read]", "rules: [self-raed]", 5, "'self-raed' is unknown"),
        ("decision: true", "decision: false", 5, "'purpose' is unknown"),
        ("decision: true, rules: [self-read], purpose: service", "decision: false", 5, "reason"),
        ("decision: true", "decision: yes please", 5, "neither true nor false"),
        ("decision: true, ", "", 5, "expects no decision"),
        ("purpose: service}", "obligations: {review: true, notfy: [dpo]}}", 5, "'notfy'"),
        ("  expect:", "  expects:", 5, "'expects' is unknown"),
        ("- case: One reads oneself", "- case: ''", 1, "no text"),
        ("holds: [self]", "holds: [self", 4, "not YAML"),
        ("holds: [self]", "holds: &a [self]", 3, "an anchor"),
        ("- case: One reads oneself\n ", "-", 1, "has no 'case'"),
    ],
)
def test_a_test_file_is_read_strictly(
    tmp_path: Path, old: str, new: str, line: int, says: str
) -> None:
    assert GOOD.count(old) == 1
    with pytest.raises(PolicyError) as caught:
        results(tmp_path, GOOD.replace(old, new))
    assert says in str(caught.value)
    assert caught.value.where == f"{tmp_path / FOLDER / 'a.yaml'}:{line}"


def test_a_name_stands_once(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match=r"The case stands at .*a\.yaml:1 too"):
        results(tmp_path, GOOD + GOOD)


@pytest.mark.parametrize("text", ["", "a: b", "- 3", "[" * 400])
def test_what_is_no_list_of_cases_is_an_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(PolicyError):
        results(tmp_path, text)


def test_a_file_of_another_kind_is_an_error(tmp_path: Path) -> None:
    results(tmp_path, GOOD)
    (tmp_path / FOLDER / "b.yml").write_text(GOOD, "utf-8")
    with pytest.raises(PolicyError, match=r"Expected \*\.yaml"):
        run(school(), tmp_path)


def test_a_pack_about_entities_states_properties(tmp_path: Path) -> None:
    shutil.copy(SCHOOL / "model.conf", tmp_path)
    (tmp_path / "catalogue.toml").write_text(
        '[pack]\nname = "notes"\nabout = "entities"\nanswers = "plain"\n'
        'subject_types = ["user"]\nactions = ["read"]\n[categories.note]\n'
    )
    (tmp_path / "policy.csv").write_text(
        "p, own, public, read, note, any, r.sub.properties.mail == r.res.properties.owner, allow\n"
        "p, gone, any, any, all, any, !r.res.known, deny\n"
    )
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "notes.yaml").write_text("""\
- case: An owner reads
  subject: {id: U-1, properties: {mail: a@b}}
  resource: {id: N-1, properties: {owner: a@b}}
  ask: {action: read, category: note}
  expect: {decision: true, rules: [own]}
- case: Another does not
  subject: {id: U-1, properties: {mail: c@d}}
  ask: {action: read, category: note, properties: {owner: a@b}}
  expect: {decision: false, reason: no_rule}
- case: What is gone is gone
  resource: {known: false}
  ask: {action: read, category: note}
  expect: {decision: false, reason: gone}
""")
    found = run(load(tmp_path), tmp_path)
    assert found.passed, found.lines()


def test_a_stated_situation_says_only_what_is_stated() -> None:
    case = Case(
        "", "", holds={"guardian": None, "contracted": frozenset({"service"})}, fails=frozenset()
    )
    situation = StatedSituation(case)
    assert situation.relations("service").contracted
    assert not situation.relations("advice").contracted
    assert situation.relations(None).contracted
    assert situation.relations("advice").guardian
    assert situation.relations(None).subject_active
    assert not situation.relations(None).minor
    with pytest.raises(AttributeError):
        _ = situation.relations(None).guardain
