"""The shape of an explanation, for the OpenAPI document (issue 3, part 5)."""

from __future__ import annotations

from typing import Any, Final

from authz.api.schemas import EXAMPLE, SCHEMAS
from authz.vocabulary import ChangeKind, FactState, Relation

Schema = dict[str, Any]


def _object(required: Schema, optional: Schema | None = None) -> Schema:
    schema: Schema = {"type": "object", "properties": {**required, **(optional or {})}}
    return {**schema, "required": list(required)}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_TEXT: Final[Schema] = {"type": "string"}
_MAYBE: Final[Schema] = {"type": ["string", "null"]}
_TRUTH: Final[Schema] = {"type": "boolean"}
_COUNT: Final[Schema] = {"type": "integer"}
_NAMES: Final = _list(_TEXT)
_BEHIND: Final[Schema] = {"facts": _list(_ref("Fact"))}
_MORE: Final[Schema] = {"facts_left_out": _COUNT}

EXPLAIN_EXAMPLE: Final[Schema] = {**EXAMPLE, "at": "2027-05-03"}

EXPLAIN_SCHEMAS: Final[Schema] = {
    "WhatIf": _object(
        {name: SCHEMAS["Evaluation"]["properties"][name] for name in EXAMPLE if name != "context"},
        {"context": {"type": ["object", "null"]}, "at": _MAYBE},
    ),
    "Explained": _object(
        {
            "decision": _TRUTH,
            "context": _object({"explanation": _ref("Explanation")}),
        }
    ),
    "Explanation": _object(
        {
            "at": _TEXT,
            "rules": _list(_ref("ConsideredRule")),
            "refusals": _list(_ref("StrikingRefusal")),
            "changes": _list(_ref("Change")),
        },
        {"changes_left_out": _COUNT, "broken": _NAMES},
    ),
    "ConsideredRule": _object(
        {
            "rule": _TEXT,
            "text": _TEXT,
            "role": _object({"name": _TEXT, "held": _TRUTH, **_BEHIND}, _MORE),
            "purpose": _object({"taken": _MAYBE, "fits": _TRUTH, "serves": _NAMES}),
            "condition": _object(
                {
                    "text": _TEXT,
                    "holds": _TRUTH,
                    "relations": _list(_ref("AskedRelation")),
                    "values": {"type": "object"},
                }
            ),
            "holds": _TRUTH,
            "struck_by": _NAMES,
            "stands": _TRUTH,
        },
        {
            "fields": _object(
                {"allowed": _NAMES, "cut": _list(_object({"by": _TEXT, "fields": _NAMES}))}
            )
        },
    ),
    "StrikingRefusal": _object(
        {
            "rule": _TEXT,
            "text": _TEXT,
            "purpose": _MAYBE,
            "strikes": _NAMES,
            "condition": _object({"text": _TEXT, "relations": _list(_ref("AskedRelation"))}),
        }
    ),
    "AskedRelation": _object(
        {"relation": {"enum": list(Relation)}, "holds": _TRUTH, "text": _TEXT, **_BEHIND}, _MORE
    ),
    "Fact": _object(
        {"fact": _TEXT, "state": {"enum": list(FactState)}, "counts": _TRUTH, "text": _TEXT},
        {
            "id": _TEXT,
            "since": _TEXT,
            "until": _TEXT,
            "origin": _TEXT,
            "about": {"type": "object"},
        },
    ),
    "Change": _object(
        {"kind": {"enum": list(ChangeKind)}, "what": _TEXT, "decision": _TRUTH, "text": _TEXT},
        {
            "value": {},
            "because": _list(_object({"fact": _TEXT, "id": _TEXT, "event": _TEXT})),
            "purpose": _TEXT,
            "rules": _NAMES,
            "reason": _TEXT,
        },
    ),
}
