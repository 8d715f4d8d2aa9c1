"""Explanations of packs that are not about people (3.3): stored roles and properties."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from authz.decision.request import parse
from authz.directory.facts import Place
from authz.policy.load import load
from authz.service.decide import DecisionPoint
from authz.service.entities import import_entities
from authz.service.explain import explained
from tests.world import BANGKOK, CALLER, NOW

TODO = Path(__file__).parents[1] / "packs" / "todo"
MORTY = "CiRmZDE2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"
BETH = "CiRmZDM2MTRkMy1jMzlhLTQ3ODEtYjdiZC04Yjk2ZjVhNTEwMGQSBWxvY2Fs"


@pytest.fixture
def point(store: Engine) -> DecisionPoint:
    import_entities(store, TODO / "entities.json", by="a-test")
    return DecisionPoint(store, load(TODO), Place(BANGKOK))


def explain(point: DecisionPoint, who: str, action: str, **properties: str) -> dict[str, Any]:
    request = {
        "subject": {"type": "user", "id": who},
        "action": {"name": action},
        "resource": {"type": "todo", "id": "t-1", "properties": properties},
    }
    ((decided, document),) = explained(point, [parse(request)], CALLER, NOW, "en")
    assert document["decision"] is decided.decision.permit
    found: dict[str, Any] = document["context"]["explanation"]
    return found


def test_a_stored_role_is_told_with_the_entity_that_holds_it(point: DecisionPoint) -> None:
    """The hierarchy of the pack leads from editor to viewer."""
    (rule,) = explain(point, MORTY, "can_read_todos")["rules"]
    assert rule["role"]["held"]
    assert rule["role"]["facts"][0]["fact"] == "entity"
    assert rule["role"]["facts"][0]["id"] == MORTY
    assert rule["stands"]


def test_the_values_that_a_condition_compares_are_told(point: DecisionPoint) -> None:
    found = explain(point, MORTY, "can_update_todo", ownerID="rick@the-citadel.com")
    own = next(rule for rule in found["rules"] if rule["rule"] == "update-own")
    assert own["role"]["held"]
    assert not own["condition"]["holds"]
    assert own["condition"]["values"] == {
        "r.res.properties.ownerID": "rick@the-citadel.com",
        "r.sub.properties.email": "morty@the-citadel.com",
    }


def test_a_role_that_would_permit_is_proposed(point: DecisionPoint) -> None:
    found = explain(point, BETH, "can_create_todo")
    (change,) = found["changes"]
    assert change["text"] == "With the role editor, this would be permitted (create-todo)."
