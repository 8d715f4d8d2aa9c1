"""Records what the application starts with; where the store is away, before the first answer."""

from __future__ import annotations

import logging
from threading import Lock

from flask import Flask, request

from authz.config import Settings
from authz.errors import AuthzError
from authz.service import standing
from authz.service.decide import DecisionPoint

_log = logging.getLogger(__name__)
HEALTH = frozenset({"healthz", "readyz"})


def register(app: Flask, settings: Settings, point: DecisionPoint) -> None:
    """Note pack and settings in the trail now, or with the first request that can."""
    try:
        standing.note(point.store, settings, point.policy)
    except AuthzError as error:
        _log.warning("what the service starts with is not recorded yet: %s", error.message)
    else:
        return
    guard, waiting = Lock(), [True]

    def again() -> None:
        if not waiting[0] or request.endpoint in HEALTH:
            return
        with guard:
            if waiting[0]:
                standing.note(point.store, settings, point.policy)
                waiting[0] = False

    app.before_request(again)
