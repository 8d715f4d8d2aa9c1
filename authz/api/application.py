"""The Flask application: settings, store and policy put together, and the routes (4.3)."""

from __future__ import annotations

from flask import Flask

from authz import config
from authz.api import (
    audit,
    documentation,
    evaluation,
    exchange,
    explanation,
    forward_auth,
    front,
    health,
    incidents,
    metadata,
    metrics,
    problem,
    reports,
    search,
    starting,
    stream,
    trail,
)
from authz.api.context import NAME, Service
from authz.arriving import Arriving
from authz.config import Settings
from authz.service.journals import count, open_journal
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
    point = open_point(known)
    open_journal(point.store, known)
    count(known)
    app.extensions[NAME] = Service(known, point, _arriving(known))
    exchange.register(app)
    problem.register(app)
    evaluation.register(app)
    explanation.register(app)
    search.register(app)
    trail.register(app)
    stream.register(app)
    reports.register(app)
    incidents.register(app)
    metadata.register(app, known)
    audit.register(app)
    health.register(app)
    metrics.register(app)
    documentation.register(app)
    forward_auth.register(app, known.forward_auth)
    starting.register(app, known, point, front.register(app))
    return app


def _arriving(settings: Settings) -> Arriving:
    """Half the threads may read bodies, an eighth those of one application (N-51).

    So many as half may wait to read one: the bodies of who asks from everywhere at once.
    """
    half = settings.threads // 2
    return Arriving(half, settings.threads // 8, waiting=half)
