"""Alembic's way to the tables of all packages, over the connection that it is given."""

from __future__ import annotations

from alembic import context

from authz.audit.tables import Base as Audit
from authz.directory.tables import Base as Directory
from authz.privacy.tables import Base as Privacy
from authz.review.tables import Base as Review
from authz.service.tables import Base as Service

METADATA = [base.metadata for base in (Directory, Audit, Review, Privacy, Service)]

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=METADATA,
    render_as_batch=True,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
