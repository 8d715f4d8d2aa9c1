"""Organisations and sessions that stand below themselves, which would open each to all."""

from __future__ import annotations

from collections.abc import Mapping


def circles(above: Mapping[str, str | None]) -> set[str]:
    """Those who come to themselves on the way up, by the parent of each."""
    found: set[str] = set()
    done: set[str] = set()
    for start in above:
        way: dict[str, None] = {}
        at: str | None = start
        while at is not None and at not in done and at not in way:
            way[at] = None
            at = above.get(at)
        if at in way:
            names = list(way)
            found.update(names[names.index(at) :])
        done.update(way)
    return found
