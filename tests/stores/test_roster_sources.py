"""Rosters of several sources: whose rows are whose."""

from __future__ import annotations

import pytest

from authz.directory.tables import (
    Class,
    Enrolment,
    Organisation,
)
from tests.stores.test_roster_kit import (
    LATER,
    Kit,
    user,
)


def test_the_same_id_from_two_sources_is_refused(kit: Kit) -> None:
    kit.load()
    other = kit.again()
    other.source = "other"
    message = other.refused()
    assert "users.csv:2: column sourcedId: 'head' is on file already from roster:sis" in message
    assert "--source" in message


def test_a_named_source_prefixes_every_id(kit: Kit) -> None:
    kit.load()
    other = kit.again()
    other.source = "other"
    summary = other.load(source="south")
    assert summary.source == "south"
    assert kit.person("south:head")["origin"] == "roster:south"
    assert kit.all(Enrolment)["south:e1"]["class"] == "south:k1"
    assert kit.all(Class)["south:k1"]["terms"] == ["south:term"]
    assert kit.all(Organisation)["south:school-a"]["parent"] == "south:district"
    assert ("south:mother", "south:student", "parent") in kit.guardians()
    assert not other.again().load(source="south", now=LATER).changed


def test_a_source_cannot_refer_to_what_another_one_brought(kit: Kit) -> None:
    kit.load()
    kit.source = "other"
    kit.delta(users=[user("stranger", "administrator", "school-a")])
    assert "users.csv:2: column orgSourcedIds: 'school-a'" in kit.refused()


def test_without_a_source_it_is_called_default(kit: Kit) -> None:
    kit.source = None
    assert kit.load().source == "default"


@pytest.mark.parametrize("name", ["", "a:b", "a b", "x" * 65])
def test_a_bad_name_of_a_source_is_refused(kit: Kit, name: str) -> None:
    assert "name of a source" in kit.refused(source=name)
