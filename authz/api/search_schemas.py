"""The shapes of searches in the OpenAPI document (AuthZEN 8)."""

from __future__ import annotations

from typing import Any, Final

Schema = dict[str, Any]

_TEXT: Final[Schema] = {"type": "string"}
_FREE: Final[Schema] = {"type": ["object", "null"]}
_PAGE: Final[Schema] = {
    "type": ["object", "null"],
    "properties": {
        "token": {"type": ["string", "null"]},
        "limit": {"type": ["integer", "null"], "minimum": 0},
        "properties": _FREE,
    },
}
_ENTITY: Final[Schema] = {"$ref": "#/components/schemas/Entity"}
_ACTION: Final[Schema] = {"$ref": "#/components/schemas/Action"}
_OPEN: Final[Schema] = {
    "type": "object",
    "properties": {"type": _TEXT, "properties": _FREE},
    "required": ["type"],
}


def _asking(**parts: Schema) -> Schema:
    return {
        "type": "object",
        "properties": {**parts, "context": _FREE, "page": _PAGE},
        "required": list(parts),
    }


def _found(**members: Schema) -> Schema:
    result = {
        "type": "object",
        "properties": members,
        "required": list(members),
        "additionalProperties": False,
    }
    page = {"type": "object", "properties": {"next_token": _TEXT}, "required": ["next_token"]}
    return {
        "type": "object",
        "properties": {"page": page, "results": {"type": "array", "items": result}},
        "required": ["results"],
    }


SEARCH_SCHEMAS: Final[Schema] = {
    "SubjectSearch": _asking(subject=_OPEN, action=_ACTION, resource=_ENTITY),
    "ResourceSearch": _asking(subject=_ENTITY, action=_ACTION, resource=_OPEN),
    "ActionSearch": _asking(subject=_ENTITY, resource=_ENTITY),
    "FoundEntities": _found(type=_TEXT, id=_TEXT),
    "FoundActions": _found(name=_TEXT),
}

_TEACHER: Final[Schema] = {"type": "user", "id": "teacher-danai"}
_RESULTS: Final[Schema] = {"type": "assessment_result", "id": "student-mali"}
_READ: Final[Schema] = {"name": "read"}
SEARCHES: Final[dict[str, tuple[str, str, Schema]]] = {
    "subject": (
        "SubjectSearch",
        "FoundEntities",
        {"subject": {"type": "user"}, "action": _READ, "resource": _RESULTS},
    ),
    "resource": (
        "ResourceSearch",
        "FoundEntities",
        {
            "subject": _TEACHER,
            "action": _READ,
            "resource": {"type": "assessment_result"},
            "page": {"limit": 100},
        },
    ),
    "action": ("ActionSearch", "FoundActions", {"subject": _TEACHER, "resource": _RESULTS}),
}
"""What each search is sent, what it answers, and an example."""
