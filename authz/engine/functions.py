"""The two functions that a matcher or a condition may call, and how they read a column."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

EXCEPT = "all but "
EVERYTHING = frozenset({"any", "all"})


@lru_cache(maxsize=4096)
def listed_names(text: str) -> frozenset[str]:
    """The names that a column of ``policy.csv`` spells out, without fields and marks."""
    parts = text.removeprefix(EXCEPT).split("|")
    return frozenset(part.split("(")[0].strip().rstrip("*") for part in parts)


def listed(value: object, text: str) -> bool:
    """Whether a column lists this value: ``any``, ``all``, ``all but a|b`` or ``a|b``."""
    if text in EVERYTHING:
        return True
    return (value in listed_names(text)) is not text.startswith(EXCEPT)


def held(roles: frozenset[str], role: str) -> bool:
    """Whether the subject holds this role; everybody holds ``any``."""
    return role == "any" or role in roles


FUNCTIONS: Mapping[str, Callable[..., bool]] = {"listed": listed, "held": held}
"""The functions that a matcher or a condition may call."""
