"""The Flask application: settings, store and policy put together, and the routes (4.3)."""

from __future__ import annotations

from flask import Flask

from authz import config
from authz.api import (
    documentation,
    evaluation,
    exchange,
    explanation,
    front,
    health,
    incidents,
    metadata,
    problem,
    reports,
    search,
    trail,
)
from authz.api.context import NAME, Service
from authz.config import Settings
from authz.service.point import open_point


def create_app(settings: Settings | None = None) -> Flask:
    """The application; PolicyError or SettingError where it cannot start (3.3).

    It serves no static files, answers no OPTIONS, and redirects nobody: what is not a route
    is 404, and another method is 405.
    """
    known = settings or config.load()
    app = Flask("authz.api", static_folder=None)
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.url_map.merge_slashes = False
    app.extensions[NAME] = Service(known, open_point(known))
    exchange.register(app)
    problem.register(app)
    evaluation.register(app)
    explanation.register(app)
    search.register(app)
    trail.register(app)
    reports.register(app)
    incidents.register(app)
    metadata.register(app, known)
    health.register(app)
    documentation.register(app)
    front.register(app)
    return app
