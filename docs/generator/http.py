"""The HTTP routes, from the OpenAPI document that the service itself gives out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from authz.api.openapi import document
from authz.config import Settings
from docs.generator.markdown import table, tick

METHODS = ("get", "post", "put", "patch", "delete")
INTRO = """\
# HTTP

Callers send `Authorization: Bearer <token>`; `authz token create` makes one. Errors are
problem documents ([errors](errors.md)). The running service gives out the whole document at
`/openapi.json`, and a page to read it at `/docs`.
"""


def routes() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each route's method, path and operation."""
    plain = Settings.model_construct()  # the defaults, whatever the environment says
    for path, item in document(plain, "en")["paths"].items():
        for method in METHODS:
            if method in item:
                yield method.upper(), path, item[method]


def page() -> str:
    """The page of all routes."""
    rows = [
        (
            tick(f"{method} {path}"),
            operation.get("summary", ""),
            _scopes(operation),
            _answers(operation),
        )
        for method, path, operation in routes()
    ]
    return INTRO + "\n" + table(["route", "what it does", "scope", "answers"], rows)


def _scopes(operation: dict[str, Any]) -> str:
    found = {
        scope for need in operation.get("security", []) for held in need.values() for scope in held
    }
    return ", ".join(tick(scope) for scope in sorted(found))


def _answers(operation: dict[str, Any]) -> str:
    return ", ".join(sorted(operation["responses"]))
