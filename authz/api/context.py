"""What every request needs, kept with the application that answers it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, cast

from flask import current_app
from sqlalchemy import Engine

from authz.arriving import Arriving
from authz.config import Settings
from authz.decision.request import Request
from authz.recent import Recent
from authz.service.decide import DecisionPoint

NAME: Final = "authz"


SENT: Final = 4096
"""How many bodies are kept as the questions that they are; some kilobytes each."""


@dataclass(frozen=True, slots=True)
class Service:
    """The settings, the store, and the decision point on both; what is sent, and was lately."""

    settings: Settings
    point: DecisionPoint
    arriving: Arriving
    sent: Recent[bytes, Request] = field(
        default_factory=lambda: Recent(SENT), compare=False, repr=False
    )

    @property
    def store(self) -> Engine:
        """The store of the decision point."""
        return self.point.store


def service() -> Service:
    """The service of the application that answers this request."""
    return cast("Service", current_app.extensions[NAME])
