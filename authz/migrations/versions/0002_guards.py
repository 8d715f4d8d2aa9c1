"""Nothing updates or deletes a record of the trail (N-49)

Written by hand: triggers are no part of the tables' metadata. SQLite's triggers keep
mistakes out, for who holds the file holds all of it. PostgreSQL's keep out every role;
`authz db grant` gives the service's role no right to try.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEPT = ("audit_record", "audit_mention", "audit_batch", "audit_checkpoint", "audit_segment")
"""Tables whose rows stay as they were written."""
GUARDED = (*KEPT, "audit_tile", "audit_head")

REFUSE = """
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND TG_TABLE_NAME IN ('audit_record', 'audit_mention')
       AND current_setting('authz.retire', true) = 'on'
       AND pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE')
    THEN
        RETURN NULL;
    END IF;
    RAISE EXCEPTION '% of % is refused: the trail is only added to', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END $$
"""
GROW = """
CREATE FUNCTION audit_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.level = OLD.level AND NEW.number = OLD.number
       AND substring(NEW.hashes FROM 1 FOR octet_length(OLD.hashes)) = OLD.hashes
    THEN
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'a tile of the trail only grows' USING ERRCODE = 'insufficient_privilege';
END $$
"""


def upgrade() -> None:
    """Go to this revision."""
    if op.get_bind().dialect.name == "postgresql":
        _postgresql()
    else:
        _sqlite()


def _postgresql() -> None:
    op.execute(REFUSE)
    op.execute(GROW)
    for table in GUARDED:
        what = "UPDATE OR DELETE" if table in KEPT else "DELETE"
        op.execute(
            f"CREATE TRIGGER {table}_refuse BEFORE {what} OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()"
        )
    op.execute(
        "CREATE TRIGGER audit_tile_grow BEFORE UPDATE ON audit_tile "
        "FOR EACH ROW EXECUTE FUNCTION audit_grow()"
    )


def _sqlite() -> None:
    refuse = "BEGIN SELECT RAISE(ABORT, 'the trail is only added to'); END"
    for table in GUARDED:
        op.execute(f"CREATE TRIGGER {table}_delete BEFORE DELETE ON {table} {refuse}")
        if table in KEPT:
            op.execute(f"CREATE TRIGGER {table}_update BEFORE UPDATE ON {table} {refuse}")
    op.execute(
        "CREATE TRIGGER audit_tile_update BEFORE UPDATE ON audit_tile "
        "WHEN NEW.level != OLD.level OR NEW.number != OLD.number "
        f"OR substr(NEW.hashes, 1, length(OLD.hashes)) != OLD.hashes {refuse}"
    )


def downgrade() -> None:
    """Go back to the revision before."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION audit_refuse() CASCADE")
        op.execute("DROP FUNCTION audit_grow() CASCADE")
        return
    for table in GUARDED:
        op.execute(f"DROP TRIGGER IF EXISTS {table}_delete")
        op.execute(f"DROP TRIGGER IF EXISTS {table}_update")
