"""Rosters to import, for the tests of the stores."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from tests.stores.test_roster_kit import Kit, school_12


@pytest.fixture
def kit(tmp_path: Path, store: Engine) -> Kit:
    return Kit(tmp_path, store)


@pytest.fixture
def kit_12(kit: Kit) -> Kit:
    kit.version, kit.rows = "1.2", school_12()
    return kit
