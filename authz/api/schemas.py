"""The shapes of what goes in and out (AuthZEN 5 to 7, 9; RFC 9457; RFC 7517)."""

from __future__ import annotations

from typing import Any, Final

from authz.api.search_schemas import SEARCH_SCHEMAS
from authz.service.decided import Semantic

Schema = dict[str, Any]


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(required: dict[str, Schema], optional: dict[str, Schema] | None = None) -> Schema:
    """An object; other members may be there."""
    schema: Schema = {"type": "object", "properties": {**required, **(optional or {})}}
    return {**schema, "required": list(required)} if required else schema


_TEXT: Final[Schema] = {"type": "string"}
_FREE: Final[Schema] = {"type": ["object", "null"]}
_LINK: Final[Schema] = {"type": "string", "format": "uri"}
_ENTITY: Final = _object({"type": _TEXT, "id": _TEXT}, {"properties": _FREE})
_PARTS: Final[dict[str, Schema]] = {
    "subject": _ref("Entity"),
    "action": _ref("Action"),
    "resource": _ref("Entity"),
}
_DEFAULTS: Final[dict[str, Schema]] = {
    name: {"type": ["object", "null"]} for name in (*_PARTS, "context")
}
_REASON: Final = _object({"code": _TEXT, "text": _TEXT})
_OBLIGATION: Final = _object({"id": _TEXT, "value": {}})

SCHEMAS: Final[Schema] = {
    "Entity": _ENTITY,
    "Action": _object({"name": _TEXT}, {"properties": _FREE}),
    "Evaluation": _object(_PARTS, {"context": _FREE}),
    "Evaluations": _object(
        {},
        {
            **_DEFAULTS,
            "evaluations": {"type": ["array", "null"]},
            "options": {
                "type": ["object", "null"],
                "properties": {
                    "evaluations_semantic": {"enum": [*(each.value for each in Semantic), None]}
                },
            },
        },
    ),
    "Decision": _object(
        {"decision": {"type": "boolean"}},
        {
            "context": _object(
                {},
                {
                    "purpose": _TEXT,
                    "rules": {"type": "array", "items": _TEXT},
                    "obligations": {"type": "array", "items": _OBLIGATION},
                    "reason": _REASON,
                },
            )
        },
    ),
    "Answers": {
        "anyOf": [
            _object({"evaluations": {"type": "array", "items": _ref("Decision")}}),
            _ref("Decision"),
        ]
    },
    "Metadata": _object(
        {"policy_decision_point": _LINK, "access_evaluation_endpoint": _LINK},
        {
            "access_evaluations_endpoint": _LINK,
            "search_subject_endpoint": _LINK,
            "search_resource_endpoint": _LINK,
            "search_action_endpoint": _LINK,
            "obligations_carried_out": {"type": "array", "items": _TEXT},
        },
    ),
    **SEARCH_SCHEMAS,
    "KeySet": _object({"keys": {"type": "array", "items": {"type": "object"}}}),
    "Object": {"type": "object"},
    "Problem": _object(
        {
            "type": _TEXT,
            "title": _TEXT,
            "status": {"type": "integer"},
            "detail": _TEXT,
            "code": _TEXT,
        },
        {"field": _TEXT},
    ),
}

EXAMPLE: Final[Schema] = {
    "subject": {"type": "user", "id": "parent-somchai"},
    "action": {"name": "read"},
    "resource": {"type": "assessment_result", "id": "student-mali"},
    "context": {"purpose": "service"},
}
EXAMPLES: Final[Schema] = {
    "subject": {"type": "user", "id": "teacher-danai"},
    "action": {"name": "read"},
    "evaluations": [
        {"resource": {"type": "assessment_result", "id": "student-mali"}},
        {"resource": {"type": "contact", "id": "student-mali"}},
    ],
    "options": {"evaluations_semantic": "execute_all"},
}
