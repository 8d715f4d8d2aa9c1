"""The gateway as a Flask application: what it says of itself, behind the way of a request.

Flask answers two paths below ``/.authz``: that it is alive and, where the file of routes names a
token for it, what was counted. Everything else is answered in front of it
(:mod:`authz.middleware.gateway.front`), since a framework costs a request several times what its
decision costs.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from flask import Flask, Response, request

from authz.errors import UnauthenticatedError
from authz.exposition import TEXT, counted
from authz.measures import GATEWAY
from authz.middleware.gateway.front import Environ, StartResponse
from authz.middleware.gateway.lint import OWN, load
from authz.middleware.gateway.onward import secret
from authz.middleware.gateway.parts import gateway, opened
from authz.middleware.point import Point
from authz.middleware.telling import NO_STORE, told

ALIVE: Final = f"{OWN}/healthz"
METRICS: Final = f"{OWN}/metrics"


def create(path: Path, point: Point | None = None) -> Flask:
    """The application of that file; RoutesError where it has a defect."""
    config, table = load(path)
    made = gateway(config, table, point or opened(config, path.parent), path.parent)
    app = Flask("authz.gateway", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    app.add_url_rule(ALIVE, "healthz", _alive, methods=["GET"])
    own = {ALIVE}
    if config.gateway is not None and config.gateway.metrics_token is not None:
        metrics = _metrics(secret(path.parent / config.gateway.metrics_token))
        app.add_url_rule(METRICS, "metrics", metrics, methods=["GET"])
        own.add(METRICS)
    app.extensions["authz_gateway"] = made
    behind = app.wsgi_app

    def front(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        mine = environ["PATH_INFO"] in own
        return (behind if mine else made)(environ, start_response)

    app.wsgi_app = front  # type: ignore[method-assign]
    return app


def _alive() -> Response:
    return Response('{"status":"alive"}', mimetype="application/json")


def _metrics(token: bytes) -> Callable[[], Response]:
    """The view of what was counted, for whoever has the token."""
    expected = b"Bearer " + token

    def view() -> Response:
        header = request.headers.get("Authorization", "").encode("utf-8", "surrogatepass")
        if not hmac.compare_digest(header, expected):
            reply = told(UnauthenticatedError("This is for the operator's token."))
            return Response(reply.body, reply.status, reply.headers)
        lines = counted([GATEWAY])
        return Response("\n".join(lines) + "\n", 200, NO_STORE, content_type=TEXT)

    return view
