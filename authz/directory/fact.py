"""One row on file, as an explanation tells it: what it is, since when, and whether it counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from authz.directory.evidence import Row
from authz.directory.facts import Span
from authz.directory.relations import Situation
from authz.vocabulary import FactState

Obstacle = tuple[bool, FactState]


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact behind a relation or a role; ``counts`` is whether that stands on it now.

    ``about`` holds what names and describes it besides: a kind, a class, an organisation.
    """

    kind: str
    id: str
    state: FactState
    counts: bool
    span: Span = field(default_factory=Span)
    origin: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def since(self) -> datetime | None:
        """When it begins."""
        return self.span.since

    @property
    def until(self) -> datetime | None:
        """When it ends."""
        return self.span.until


def state_of(situation: Situation, dates: Span, obstacles: tuple[Obstacle, ...]) -> FactState:
    """Why a fact with these dates counts, or the first reason why it does not."""
    now = situation.now
    if dates.until is not None and dates.until <= now:
        return FactState.ENDED
    if dates.since is not None and now < dates.since:
        return FactState.NOT_YET
    return next((state for stops, state in obstacles if stops), FactState.IN_FORCE)


def fact(
    situation: Situation, kind: str, row: Row, dates: Span, /, *obstacles: Obstacle, **about: Any
) -> Fact:
    """The fact of a row; it counts where it is in force and nothing stands against it."""
    state = state_of(situation, dates, obstacles)
    return Fact(
        kind=kind,
        id=str(row.get("id") or row.get("person") or ""),
        state=state,
        counts=state is FactState.IN_FORCE,
        span=dates,
        origin=row.get("origin", ""),
        about={name: value for name, value in about.items() if value not in (None, "", [])},
    )
