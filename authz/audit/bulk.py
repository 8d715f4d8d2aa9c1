"""Whether what is stored beside many records is what they say, asked of the database at once.

Reading fifteen columns of every record and five of every mention costs more than all the
hashing. So the database spells them in one text, which is compared with the one that the
records give (N-49). Both spellings tell any two lists of rows apart. That the texts are the
same therefore proves every column; that they differ says nothing yet, and whoever asked
reads row by row to find out what was done.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from authz.audit.tables import INDEX_COLUMNS

Columns = Sequence[Sequence[Any]]
"""A list of numbers, and lists of texts that are as long."""

_encode: Final = msgspec.json.Encoder().encode
_BETWEEN: Final = "\x01"
_RECORD: Final = ("sequence", *INDEX_COLUMNS)
_MENTION: Final = ("sequence", "what", "name", "how", "time")
_KEY: Final = ("what", "name")


def agrees(
    connection: Connection, place: tuple[str, int, int], columns: Columns, mentions: Columns
) -> bool:
    """Whether the index columns and the mentions on file for a chain's records are these.

    ``place`` is the chain, its first record and its last.
    """
    dialect = connection.dialect.name
    spell: Callable[[Sequence[Any]], bytes | None] = (
        _as_text if dialect == "postgresql" else _encode
    )
    asked = zip(_STATEMENTS[dialect], (columns, mentions), strict=True)
    return all(_asked(connection, one, place) == [*map(spell, found)] for one, found in asked)


def _as_text(column: Sequence[Any]) -> bytes | None:
    """The column with separators; nothing where one of these is part of a text."""
    spelt = _BETWEEN.join(map(str, column))
    if spelt.count(_BETWEEN) > max(0, len(column) - 1):
        return None
    return spelt.encode()


def _asked(connection: Connection, statement: str, place: tuple[Any, ...]) -> list[Any]:
    """The database's spelling of each column, as bytes: what is no UTF-8 is seen as it is.

    SQLite spells no JSON of a value that has none, which is none of ours.
    """
    dialect: Any = connection.dialect
    plain = dialect.name != "postgresql"
    cursor: Any = connection.connection.cursor(**({} if plain else {"binary": True}))
    try:
        return [*cursor.execute(statement, place).fetchone()]
    except dialect.loaded_dbapi.Error as error:
        if plain:
            return []
        raise DBAPIError("reading the trail", None, error) from error
    finally:
        cursor.close()


def _json(table: str, names: Sequence[str]) -> str:
    """Asked for no order, as that would cost more than the rest: their key is the nearest way."""
    listed = ", ".join(f"CAST(json_group_array({name}) AS BLOB)" for name in names)
    return f"SELECT {listed} FROM {table} WHERE chain = ? AND sequence BETWEEN ? AND ?"  # noqa: S608 (our names)


def _text(table: str, names: Sequence[str]) -> str:
    """In the order of the texts' bytes; the database may have another one of its own.

    What is no text, which it would leave out, shows as a separator more.
    """
    texts = (f"coalesce({name}::text, '{_BETWEEN}')" for name in names)
    listed = ", ".join(
        f"convert_to(coalesce(string_agg({each}, '{_BETWEEN}'), ''), 'UTF8')" for each in texts
    )
    order = ", ".join(f'{name} COLLATE "C"' for name in names if name in _KEY)
    return (
        f"SELECT {listed} FROM (SELECT {', '.join(names)} FROM {table} "  # noqa: S608 (our names)
        f"WHERE chain = %s AND sequence BETWEEN %s AND %s "
        f"ORDER BY {', '.join(filter(None, ('sequence', order)))}) AS found"
    )


def _both(spelt: Callable[[str, Sequence[str]], str]) -> tuple[str, str]:
    return spelt("audit_record", _RECORD), spelt("audit_mention", _MENTION)


_STATEMENTS: Final = {"sqlite": _both(_json), "postgresql": _both(_text)}
