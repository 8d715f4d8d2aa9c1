"""The migrations make exactly the tables that the code says, on both stores."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, MetaData

from authz.audit.tables import Base as Audit
from authz.directory.tables import Base as Directory
from authz.privacy.tables import Base as Privacy
from authz.review.tables import Base as Review
from authz.service.database import current, upgrade
from authz.service.tables import Base as Service


def test_the_migrated_database_has_no_difference_from_the_tables(store: Engine) -> None:
    together = MetaData()
    for base in (Directory, Audit, Review, Privacy, Service):
        for table in base.metadata.tables.values():
            table.to_metadata(together)
    with store.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, together) == []


def test_upgrading_again_changes_nothing(store: Engine) -> None:
    before = current(store)
    upgrade(store)
    assert current(store) == before
    assert before[0] == before[1]
