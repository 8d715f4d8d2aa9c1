"""Why a question is answered as it is: each rule about it, and what of it held (3.4).

For what-if tools and administrators; a caller over HTTP never sees it (page 5).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authz.decision.rule import Rule
from authz.engine.match import Matcher


@dataclass(frozen=True, slots=True)
class Considered:
    """A rule that is about the action and category: what it asked, and what was so.

    ``role_held`` is whether the subject holds its role; ``relations`` are those that its
    condition names; ``holds`` is whether role, purpose and condition all hold.
    """

    rule: Rule
    purpose: str | None
    role_held: bool
    relations: dict[str, bool]
    holds: bool
    struck: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {
            "rule": self.rule.id,
            "role": self.rule.role,
            "role_held": self.role_held,
            "purpose": self.purpose,
            "condition": self.rule.condition,
            "relations": self.relations,
            "holds": self.holds,
            "struck_by": list(self.struck),
        }


def explain(matcher: Matcher) -> list[Considered]:
    """Every permit about this action and category, in the order of the policy."""
    pairs = {pair.rule.id: pair for pair in matcher.findings().pairs}
    situation = matcher.situation
    roles = matcher.policy.closure(situation.roles)
    found = []
    for compiled in matcher.candidates():
        rule = compiled.rule
        purpose = matcher.question.purpose or rule.default_purpose
        relations = situation.relations(purpose)
        pair = pairs.get(rule.id)
        found.append(
            Considered(
                rule=rule,
                purpose=purpose,
                role_held=rule.role == "any" or rule.role in roles,
                relations={name: bool(getattr(relations, name)) for name in sorted(rule.relations)},
                holds=pair is not None,
                struck=pair.struck if pair else (),
            )
        )
    return found
