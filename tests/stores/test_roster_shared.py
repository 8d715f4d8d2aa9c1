"""The rosters that are shared with every implementation, and one that is refused."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from authz.directory.tables import (
    Membership,
)
from tests.stores.test_roster_kit import (
    LATER,
    Kit,
)


@pytest.mark.parametrize(
    ("name", "people", "enrolments"),
    [("oneroster-district-small", 268, 1855), ("oneroster-district-medium", 837, 5810)],
)
def test_the_shared_district_rosters_are_imported(
    kit: Kit, shared: Path, name: str, people: int, enrolments: int
) -> None:
    path = shared / "data" / name
    summary = kit.load(path)
    assert summary.source == "merge-oneroster-gen"
    assert summary.tables["person"].added == people
    assert summary.tables["enrolment"].added == enrolments
    assert not kit.load(path, now=LATER).changed


def test_the_shared_guardians_are_taken_partially_and_else_refused(kit: Kit, shared: Path) -> None:
    path = shared / "data" / "oneroster-guardians"
    message = kit.refused(path)
    assert "manifest.csv: missing" in message
    assert "users.csv:2: column orgSourcedIds: 'slksldkmlsk49303'" in message
    summary = kit.load(path, partial=True)
    assert summary.tables["person"].added == 1999
    assert summary.tables["guardianship"].added == _links(path)
    assert summary.skipped.total == 1999
    assert kit.all(Membership) == {}
    assert not kit.load(path, partial=True, now=LATER).changed


def _links(path: Path) -> int:
    with (path / "users.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    lists = [row["agentSourcedIds"] for row in rows]
    return sum(len(set(each.split(","))) for each in lists if each)


def test_school_data_sync_is_refused_by_name(kit: Kit, shared: Path) -> None:
    message = kit.refused(shared / "data" / "school-data-sync-v2.1", partial=True)
    assert "Microsoft School Data Sync v2.1, not OneRoster" in message
