"""A line of ``policy.csv`` as a frozen value (2.5, 2.6, 3.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from authz.vocabulary import Effect


@dataclass(frozen=True, slots=True)
class Rule:
    """A permit or a refusal.

    ``actions`` and ``purposes`` are None where the line says ``any``; ``categories`` maps
    each category to the fields the line lists, an empty tuple being all of them.
    ``relations`` and ``mentions`` are what the condition asks, for reading facts and for
    telling which refusals depend on a rule or a purpose (2.6).
    """

    id: str
    effect: Effect
    role: str
    actions: frozenset[str] | None
    categories: Mapping[str, tuple[str, ...]]
    purposes: tuple[str, ...] | None
    default_purpose: str | None
    condition: str
    line: int = 0
    relations: frozenset[str] = frozenset()
    mentions: frozenset[str] = field(default_factory=frozenset)

    @property
    def permits(self) -> bool:
        """Whether the line gives, rather than takes."""
        return self.effect is Effect.ALLOW

    def covers(self, action: str, category: str) -> bool:
        """Whether the line is about this action on this category."""
        return (self.actions is None or action in self.actions) and category in self.categories
