"""The gateway as a Flask application: what it says of itself, behind the way of a request.

Flask answers the paths below ``/.authz`` (alive, and ready); everything else is answered in
front of it (:mod:`authz.middleware.gateway.front`), since a framework costs a request several
times what its decision costs.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from flask import Flask, Response

from authz.middleware.gateway.front import Environ, StartResponse
from authz.middleware.gateway.lint import OWN, load
from authz.middleware.gateway.parts import gateway, opened
from authz.middleware.point import Point


def create(path: Path, point: Point | None = None) -> Flask:
    """The application of that file; RoutesError where it has a defect."""
    config, table = load(path)
    made = gateway(config, table, point or opened(config, path.parent), path.parent)
    app = Flask("authz.gateway", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    app.add_url_rule(f"{OWN}/healthz", "healthz", _alive, methods=["GET"])
    app.extensions["authz_gateway"] = made
    behind = app.wsgi_app

    def front(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        own = environ["PATH_INFO"] == f"{OWN}/healthz"
        return (behind if own else made)(environ, start_response)

    app.wsgi_app = front  # type: ignore[method-assign]
    return app


def _alive() -> Response:
    return Response('{"status":"alive"}', mimetype="application/json")
