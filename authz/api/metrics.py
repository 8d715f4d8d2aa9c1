"""``GET /metrics``: what Prometheus reads (4.3).

It holds no personal data, but tells how much a school uses the service, and which rules
refuse: it needs the token of ``AUTHZ_METRICS_TOKEN``, or one of scope ``audit:read``. That it
is asked for is not recorded: it reads nothing of the trail but sizes.
"""

from __future__ import annotations

import hmac
from typing import Final

from flask import Flask, Response, request

from authz.api import asked, exchange, plain
from authz.api.context import service
from authz.exposition import TEXT
from authz.service import gauges
from authz.vocabulary import Scope

METRICS: Final = "/metrics"


def register(app: Flask) -> None:
    """Add the route."""
    app.add_url_rule(METRICS, "metrics", _metrics, methods=["GET"])


def _metrics() -> Response:
    here = service()
    if not _known(request.headers.get("Authorization", "")):
        asked.caller(Scope.AUDIT_READ)
    body = gauges.text(here.store, here.settings).encode()
    return exchange.respond(plain.Answer(200, body, {"Content-Type": TEXT}))


def _known(header: str) -> bool:
    token = service().settings.metrics_token
    if token is None:
        return False
    expected = f"Bearer {token.get_secret_value()}"
    return hmac.compare_digest(header.encode("utf-8", "surrogatepass"), expected.encode())
