"""Who reviews an item: by rule up the school tree, never a party to it (N-46)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Assignment:
    """The reviewer of an item, empty where there is none.

    ``rerouted``: the rule led to a party of the item, and the next in line was taken.
    ``by_fallback``: the rule led to nobody else.
    """

    reviewer: str
    rerouted: bool = False
    by_fallback: bool = False


def assign(
    line: Sequence[Sequence[str]], parties: frozenset[str], fallbacks: Sequence[str]
) -> Assignment:
    """The first of the line who is no party to the item, else the first such fallback.

    ``line`` holds the candidates level by level: those of the school, of what is above it…
    """
    met = False
    for level in line:
        for candidate in level:
            if candidate not in parties:
                return Assignment(candidate, rerouted=met)
            met = True
    for candidate in fallbacks:
        if candidate not in parties:
            return Assignment(candidate, rerouted=met, by_fallback=True)
    return Assignment("", rerouted=met)


def fallback(reviewer: str, parties: frozenset[str], fallbacks: Sequence[str]) -> str:
    """Who is asked where that reviewer abstains or is silent; empty where nobody is left."""
    others = (each for each in fallbacks if each != reviewer and each not in parties)
    return next(others, "")
