"""What a file of routes may say, from the classes that read it."""

from __future__ import annotations

from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from authz.middleware.gateway.config import (
    Config,
    GatewayTable,
    ListTable,
    Route,
    ShapeTable,
    Source,
    members,
)
from authz.middleware.gateway.parties import ForwardTable, IdentityTable, PointTable
from docs.generator.markdown import plain, table, tick

INTRO = """\
# A file of routes

TOML, read by `authz gateway --config` and by `/forward-auth` of the service
(`AUTHZ_FORWARD_AUTH`). Files that it names are looked for beside it. A file with a defect does
not start, and the defect is named with its line; `authz gateway --config FILE --check` only looks.

What is not a route is refused. Two routes may match the same path only where one lies wholly
within the other; then the narrower one is taken. A public route may overlap no other route of the
same method, in any case of letters.
"""
TABLES: tuple[tuple[str, type[BaseModel]], ...] = (
    ("[gateway]", GatewayTable),
    ("[identity]", IdentityTable),
    ("[point]", PointTable),
    ("[forward_auth]", ForwardTable),
    ("[[route]]", Route),
    ("Where a value comes from", Source),
    ("The shape of an answer", ShapeTable),
    ("A list of several people", ListTable),
)
KINDS = {Source: "a source", ShapeTable: "a shape", ListTable: "a list"}


def page() -> str:
    """The page of all tables."""
    parts = [INTRO, _described("The tables", Config, "What a file is made of.")]
    parts += [_described(title, model, plain(model.__doc__)) for title, model in TABLES]
    return "\n".join(parts)


def _described(title: str, model: type[BaseModel], about: str) -> str:
    rows = [
        (tick(name), _kind(info.annotation), _default(info), info.description or "")
        for name, info in members(model)
    ]
    head = ["member", "type", "default", "what it says"]
    return f"## {title}\n\n{about}\n\n" + table(head, rows)


def _kind(annotation: Any) -> str:
    if annotation in KINDS:
        return KINDS[annotation]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "a table"
    inner = [_kind(each) for each in get_args(annotation) if each is not type(None)]
    origin = get_origin(annotation)
    if origin is list:
        return f"a list of {inner[0]}"
    if origin is dict:
        return f"a table of {inner[1]}"
    if inner:
        return " or ".join(inner)
    return getattr(annotation, "__name__", None) or tick(annotation)


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    found = info.get_default(call_default_factory=True)
    return "" if found in (None, "", [], {}) or isinstance(found, BaseModel) else tick(found)
