"""Casbin's four effect expressions, as what ends the search and what the answer then is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from casbin.effect import (
    AllowAndDenyEffector,
    AllowOverrideEffector,
    DenyOverrideEffector,
    PriorityEffector,
)

from authz.engine.enforcer.lines import ALLOW, DENY


@dataclass(frozen=True, slots=True)
class Effect:
    """``ends``: the effects after which no line is looked at.

    ``allows`` is the answer for what was seen: nothing, allow, deny, both.
    """

    ends: int
    allows: tuple[bool, bool, bool, bool]
    first_only: bool = False

    def deciding(self, allowed: bool, seen: int) -> int:  # noqa: FBT001 (Casbin's own order)
        """The effect of the lines that made this answer."""
        return ALLOW if allowed else DENY if seen & DENY else 0


EFFECTS: dict[type, Effect] = {
    AllowOverrideEffector: Effect(ALLOW, (False, True, False, True)),
    DenyOverrideEffector: Effect(DENY, (True, True, False, False)),
    AllowAndDenyEffector: Effect(DENY, (False, True, False, False)),
    PriorityEffector: Effect(ALLOW | DENY, (False, True, False, True), first_only=True),
}


def compiled_effect(effector: Any) -> Effect | None:
    """The effect of one of Casbin's own effectors; None for any other, which is then asked."""
    return None if vars(effector) else EFFECTS.get(type(effector))
