"""The life of an incident and its clock, without a database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from authz.errors import ConflictError, MalformedError
from authz.privacy.incidents import Incident, State, assigned, closed, opened, updated

NOON = datetime(2026, 11, 23, 5, tzinfo=UTC)
HOUR = timedelta(hours=1)
WHOLE: dict[str, Any] = {"cause": "c", "effect": "e", "remedy": "r", "reported_at": NOON + HOUR}


@pytest.fixture
def found() -> Incident:
    return opened("I-1", "A key leaked", NOON, NOON)


def test_the_clock_runs_from_when_it_was_known(found: Incident) -> None:
    """E-07: 72 hours, whenever it was written down."""
    earlier = opened("I-2", "x", NOON - 70 * HOUR, NOON)
    assert earlier.due_at == NOON + 2 * HOUR
    assert earlier.left(NOON) == 2 * HOUR
    assert earlier.left(NOON + 3 * HOUR) == -HOUR
    assert (earlier.late(NOON), earlier.late(NOON + 3 * HOUR)) == (False, True)
    told = updated(found, {"reported_at": NOON + HOUR}, NOON + 2 * HOUR)
    assert told.left(NOON + 100 * HOUR) is None
    assert not told.late(NOON + 100 * HOUR)
    after = updated(found, {"reported_at": NOON + 73 * HOUR}, NOON + 80 * HOUR)
    assert after.late(NOON + 80 * HOUR)


def test_it_is_closed_when_nothing_is_missing(found: Incident) -> None:
    """N-50: cause, effect, remedy, somebody responsible, and a report or why none was owed."""
    with pytest.raises(ConflictError, match="assignee, cause, effect, remedy, reported_at"):
        closed(found, NOON)
    held = updated(assigned(found, "siri"), WHOLE, NOON + 2 * HOUR)
    done = closed(held, NOON + 3 * HOUR)
    assert (done.state, done.closed_at) == (State.CLOSED, NOON + 3 * HOUR)
    quiet = updated(assigned(found, "siri"), {**WHOLE, "reported_at": None}, NOON)
    with pytest.raises(ConflictError, match="reported_at"):
        closed(quiet, NOON, "  ")
    spared = closed(quiet, NOON, "No risk to anybody: the key was never used.")
    assert not spared.late(NOON + 900 * HOUR)


def test_nothing_changes_what_is_closed(found: Incident) -> None:
    done = closed(updated(assigned(found, "siri"), WHOLE, NOON + HOUR), NOON + HOUR)
    with pytest.raises(ConflictError, match="closed"):
        assigned(done, "mali")
    with pytest.raises(ConflictError, match="closed"):
        updated(done, {"cause": "x"}, NOON)
    with pytest.raises(ConflictError, match="closed"):
        closed(done, NOON)


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"cause": ""},
        {"state": "closed"},
        {"cause": "x" * 5000},
        {"cause": "\0"},
        {"reported_at": NOON + 9 * HOUR},
        {"reported_at": NOON - HOUR},
        {"known_at": NOON + HOUR},
    ],
)
def test_what_cannot_be_is_refused(found: Incident, changes: dict[str, Any]) -> None:
    with pytest.raises(MalformedError):
        updated(found, changes, NOON)


def test_an_incident_has_a_title_and_is_known_by_now() -> None:
    with pytest.raises(MalformedError):
        opened("I", " ", NOON, NOON)
    with pytest.raises(MalformedError):
        opened("I", "x", NOON + HOUR, NOON)
    with pytest.raises(MalformedError):
        assigned(opened("I", "x", NOON, NOON), "")
