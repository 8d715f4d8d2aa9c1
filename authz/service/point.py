"""Opens the decision point that the settings describe."""

from __future__ import annotations

from pathlib import Path

from authz.config import Settings
from authz.directory.facts import Place
from authz.policy.load import load
from authz.service.database import open_settings
from authz.service.decide import DecisionPoint


def open_point(settings: Settings, policy: Path | None = None) -> DecisionPoint:
    """The store and the pack, ready to be asked; PolicyError where the pack has a defect."""
    return DecisionPoint(
        store=open_settings(settings),
        policy=load(policy or settings.policy),
        place=place(settings),
    )


def place(settings: Settings) -> Place:
    """What of the settings the relations depend on."""
    return Place(settings.local, settings.age_of_majority, settings.country)
