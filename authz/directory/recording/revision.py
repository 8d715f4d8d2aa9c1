"""The directory's revision moves by one with each change, in the same transaction (2.8)."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from authz.directory.tables import Revision


def following(connection: Connection) -> int:
    """The revision of the next change, as long as nobody else changes anything."""
    return (connection.scalar(select(Revision.revision)) or 0) + 1


def advance(connection: Connection) -> int:
    """Move the revision on, and return the new one."""
    statement = update(Revision).values(revision=Revision.revision + 1)
    moved = connection.scalar(statement.returning(Revision.revision))
    if moved is None:
        connection.execute(insert(Revision).values(id=1, revision=1))
        return 1
    return int(moved)
