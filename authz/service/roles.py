"""On PostgreSQL the service's role cannot change the trail (N-49, N-51).

The owner migrates the database and grants; the service runs under another role, which may
add to the trail and read it, and nothing else. A database without roles (SQLite) has the
guards of its triggers alone.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Engine, text

from authz.audit.record import Entry, Ref
from authz.errors import AuthzError, ForbiddenError, NotFoundError, SettingError
from authz.service import changing
from authz.service.changing import By
from authz.service.database import reading, translated, writing
from authz.vocabulary import Event

KEPT: Final = (
    "audit_record",
    "audit_mention",
    "audit_batch",
    "audit_checkpoint",
    "audit_segment",
)
"""Tables of which the service's role may only read rows and add some."""
MOVED: Final = ("audit_head", "audit_tile")
"""Tables of which it may also update rows: the head moves, the last tile grows."""
READ: Final = ("alembic_version",)
GUARDED: Final = (*KEPT, *MOVED)
_TRAIL_ONLY: Final = "SELECT, INSERT"
_TABLES: Final = text(
    "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') ORDER BY 1"
)
_STATE: Final = text(
    "SELECT rolsuper, bool_or(pg_has_role(current_user, c.relowner, 'USAGE')), "
    "bool_or(has_table_privilege(c.oid, 'DELETE, TRUNCATE')) "
    "FROM pg_roles, pg_class c WHERE rolname = current_user "
    "AND c.oid = ANY (CAST(:tables AS regclass[])) GROUP BY rolsuper"
)


def grant(store: Engine, role: str, *, by: str, because: str = "") -> list[str]:
    """Give the role what the service needs and nothing more; the tables it got rights on.

    It is run by the owner of the tables, after each migration, and recorded. SettingError where the
    store has no roles, NotFoundError where there is no such role.
    """
    if store.dialect.name != "postgresql":
        raise SettingError(
            "Only PostgreSQL has roles.",
            where="AUTHZ_DATABASE_URL",
            hint="On SQLite, who can write the file can change the trail: guard the file.",
        )
    with translated(), writing(store) as connection:
        known = text("SELECT 1 FROM pg_roles WHERE rolname = :role")
        if connection.scalar(known, {"role": role}) is None:
            raise NotFoundError("There is no such role in the database.", where=role)
        tables = [str(name) for name in connection.scalars(_TABLES)]
        for statement in _statements(connection, role, tables):
            connection.execute(text(statement))
        changing.record(connection, [_entry(role, tables, By.now(by, because))])
    return tables


def _entry(role: str, tables: list[str], by: By) -> Entry:
    """What the role may do from now on, by the names of the tables; all else was taken away."""
    rights: dict[str, list[str]] = {}
    for table in tables:
        rights.setdefault(_rights(table), []).append(table)
    whom = Ref("database_role", role)
    return changing.changed(Event.DATABASE_GRANTED, by, whom, {}, rights, action="grant")


def _statements(connection: Connection, role: str, tables: list[str]) -> list[str]:
    quote = connection.dialect.identifier_preparer.quote_identifier
    whom = quote(role)
    schema = quote(str(connection.scalar(text("SELECT current_schema()"))))
    database = quote(str(connection.scalar(text("SELECT current_database()"))))
    return [
        f"GRANT CONNECT, TEMPORARY ON DATABASE {database} TO {whom}",
        f"GRANT USAGE ON SCHEMA {schema} TO {whom}",
        f"REVOKE ALL ON ALL TABLES IN SCHEMA {schema} FROM {whom}",
        f"GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {whom}",
        *(f"GRANT {_rights(table)} ON {schema}.{quote(table)} TO {whom}" for table in tables),
    ]


def _rights(table: str) -> str:
    if table in READ:
        return "SELECT"
    if table in KEPT:
        return _TRAIL_ONLY
    if table in MOVED:
        return f"{_TRAIL_ONLY}, UPDATE"
    return f"{_TRAIL_ONLY}, UPDATE, DELETE"


def require_owner(store: Engine) -> None:
    """Raise ForbiddenError unless this process may take records out of the trail."""
    if store.dialect.name != "postgresql":
        return
    with reading(store) as connection:
        row = connection.execute(_STATE, {"tables": list(GUARDED)}).one()
    if not (row[0] or row[1]):
        raise ForbiddenError(
            "Only the owner of the trail's tables can retire records.",
            hint="Run it with AUTHZ_DATABASE_URL set to the owner's role.",
        )


def guarded(store: Engine) -> str:
    """That nothing can change the trail, in a sentence; AuthzError says what could."""
    with reading(store) as connection:
        missing = _without_guard(connection)
        if missing:
            raise AuthzError(
                f"Nothing keeps the rows of {', '.join(missing)} from being changed.",
                hint="Run `authz db upgrade`, and find out who took the triggers away.",
            )
        if store.dialect.name != "postgresql":
            return "triggers refuse changes; who can write the file can take them away"
        row = connection.execute(_STATE, {"tables": list(GUARDED)}).one()
    if any(row):
        why = "is a superuser" if row[0] else "owns the trail" if row[1] else "may delete records"
        raise AuthzError(
            f"The role of this process {why}, and could change it.",
            hint="Run `authz db grant ROLE` as the owner, and the service as that role.",
        )
    return "this role can only add to the trail"


def _without_guard(connection: Connection) -> list[str]:
    """The tables of the trail that lack a trigger, or whose trigger is switched off."""
    if connection.dialect.name == "postgresql":
        query = (
            "SELECT DISTINCT c.relname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() "
            "WHERE NOT t.tgisinternal AND t.tgenabled IN ('O', 'A') "
            "AND t.tgname = c.relname || '_refuse'"
        )
    else:
        query = (
            "SELECT tbl_name FROM sqlite_master WHERE type = 'trigger' "
            "AND name = tbl_name || '_delete'"
        )
    known = set(connection.scalars(text(query)))
    return [table for table in GUARDED if table not in known]
