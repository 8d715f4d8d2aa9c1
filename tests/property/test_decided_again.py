"""A decision that was made before is given again only where it would be made again (3.5)."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine

from authz.decision.request import parse
from authz.service.decide import DecisionPoint
from tests.oracle.answer import answer
from tests.property.worlds import MOMENTS, batches, theorem, worlds
from tests.world import CALLER, NOW, Row, World, as_oracle, clear, frozen, moment, placed, point

STEP = timedelta(microseconds=1)
EDGES = [
    moment(each) for each in (*filter(None, MOMENTS), "2026-11-16", "2027-01-01", "2036-11-10")
]
NEAR = [NOW, *EDGES, *(edge - STEP for edge in EDGES), *(edge + STEP for edge in EDGES)]


def asked_of(asker: DecisionPoint, requests: list[Row], at: datetime) -> list[Row]:
    """What one decision point answers at that moment, in the oracle's words."""
    with frozen(at):
        found = asker.evaluate([parse(each) for each in requests], CALLER)
    return [as_oracle(one.decision) for one in found]


@theorem
@given(
    world=worlds(),
    asked=batches,
    moments=st.lists(st.sampled_from(NEAR), min_size=3, max_size=8),
)
def test_asked_again_equals_asked_anew(
    store: Engine, world: World, asked: list[Row], moments: list[datetime]
) -> None:
    """One point asked at moments forth and back agrees with page 2 at each of them."""
    clear(store)
    world.store(store)
    school, asker = world.oracle(), point(store)
    for at in moments:
        assert asked_of(asker, asked, at) == [answer(school, each, at) for each in asked], at


@theorem
@given(world=worlds(), asked=batches, share=st.floats(0, 1))
def test_a_decision_stands_from_one_end_to_the_next(
    store: Engine, world: World, asked: list[Row], share: float
) -> None:
    """Anew and at both ends of the time that it says, and in between, it is the same."""
    clear(store)
    world.store(store)
    with frozen(NOW):
        found = point(store).evaluate([parse(each) for each in asked], CALLER)
    for request, one in zip(asked, found, strict=True):
        if one.stands is None:
            continue
        since = one.stands.since or NOW - timedelta(days=4000)
        until = one.stands.until or NOW + timedelta(days=4000)
        assert since <= NOW < until
        within = since + (until - STEP - since) * share
        for at in (since, within, until - STEP):
            assert asked_of(point(store), [request], at) == [as_oracle(one.decision)], at


@theorem
@given(world=worlds(), asked=batches)
def test_a_decision_given_again_has_a_record_of_its_own(
    store: Engine, world: World, asked: list[Row]
) -> None:
    """Records of the first and of the second answer differ in their time and request's id only."""
    clear(store)
    world.store(store)
    asker, before = point(store), placed(store).keys()
    for number, at in enumerate((NOW, NOW + STEP)):
        with frozen(at):
            asker.evaluate([parse(each) for each in asked], CALLER, request_id=f"r-{number}")
    told = [record for place, record in sorted(placed(store).items()) if place not in before]
    told = [record for record in told if record["event"] == "decision"]
    first = [each for each in told if each["request_id"] == "r-0"]
    again = [each for each in told if each["request_id"] == "r-1"]
    assert [{**each, "time": "", "request_id": ""} for each in again] == [
        {**each, "time": "", "request_id": ""} for each in first
    ]
    assert len(first) == len(asked)
    assert {each["time"] for each in first}.isdisjoint(each["time"] for each in again)
