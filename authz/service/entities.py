"""Puts generic entities on file, for packs that are not about people (3.3)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, Table, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite

from authz.audit.record import Entry, Ref
from authz.decision.strict import whatever
from authz.directory.recording.revision import advance
from authz.directory.storable import storable
from authz.directory.tables import Entity
from authz.errors import FactError, MalformedError
from authz.service import changing
from authz.service.changing import By
from authz.service.database import writing
from authz.vocabulary import Event

LARGEST = 256 * 1024 * 1024
BATCH = 500
MEMBERS = frozenset({"type", "id", "properties"})
Key = tuple[str, str]


def import_entities(store: Engine, path: Path, *, by: str, because: str = "") -> int:
    """Put the entities of a JSON file on file, each replacing the one of its type and id.

    The file is ``[{"type", "id", "properties"}]`` in I-JSON (RFC 7493), as a question is.
    All or nothing: FactError names the item that is none, or the member. Returns how many
    there are.
    """
    entities = _read(path)
    author = By.now(by, because)
    with writing(store) as connection:
        revision = advance(connection)
        for start in range(0, len(entities), BATCH):
            some = entities[start : start + BATCH]
            before = _stored(connection, some)
            _write(
                connection,
                some,
                recorded={
                    "recorded_at": author.at,
                    "recorded_by": by,
                    "recorded_because": because,
                },
            )
            changing.record(
                connection, [_entry(author, entity, before, revision) for entity in some]
            )
    return len(entities)


def _stored(connection: Connection, entities: list[dict[str, Any]]) -> dict[Key, dict[str, Any]]:
    """The properties of those entities that are on file and have not ended."""
    keys = [(each["type"], each["id"]) for each in entities]
    found = select(Entity.type, Entity.id, Entity.properties).where(
        tuple_(Entity.type, Entity.id).in_(keys), Entity.ended_at.is_(None)
    )
    return {(row.type, row.id): row.properties for row in connection.execute(found)}


def _entry(
    author: By, entity: dict[str, Any], stored: dict[Key, dict[str, Any]], revision: int
) -> Entry:
    """The record of one entity: of its properties the names, and which of them changed."""
    key = (entity["type"], entity["id"])
    before, after = stored.get(key), entity["properties"]
    return changing.changed(
        Event.ENTITY_CHANGED,
        author,
        Ref(*key),
        {} if before is None else {"properties": before},
        {"properties": after},
        action="record",
        revision=revision,
        more={"properties_changed": changing.differing(before or {}, after)},
    )


def _read(path: Path) -> list[dict[str, Any]]:
    try:
        if path.stat().st_size > LARGEST:
            raise FactError("The file is larger than 256 MiB.", where=str(path))
        content = whatever(path.read_text("utf-8-sig"))
    except OSError as error:
        raise FactError(f"It cannot be read: {error.strerror}.", where=str(path)) from error
    except MalformedError as error:
        raise FactError(error.message, where=f"{path}{error.where}") from error
    except (ValueError, RecursionError) as error:
        raise FactError(f"It is not JSON: {error}.", where=str(path)) from error
    if not isinstance(content, list):
        raise FactError("It must be a list of entities.", where=str(path))
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for number, item in enumerate(content):
        entity = _entity(item, f"{path}[{number}]")
        found[entity["type"], entity["id"]] = entity
    return list(found.values())


def _entity(item: object, where: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        raise FactError("An entity must be an object.", where=where)
    unknown = sorted(set(item) - MEMBERS)
    if unknown:
        raise FactError(f"An entity has no member {unknown[0]!r}.", where=where)
    for name in ("type", "id"):
        value = item.get(name)
        if not isinstance(value, str) or not value or not storable(value):
            raise FactError("It must be a text that is not empty.", where=f"{where}.{name}")
    properties = item.get("properties")
    if properties is not None and not isinstance(properties, dict):
        raise FactError("It must be an object.", where=f"{where}.properties")
    return {"type": item["type"], "id": item["id"], "properties": properties or {}}


def _write(
    connection: Connection, entities: list[dict[str, Any]], *, recorded: dict[str, Any]
) -> None:
    table = Entity.__table__
    assert isinstance(table, Table)  # noqa: S101 (narrowing for the type checker)
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(table)
    replaced = {
        column.name: statement.excluded[column.name]
        for column in table.columns
        if not column.primary_key
    }
    connection.execute(
        statement.on_conflict_do_update(index_elements=["type", "id"], set_=replaced),
        [{**entity, "origin": "fact", "ended_at": None, **recorded} for entity in entities],
    )
