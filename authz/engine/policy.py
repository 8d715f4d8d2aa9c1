"""A policy, compiled: the permits and refusals of a pack, ready to be matched."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from authz.decision.catalogue import Catalogue
from authz.decision.rule import Rule
from authz.engine.candidates import Asked, Candidate, UnderTest, about, candidate
from authz.engine.expression import Expression, any_of, either
from authz.engine.narrow import Test, of_relations
from authz.vocabulary import PURPOSE_RELATIONS

MOST = 4096
"""How many sets of candidates are kept; there are as many as questions of different kinds."""
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


@dataclass(frozen=True, slots=True)
class Applicable:
    """The rules about one action on one category, in the order of the policy.

    ``general`` are the refusals that can be looked at without a rule, ``timeless`` those
    of them that can be looked at without a purpose too (2.6). ``strikes`` asks at once
    whether any refusal does. ``relations`` are all that their conditions name.
    """

    permits: tuple[Compiled, ...]
    refusals: tuple[Compiled, ...]
    general: tuple[Compiled, ...]
    timeless: tuple[Compiled, ...]
    relations: frozenset[str]
    strikes: Callable[..., bool]

    def at_large(self, purpose: str | None) -> tuple[Compiled, ...]:
        """The refusals that can be looked at without a rule, for this purpose or for none."""
        return self.timeless if purpose is None else self.general


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
    def pair_place(self) -> int:
        """Where among the model's tokens the pair under test stands."""
        return self.tokens.index("r_pair")

    @cached_property
    def relations_place(self) -> int | None:
        """Where the relations stand; a pack need not ask any."""
        return self.tokens.index("r_rel") if "r_rel" in self.tokens else None

    def applicable(self, action: str, category: str) -> Applicable:
        """The rules about this action and category; the lists are closed, so each is kept."""
        known = self._applicable.get((action, category))
        if known is None:
            known = self._applicable[action, category] = self._find(action, category)
        return known

    @cached_property
    def _applicable(self) -> dict[tuple[str, str], Applicable]:
        return {}

    def candidates(
        self, action: str, category: str, purpose: str | None, roles: frozenset[str]
    ) -> tuple[Candidate, ...]:
        """The permits to look at for somebody who holds these roles (with what they inherit)."""
        key = (action, category, purpose, roles)
        known = self._candidates.get(key)
        if known is None:
            if len(self._candidates) >= MOST:  # an entity's roles may be anything
                self._candidates.clear()
            known = self._candidates[key] = tuple(self._choose(action, category, purpose, roles))
        return known

    @cached_property
    def _candidates(self) -> dict[object, tuple[Candidate, ...]]:
        return {}

    def _choose(
        self, action: str, category: str, purpose: str | None, roles: frozenset[str]
    ) -> Iterator[Candidate]:
        for compiled in self.applicable(action, category).permits:
            gate = compiled.expression.gate
            if gate is None or gate in roles:
                asked = Asked(action, category, purpose, roles)
                found = candidate(self.catalogue, compiled, asked, self._struck)
                if found is not None:
                    yield found

    def _struck(self, action: str, category: str, pair: UnderTest) -> Test | None:
        """Whether any refusal strikes such a pair, asked of the relations alone."""
        key = action, category, pair
        if key not in self._strikes:
            refusals = [c.expression for c in self.applicable(action, category).refusals]
            self._strikes[key] = of_relations(either(refusals), pair.known(action, category))
        return self._strikes[key]

    def strikes_at_large(self, action: str, category: str, purpose: str | None) -> Test | None:
        """Whether any refusal strikes that needs no rule, asked of the relations alone (2.6)."""
        key = action, category, purpose
        if key not in self._at_large:
            rules = self.applicable(action, category).at_large(purpose)
            pair = UnderTest("", *about(self.catalogue, category, purpose))
            test = of_relations(either([c.expression for c in rules]), pair.known(*key[:2]))
            self._at_large[key] = test
        return self._at_large[key]

    @cached_property
    def _at_large(self) -> dict[tuple[str, str, str | None], Test | None]:
        return {}

    @cached_property
    def _strikes(self) -> dict[tuple[str, str, UnderTest], Test | None]:
        return {}

    def _find(self, action: str, category: str) -> Applicable:
        permits = tuple(c for c in self.permits if c.rule.covers(action, category))
        refusals = tuple(c for c in self.refusals if c.rule.covers(action, category))
        general = tuple(c for c in refusals if not c.asks_rule)
        return Applicable(
            permits=permits,
            refusals=refusals,
            general=general,
            timeless=tuple(c for c in general if not c.asks_purpose),
            relations=frozenset(n for c in (*permits, *refusals) for n in c.rule.relations),
            strikes=any_of([c.expression for c in refusals], self.tokens),
        )

    @cached_property
    def without_duties(self) -> Policy:
        """The policy as a search sees it, without rules that notify or need a review (page 5)."""
        left_out = self.catalogue.obligations.notify.keys() | self.catalogue.obligations.review
        kept = tuple(c for c in self.permits if c.rule.id not in left_out)
        return replace(self, permits=kept)

    def closure(self, roles: frozenset[str]) -> frozenset[str]:
        """The roles held, with those that they inherit by the pack's hierarchy."""
        if not self.senior:
            return roles
        return roles.union(*(self.senior.get(role, frozenset()) for role in roles))
