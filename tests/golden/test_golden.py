"""Every golden case, through the real decision point, on both stores, and by the oracle."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from authz.audit.log import Receipt
from authz.audit.record import timestamp
from authz.decision import answer
from authz.decision.request import parse
from authz.errors import MalformedError
from authz.service.decided import Decided
from tests.golden import expected
from tests.golden.cases import Case, Golden, everything, files, load
from tests.journals import to_journal
from tests.oracle.policy import REFUSALS, RULES
from tests.world import CALLER, frozen, placed, point, policy

CODES = ("no_rule", "purpose_required", "unknown_category", "unknown_action", "unknown_purpose")
ALWAYS = {"v": 1, "event": "decision", "application": "a-test", "request_id": "golden"}
Row = dict[str, Any]


def evaluate(store: Engine, case: Case) -> Decided:
    caller = replace(CALLER, asserts_mfa=case.asserts_mfa)
    with frozen(case.at):
        found = point(store).evaluate([parse(case.request)], caller, request_id="golden")
    return found[0]


@pytest.mark.parametrize("journal", [True, False], ids=["journal", "database"])
@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_every_golden_case_is_answered_and_recorded_as_written(
    store: Engine, path: Path, tmp_path: Path, subtests: pytest.Subtests, *, journal: bool
) -> None:
    """The exact answer to a caller and to a what-if tool, and the record (N-23, N-49)."""
    golden = load(path)
    golden.world.store(store)
    if journal:
        to_journal(store, tmp_path)
    recorded: list[tuple[Case, Receipt | None]] = []
    for case in golden.cases:
        with subtests.test(case.name):
            if case.outcome == "malformed":
                with pytest.raises(MalformedError) as error:
                    evaluate(store, case)
                assert error.value.where == case.expect.partition(" at ")[2]
                continue
            found = evaluate(store, case)
            recorded.append((case, found.receipt))
            decision = found.decision
            assert (
                answer.inward(decision, policy().catalogue, case.language)
                == (case.answers["inward"])
            )
            assert (
                answer.outward(decision, policy().catalogue, case.language)
                == (case.answers["outward"])
            )
    now = {"policy": policy().digest, "directory_revision": int(bool(golden.world.facts))}
    trail = {
        place: record for place, record in placed(store).items() if record["event"] == "decision"
    }
    assert len(trail) == len(recorded)
    for case, receipt in recorded:
        assert receipt is not None
        record = trail[receipt.chain, receipt.sequence]
        with subtests.test(f"the record of: {case.name}"):
            always = {**ALWAYS, **now, "time": timestamp(case.at)}
            assert record == {**always, **case.answers["record"]}


@pytest.mark.parametrize("path", files(), ids=lambda path: path.stem)
def test_the_oracle_answers_every_golden_case_as_written(
    path: Path, subtests: pytest.Subtests
) -> None:
    """The goldens are page 2's, not the product's: the oracle says the same."""
    golden = load(path)
    school = golden.world.oracle()
    for case in golden.cases:
        with subtests.test(case.name):
            assert (expected.of(golden, school, case) or {}) == case.answers


@pytest.fixture(scope="module")
def goldens() -> list[Golden]:
    return list(everything())


def names(goldens: list[Golden], outcome: str) -> Counter[str]:
    """How often each rule or reason is in a case of that outcome."""
    return Counter(
        name
        for golden in goldens
        for case in golden.cases
        if case.outcome == outcome
        for name in case.names
    )


def test_every_rule_permits_and_is_narrowly_missed(goldens: list[Golden]) -> None:
    """Page 2.5, rule by rule: one permit and one near miss at least (N-23)."""
    near = {case.near for golden in goldens for case in golden.cases if case.outcome == "refuse"}
    rules = {rule.name for rule in RULES}
    assert rules <= names(goldens, "permit").keys()
    assert near - {""} == rules


def test_every_refusal_strikes_and_every_reason_is_given(goldens: list[Golden]) -> None:
    """Page 2.6: each row of its table strikes, each code is somebody's reason (N-23)."""
    struck = names(goldens, "refuse")
    reasons = {
        case.answers["record"]["reason"]
        for golden in goldens
        for case in golden.cases
        if case.outcome == "refuse"
    }
    assert struck.keys() == {*REFUSALS, *CODES}
    assert reasons == {*REFUSALS, *CODES}


def test_every_obligation_comes_with_some_permit(goldens: list[Golden]) -> None:
    """Page 2.7 (E-01, N-44)."""
    found = {
        each["id"]
        for golden in goldens
        for case in golden.cases
        for each in case.answers.get("record", {}).get("obligations", [])
    }
    assert found == {"fields", "withheld", "classes", "pseudonymise", "notify", "review"}
