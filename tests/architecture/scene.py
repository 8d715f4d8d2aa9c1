"""Where a function that writes is run: a store with people, and what it is called with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine

from authz.config import Settings
from authz.service.decide import DecisionPoint
from authz.service.point import place
from tests.world import World, policy


@dataclass
class Scene:
    """A store with people, and what a function is called with."""

    store: Engine
    folder: Path
    settings: Settings
    world: World = field(default_factory=World)
    first: str = ""
    codes: Sequence[str] = ()

    @property
    def point(self) -> DecisionPoint:
        return DecisionPoint(self.store, policy(), place(self.settings))

    def facts(self, *lines: dict[str, Any]) -> None:
        self.world.import_into(self.store, lines)
