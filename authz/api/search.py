"""Subject, resource and action search (AuthZEN 8)."""

from __future__ import annotations

from typing import Final, cast

from flask import Flask, Response, current_app, request

from authz import clock
from authz.api import body, exchange
from authz.api.context import NAME, Service, service
from authz.decision.search import Kind, parse_search
from authz.service.page_tokens import page_key
from authz.service.search import SearchPoint
from authz.service.tokens import authenticate
from authz.vocabulary import Scope

PATHS: Final = {kind: f"/access/v1/search/{kind.value}" for kind in Kind}
_POINT: Final = f"{NAME}.search"


def register(app: Flask) -> None:
    """Add the three routes, and the point that answers them."""
    here: Service = app.extensions[NAME]
    folder = here.settings.key_folder
    app.extensions[_POINT] = SearchPoint(here.point, lambda: page_key(folder))
    for kind, path in PATHS.items():
        app.add_url_rule(
            path, f"search_{kind.value}", _search, methods=["POST"], defaults={"kind": kind}
        )


def _search(kind: Kind) -> Response:
    """One page of results; none is an answer (200), never an error (8.1)."""
    here = service()
    header = request.headers.get("Authorization")
    caller = authenticate(here.store, here.settings, header, clock.now(), Scope.PDP_SEARCH)
    sent = body.read(request, caller.client, here)
    point = cast("SearchPoint", current_app.extensions[_POINT])
    found = point.search(parse_search(kind, sent), caller, request_id=exchange.request_id())
    return exchange.answer(found.as_dict())
