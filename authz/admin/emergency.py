"""The banner of an emergency, on every page while it lasts (N-44)."""

from __future__ import annotations

from typing import Any

from flask import Flask
from flask_login import current_user

from authz import clock
from authz.admin import parts
from authz.admin.context import here
from authz.service import emergencies


def register(app: Flask) -> None:
    """Give the emergencies in force of whoever is signed in to every page."""
    app.context_processor(_in_force)


def _in_force() -> dict[str, Any]:
    if parts.asked() or not current_user.is_authenticated or not current_user.person:
        return {"emergencies": []}
    return {"emergencies": emergencies.in_force(here().store, current_user.person, clock.now())}
