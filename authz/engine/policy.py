"""A policy, compiled: the permits and refusals of a pack, ready to be matched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from authz.decision.catalogue import Catalogue
from authz.decision.rule import Rule
from authz.engine.expression import Expression
from authz.vocabulary import PURPOSE_RELATIONS

RULE_NAMES = frozenset({"r.pair.rule", "r.pair.no_fields"})
PURPOSE_NAMES = frozenset({"r.pair.purpose", "r.pair.basis", "r.pair.needed"}) | {
    f"r.rel.{relation}" for relation in PURPOSE_RELATIONS
}


@dataclass(frozen=True, slots=True)
class Compiled:
    """A rule and its condition within the model's matcher."""

    rule: Rule
    expression: Expression

    @property
    def asks_rule(self) -> bool:
        """Whether a refusal can only be looked at for some rule (2.6)."""
        return bool(self.rule.mentions & RULE_NAMES)

    @property
    def asks_purpose(self) -> bool:
        """Whether a refusal can only be looked at for some purpose."""
        return bool(self.rule.mentions & PURPOSE_NAMES)


@dataclass(frozen=True)
class Policy:
    """What a decision needs of a pack. ``digest`` names it in every record (3.3)."""

    catalogue: Catalogue
    permits: tuple[Compiled, ...]
    refusals: tuple[Compiled, ...]
    tokens: tuple[str, ...]
    senior: Mapping[str, frozenset[str]]
    digest: str

    @cached_property
    def refusal_ids(self) -> tuple[str, ...]:
        """The refusals, in the order of the table."""
        return tuple(compiled.rule.id for compiled in self.refusals)

    @cached_property
    def without_duties(self) -> Policy:
        """The policy as a search sees it, without rules that notify or need a review (page 5)."""
        left_out = self.catalogue.obligations.notify.keys() | self.catalogue.obligations.review
        kept = tuple(c for c in self.permits if c.rule.id not in left_out)
        return replace(self, permits=kept)

    def closure(self, roles: frozenset[str]) -> frozenset[str]:
        """The roles held, with those that they inherit by the pack's hierarchy."""
        return roles.union(*(self.senior.get(role, frozenset()) for role in roles))
