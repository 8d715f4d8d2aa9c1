"""What every request needs, kept with the application that answers it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, cast

from flask import current_app
from sqlalchemy import Engine

from authz.config import Settings
from authz.service.decide import DecisionPoint

NAME: Final = "authz"


@dataclass(frozen=True, slots=True)
class Service:
    """The settings, the store, and the decision point on both."""

    settings: Settings
    point: DecisionPoint

    @property
    def store(self) -> Engine:
        """The store of the decision point."""
        return self.point.store


def service() -> Service:
    """The service of the application that answers this request."""
    return cast("Service", current_app.extensions[NAME])
