"""When a question that was asked before is decided anew."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from unittest.mock import Mock, patch

import pytest
from sqlalchemy import Engine

from authz.decision.request import parse
from authz.engine import decide
from authz.service.decide import DecisionPoint
from tests.world import CALLER, NOW, World, frozen, point, question

READS = question("mum", "read", "assessment_result", "kid", purpose="service")
UNTIL = NOW + timedelta(hours=1)
LINK = {"fact": "guardianship", "guardian": "mum", "student": "kid", "kind": "parent"}


@pytest.fixture
def asker(store: Engine) -> DecisionPoint:
    world = World().person("mum").person("kid", born="2015-05-03")
    world.guardian("mum", "kid", until=UNTIL.isoformat()).store(store)
    return point(store)


@pytest.fixture
def decided() -> Iterator[Mock]:
    with patch.object(decide, "decide_known", wraps=decide.decide_known) as counted:
        yield counted


def permits(asker: DecisionPoint, *, at: timedelta = timedelta(), mfa: bool = False) -> bool:
    with frozen(NOW + at):
        caller = replace(CALLER, asserts_mfa=mfa)
        return asker.evaluate([parse(READS)], caller)[0].decision.permit


def test_the_same_question_is_decided_once(asker: DecisionPoint, decided: Mock) -> None:
    assert all(permits(asker, at=timedelta(minutes=each)) for each in (0, 30, 59, 1))
    assert decided.call_count == 1


def test_an_end_that_has_come_is_seen_forth_and_back(asker: DecisionPoint, decided: Mock) -> None:
    at = [timedelta(), UNTIL - NOW - timedelta(microseconds=1), UNTIL - NOW, timedelta()]
    assert [permits(asker, at=each) for each in at] == [True, True, False, True]
    assert decided.call_count == 3


def test_a_change_of_any_fact_is_seen_at_once(
    asker: DecisionPoint, decided: Mock, store: Engine
) -> None:
    assert permits(asker)
    World().import_into(store, [{**LINK, "delete": True}])
    assert not permits(asker)
    assert decided.call_count == 2


def test_who_is_believed_about_a_second_factor_is_asked_apart(
    asker: DecisionPoint, decided: Mock
) -> None:
    assert permits(asker)
    assert permits(asker, mfa=True)
    assert decided.call_count == 2


def test_true_is_another_question_than_one(asker: DecisionPoint, decided: Mock) -> None:
    for told in (True, 1, 1.0, "1", [1], [True]):
        asked = {**READS, "context": {**READS["context"], "note": told}}
        with frozen(NOW):
            asker.evaluate([parse(asked)], CALLER)
    assert decided.call_count == 6


def test_a_decision_that_brings_a_duty_is_made_each_time(store: Engine, decided: Mock) -> None:
    world = World().school("S1").person("chief", "kid", at="S1")
    world.grant("chief", "school_admin", "S1").store(store)
    reset = question("chief", "update", "credentials", "kid", purpose="account", mfa=True)
    asker, caller = point(store), replace(CALLER, asserts_mfa=True)
    for _ in range(2):
        with frozen(NOW):
            (one,) = asker.evaluate([parse(reset)], caller)
        assert one.decision.rules == ("school-reset",)
    assert decided.call_count == 2
