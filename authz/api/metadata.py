"""What a caller must know to begin: PDP metadata (AuthZEN 9) and the public keys (RFC 7517).

The identifier is the setting ``public_url``, never the Host of a request. Where it has a
path, the document stands at the well-known path with that path after it (9.2), and at the
bare one for callers behind a proxy that takes the path away.
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, Response

from authz import clock
from authz.api import exchange
from authz.api.context import service
from authz.api.evaluation import EVALUATION, EVALUATIONS
from authz.api.search import PATHS
from authz.config import Settings
from authz.service.tokens import jwks
from authz.vocabulary import ObligationId

METADATA: Final = "/.well-known/authzen-configuration"
JWKS: Final = "/.well-known/jwks.json"
CARRIED_OUT: Final = "obligations_carried_out"
"""A member of our own: the obligations that the service sees to itself (page 5), so that a
caller need not; readers that do not know it pass over it (9.1.1)."""
_CACHED: Final = "public, max-age=300"


def register(app: Flask, settings: Settings) -> None:
    """Add the routes; the metadata's follows from the setting."""
    for number, path in enumerate(metadata_paths(settings)):
        app.add_url_rule(path, f"metadata{number or ''}", _metadata, methods=["GET"])
    app.add_url_rule(JWKS, "jwks", _jwks, methods=["GET"])


def metadata_paths(settings: Settings) -> list[str]:
    """Where the metadata stands: bare, and with the identifier's path where it has one."""
    path = urlsplit(settings.public_url).path.rstrip("/")
    return [METADATA, *([METADATA + path] if path else [])]


def document(settings: Settings) -> dict[str, Any]:
    """The metadata: every endpoint that there is, and nothing without a value (9.1)."""
    return {
        "policy_decision_point": settings.public_url,
        "access_evaluation_endpoint": settings.public_url + EVALUATION,
        "access_evaluations_endpoint": settings.public_url + EVALUATIONS,
        **{
            f"search_{kind.value}_endpoint": settings.public_url + path
            for kind, path in PATHS.items()
        },
        CARRIED_OUT: [ObligationId.NOTIFY.value, ObligationId.REVIEW.value],
    }


def _metadata() -> Response:
    return _cached(document(service().settings))


def _jwks() -> Response:
    here = service()
    return _cached(jwks(here.store, here.settings, clock.now()))


def _cached(body: dict[str, Any]) -> Response:
    response = exchange.answer(body)
    response.headers["Cache-Control"] = _CACHED
    return response
