"""Records what the application starts with; where the store is away, before the first answer."""

from __future__ import annotations

import logging
from threading import Lock

from flask import Flask, request

from authz.api.front import Front
from authz.config import Settings
from authz.errors import AuthzError
from authz.service import standing
from authz.service.decide import DecisionPoint

_log = logging.getLogger(__name__)
HEALTH = frozenset({"healthz", "readyz"})


def register(app: Flask, settings: Settings, point: DecisionPoint, short: Front) -> None:
    """Note pack and settings in the trail now, or with the first request that can.

    Until then the short way is closed: what is looked at before a request, Flask looks at.
    """
    try:
        standing.note(point.store, settings, point.policy)
    except AuthzError as error:
        _log.warning("what the service starts with is not recorded yet: %s", error.message)
    else:
        return
    guard, short.closed = Lock(), True

    def again() -> None:
        if not short.closed or request.endpoint in HEALTH:
            return
        with guard:
            if short.closed:
                standing.note(point.store, settings, point.policy)
                short.closed = False

    app.before_request(again)
