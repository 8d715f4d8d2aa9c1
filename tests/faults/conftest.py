"""What the tests of failing and harmed journals share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from authz.audit.journal import Journal
from tests.journals import to_journal
from tests.stores.test_audit_support import opened


@pytest.fixture
def engine(sqlite_url: str) -> Iterator[Engine]:
    engine = opened(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def journal(engine: Engine, tmp_path: Path) -> Iterator[Journal]:
    journal = to_journal(engine, tmp_path)
    yield journal
    journal.close()
