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

Rows = Sequence[tuple[Any, ...]]
"""The number of a record, and texts."""

_encode: Final = msgspec.json.Encoder().encode
_FIELD, _ROW = "\x01", "\x02"
_RECORD: Final = ("sequence", *INDEX_COLUMNS)
_MENTION: Final = ("sequence", "what", "name", "how", "time")
_KEY: Final = ("what", "name")


def agrees(connection: Connection, place: tuple[str, int, int], columns: Rows, found: Rows) -> bool:
    """Whether the index columns and the mentions on file for a chain's records are these.

    ``place`` is the chain, its first record and its last.
    """
    dialect = connection.dialect.name
    spell: Callable[[Rows], bytes | None] = _as_text if dialect == "postgresql" else _as_json
    pairs = zip(_STATEMENTS[dialect], (columns, found), strict=True)
    return all(spell(rows) == _asked(connection, statement, place) for statement, rows in pairs)


def _as_json(rows: Rows) -> bytes:
    return _encode(rows)


def _as_text(rows: Rows) -> bytes | None:
    """The rows with separators; nothing where one of these is part of a text."""
    if not rows:
        return b""
    texts = len(rows[0]) - 1
    form = f"%d{f'{_FIELD}%s' * texts}"
    spelt = _ROW.join([form % row for row in rows])
    if spelt.count(_FIELD) != texts * len(rows) or spelt.count(_ROW) != len(rows) - 1:
        return None
    return spelt.encode()


def _asked(connection: Connection, statement: str, place: tuple[Any, ...]) -> Any:
    """The database's spelling, as bytes: what is no UTF-8 is seen, and converted by nobody.

    SQLite spells no JSON of a value that has none, which is none of ours.
    """
    dialect: Any = connection.dialect
    plain = dialect.name != "postgresql"
    cursor: Any = connection.connection.cursor(**({} if plain else {"binary": True}))
    try:
        return cursor.execute(statement, place).fetchone()[0]
    except dialect.loaded_dbapi.Error as error:
        if plain:
            return b""
        raise DBAPIError("reading the trail", None, error) from error
    finally:
        cursor.close()


def _json(table: str, names: Sequence[str]) -> str:
    """Asked for no order, as that would cost more than the rest: their key is the nearest way."""
    return (
        f"SELECT CAST(json_group_array(json_array({', '.join(names)})) AS BLOB) "  # noqa: S608
        f"FROM {table} WHERE chain = ? AND sequence BETWEEN ? AND ?"
    )


def _text(table: str, names: Sequence[str]) -> str:
    """In the order of the texts' bytes; the database may have another one of its own."""
    listed, fields = ", ".join(names), f" || '{_FIELD}' || ".join(names)
    order = ", ".join(["sequence", *(f'{name} COLLATE "C"' for name in names if name in _KEY)])
    return (
        f"SELECT convert_to(coalesce(string_agg({fields}, '{_ROW}'), ''), 'UTF8') "  # noqa: S608
        f"FROM (SELECT {listed} FROM {table} "
        f"WHERE chain = %s AND sequence BETWEEN %s AND %s ORDER BY {order}) AS found"
    )


def _both(spelt: Callable[[str, Sequence[str]], str]) -> tuple[str, str]:
    return spelt("audit_record", _RECORD), spelt("audit_mention", _MENTION)


_STATEMENTS: Final = {"sqlite": _both(_json), "postgresql": _both(_text)}
