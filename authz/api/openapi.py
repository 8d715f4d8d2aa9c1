"""The OpenAPI 3.1 document of every route: one dictionary, also the source of ``/docs``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from authz.api import management
from authz.api.audit_schemas import AUDIT_ROUTES, AUDIT_SCHEMAS, Route
from authz.api.evaluation import EVALUATION, EVALUATIONS
from authz.api.explanation import EXPLAIN
from authz.api.explanation_schemas import EXPLAIN_EXAMPLE, EXPLAIN_SCHEMAS
from authz.api.forward_auth import FORWARD, METHODS
from authz.api.metadata import JWKS, metadata_paths
from authz.api.plain import DECISION_ID, LANGUAGES, LONGEST_ID, REQUEST_ID, REVISION
from authz.api.problem import PROBLEM
from authz.api.schemas import EXAMPLE, EXAMPLES, SCHEMAS
from authz.api.search import PATHS
from authz.api.search_schemas import SEARCHES
from authz.api.texts import ABOUT, ROUTES, STATUSES
from authz.config import Settings, load
from authz.vocabulary import Scope

VERSION: Final = "1.0"
_JSON: Final = "application/json"
_ASKING: Final = ("400", "401", "403", "413", "429", "500", "503")

_COMMON: Final = (
    {"$ref": "#/components/parameters/RequestId"},
    {"$ref": "#/components/parameters/Language"},
)

Document = dict[str, Any]


def document(settings: Settings | None = None, language: str = LANGUAGES[0]) -> Document:
    """Everything there is; of a running service with its address and its own metadata path."""
    known = settings or load()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "authz",
            "version": VERSION,
            "summary": "OpenID AuthZEN 1.0",
            "description": ABOUT[language],
        },
        "servers": [{"url": known.public_url}],
        "security": [],
        "paths": _paths(known, language),
        "components": {
            "schemas": {**SCHEMAS, **EXPLAIN_SCHEMAS, **AUDIT_SCHEMAS},
            "parameters": {
                "RequestId": _parameter(REQUEST_ID, {"type": "string", "maxLength": LONGEST_ID}),
                "Language": _parameter("Accept-Language", {"type": "string"}),
            },
            "headers": {
                "RequestId": {"schema": {"type": "string"}},
                "DecisionId": {"schema": {"type": "string"}},
                "Revision": {"schema": {"type": "string"}},
            },
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}
            },
        },
    }


def _paths(settings: Settings, language: str) -> Document:
    asked = [
        (EVALUATION, "evaluation", "Evaluation", "Decision", EXAMPLE),
        (EVALUATIONS, "evaluations", "Evaluations", "Answers", EXAMPLES),
    ]
    found: Document = {
        path: {"post": _asking(name, sent, answered, example, language)}
        for path, name, sent, answered, example in asked
    }
    found[EXPLAIN] = {"post": _explaining(language)}
    for kind, path in PATHS.items():
        sent, answered, example = SEARCHES[kind.value]
        name = f"search_{kind.value}"
        found[path] = {"post": _asking(name, sent, answered, example, language, Scope.PDP_SEARCH)}
    for managed in management.ROUTES:
        found.setdefault(managed.path, {})[managed.method] = _managing(managed, language)
    for number, path in enumerate(metadata_paths(settings)):
        found[path] = {"get": _getting("metadata", number, ("200", "500"), language)}
    found[JWKS] = {"get": _getting("jwks", 0, ("200", "500", "503"), language)}
    for path, route in AUDIT_ROUTES.items():
        found[path] = {"get": _reading(route, language)}
    found["/healthz"] = {"get": _getting("healthz", 0, ("200",), language)}
    found["/readyz"] = {"get": _getting("readyz", 0, ("200", "503"), language)}
    found["/openapi.json"] = {"get": _getting("openapi", 0, ("200",), language)}
    found["/docs"] = {"get": _getting("docs", 0, ("200",), language)}
    found.update(_forward(language))
    page = found["/docs"]["get"]
    page["responses"]["200"]["content"] = {"text/html": {"schema": {"type": "string"}}}
    page["parameters"] = [
        {"name": "lang", "in": "query", "schema": {"enum": list(LANGUAGES)}},
        *page["parameters"],
    ]
    return found


def _forward(language: str) -> Document:
    """What proxies ask; behind the prefix with the method of the first request."""
    statuses = ("200", "401", "403", "404", "500", "503")
    path = {"name": "path", "in": "path", "required": True, "schema": {"type": "string"}}
    methods = [method.lower() for method in METHODS if method != "HEAD"]
    found: Document = {FORWARD: {"get": _getting("forward_auth", 0, statuses, language)}}
    for place, name, own in (
        ("/", "forward_auth_root", []),
        ("/{path}", "forward_auth_path", [path]),
    ):
        item = found[FORWARD + place] = {}
        for number, method in enumerate(methods):
            operation = _getting(name, number, statuses, language)
            item[method] = {**operation, "parameters": [*own, *operation["parameters"]]}
    for item in found.values():
        for operation in item.values():
            operation["security"] = [{"token": []}, {}]
            del operation["responses"]["200"]["content"]
    return found


def _asking(
    name: str,
    sent: str,
    answered: str,
    example: Document,
    language: str,
    scope: Scope = Scope.PDP,
) -> Document:
    operation = _operation(name, 0, language)
    responses = _responses(("200", *_ASKING), answered, language)
    if scope is Scope.PDP:
        responses["200"]["headers"][DECISION_ID] = {"$ref": "#/components/headers/DecisionId"}
        responses["200"]["headers"][REVISION] = {"$ref": "#/components/headers/Revision"}
    return {
        **operation,
        "security": [{"token": [scope.value]}],
        "requestBody": {
            "required": True,
            "content": {
                _JSON: {"schema": {"$ref": f"#/components/schemas/{sent}"}, "example": example}
            },
        },
        "responses": responses,
    }


def _explaining(language: str) -> Document:
    """As a question, with a scope of its own; there is no decision that an id could name."""
    found = _asking("explain", "WhatIf", "Explained", EXPLAIN_EXAMPLE, language)
    del found["responses"]["200"]["headers"][DECISION_ID]
    del found["responses"]["200"]["headers"][REVISION]
    return {**found, "security": [{"token": [Scope.PDP_EXPLAIN.value]}]}


def _managing(route: management.Route, language: str) -> Document:
    """A route of the trail, the reports or the incidents."""
    good = "201" if "201" in route.also else "200"
    statuses = {good, "400", "401", "403", "500", "503", *route.also}
    if sent := management.sent(route):
        statuses |= {"413", "429"}
    responses = _responses(sorted(statuses), "Object", language)
    schema = {"$ref": "#/components/schemas/Object"}
    responses[good]["content"] = {
        kind: {"schema": schema if kind == _JSON else {"type": "string"}}
        for kind in management.media(route)
    }
    operation: Document = {
        "operationId": route.name,
        "summary": route.summary[language],
        "description": route.description[language],
        "parameters": [*_COMMON, *management.parameters(route)],
        "security": [{"token": [route.scope.value]}],
        "responses": responses,
    }
    if sent:
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": sent}}}
    return operation


def _getting(name: str, number: int, statuses: Iterable[str], language: str) -> Document:
    schema = {"metadata": "Metadata", "jwks": "KeySet"}.get(name, "Object")
    return {
        **_operation(name, number, language),
        "security": [],
        "responses": _responses(statuses, schema, language),
    }


def _reading(route: Route, language: str) -> Document:
    """A route of the trail: with a query, with or without a scope, JSON or plain text."""
    operation = _operation(route.name, 0, language)
    responses = _responses(route.statuses, route.schema or "", language)
    if route.schema is None:
        responses["200"]["content"] = {"text/plain": {"schema": {"type": "string"}}}
    query = [
        {"name": name, "in": "query", "required": required, "schema": schema}
        for name, (required, schema) in route.query.items()
    ]
    return {
        **operation,
        "parameters": [*query, *operation["parameters"]],
        "security": [{"token": [route.scope.value]}] if route.scope else [],
        "responses": responses,
    }


def _operation(name: str, number: int, language: str) -> Document:
    summary, description = ROUTES[name]
    return {
        "operationId": f"{name}{number or ''}",
        "summary": summary[language],
        "description": description[language],
        "parameters": list(_COMMON),
    }


def _responses(statuses: Iterable[str], schema: str, language: str) -> Document:
    return {status: _response(status, schema, language) for status in statuses}


def _response(status: str, schema: str, language: str) -> Document:
    good = status in {"200", "201"}
    kind, name = (_JSON, schema) if good else (PROBLEM, "Problem")
    headers: Document = {REQUEST_ID: {"$ref": "#/components/headers/RequestId"}}
    if status in {"401", "403"}:
        headers["WWW-Authenticate"] = {"schema": {"type": "string"}}
    return {
        "description": STATUSES[status][language],
        "headers": headers,
        "content": {kind: {"schema": {"$ref": f"#/components/schemas/{name}"}}},
    }


def _parameter(name: str, schema: Document) -> Document:
    return {"name": name, "in": "header", "required": False, "schema": schema}
