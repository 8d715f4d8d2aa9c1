"""Plain Python by hand, the floor of the benchmark, decides what the engine decides."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from authz.cli.demo.school import write
from authz.decision.request import Question, parse, question
from authz.engine.decide import decide
from authz.service.database import upgrade
from authz.service.record_facts import import_facts
from authz.service.rosters import import_oneroster
from benchmarks.inside import LOCAL, Point

CHECKED = 1500


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Point, list[Any]]]:
    folder = tmp_path_factory.mktemp("floor")
    point = Point(f"sqlite:///{folder}/authz.db", durability="os")
    upgrade(point.store)
    demo = write(folder, datetime.now(UTC).astimezone(LOCAL).date())
    import_oneroster(point.store, demo.roster, local=LOCAL, by="bench")
    import_facts(
        point.store,
        lambda: demo.facts.read_text("utf-8").splitlines(),
        name="facts",
        catalogue=point.policy.catalogue,
        local=LOCAL,
        by="bench",
    )
    yield point, [scene.request for scene in demo.scenes]
    point.store.dispose()


def varied(point: Point, requests: list[Any]) -> Iterator[Question]:
    """The scenes of the demo school, and the same with another action, category, purpose."""
    catalogue, dice = point.policy.catalogue, random.Random(1)
    scenes = [question(parse(one), believes_mfa=True) for one in requests]
    for number in range(CHECKED):
        asked = scenes[number % len(scenes)]
        if number >= len(scenes):
            request = asked.request
            action = replace(request.action, name=dice.choice(catalogue.actions))
            category = dice.choice([request.resource.type, *catalogue.categories])
            purpose = dice.choice([None, asked.purpose, *catalogue.purposes])
            resource = replace(request.resource, type=category)
            request = replace(request, action=action, resource=resource)
            asked = replace(asked, request=request, purpose=purpose)
        yield asked


def test_the_floor_decides_as_the_engine(school: tuple[Point, list[Any]]) -> None:
    point, requests = school
    permits = 0
    for asked in varied(point, requests):
        facts = point.facts(asked)
        ours = decide(point.policy, asked, point.situation(asked, facts))
        permit, rules, reason, purpose, obligations = point.plain(asked, facts)
        assert (ours.permit, ours.rules) == (permit, rules), asked
        assert (ours.reason, ours.purpose) == (reason, purpose), asked
        told = {str(name): value for name, value in ours.obligations.items()}
        assert told == {name: value for name, value in obligations.items() if value}, asked
        permits += permit
    assert permits > CHECKED / 20
