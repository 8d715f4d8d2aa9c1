"""What every screen needs, kept with the application that shows it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, cast

from flask import current_app
from sqlalchemy import Engine

from authz.config import Settings
from authz.policy.load import load
from authz.service.decide import DecisionPoint

NAME: Final = "authz"


@dataclass(frozen=True, slots=True)
class Console:
    """The settings, the decision point that applications ask, and the one for the screens.

    Both stand on the same store; they differ in their policy.
    """

    settings: Settings
    point: DecisionPoint
    own: DecisionPoint

    @classmethod
    def open(cls, settings: Settings, point: DecisionPoint) -> Console:
        """The console beside that decision point; PolicyError where its pack has a defect."""
        return cls(settings, point, replace(point, policy=load(settings.console_policy)))

    @property
    def store(self) -> Engine:
        """The store of both decision points."""
        return self.point.store


def here() -> Console:
    """The console of the application that answers this request."""
    return cast("Console", current_app.extensions[NAME])
