"""A right under review: a fact that gives somebody access (N-46)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from authz.review.words import Kind

ROSTER = "roster:"


@dataclass(frozen=True, slots=True)
class Right:
    """A fact that gives ``holder`` access: to ``person``, at ``organisation``, as ``role``."""

    kind: Kind
    id: str
    holder: str
    name: str
    active: bool
    person: str = ""
    organisation: str = ""
    role: str = ""
    since: datetime | None = None
    until: datetime | None = None
    granted_by: str = ""
    reason: str = ""
    origin: str = ""
    recorded_at: datetime | None = None
    born: date | None = None
    order: str = ""
    detail: dict[str, Any] = field(default_factory=dict)

    @property
    def rostered(self) -> bool:
        """Whether the fact is a roster's, which alone can end it."""
        return self.origin.startswith(ROSTER)

    @property
    def resource(self) -> str:
        """What it opens, as something to sort by."""
        return f"{self.kind}|{self.role}|{self.organisation}"


@dataclass(frozen=True, slots=True)
class Where:
    """At which organisations, all where it is None; and at which moment."""

    organisations: frozenset[str] | None
    now: datetime
