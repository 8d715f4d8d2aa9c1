"""Patterns of paths: what one matches, and where two of them match the same path.

``/students/{student}/results`` has a value for each name in braces; ``{rest...}``, at the end
only, stands for one or more segments.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from authz.middleware.gateway.path import LONGEST, is_segment

_VALUE: Final = re.compile(r"\{([a-z][a-z0-9_]*)(\.\.\.)?\}")
Compare = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Part:
    """A segment: a text, or a value by its name, which may take all the rest."""

    text: str = ""
    value: str = ""
    rest: bool = False


@dataclass(frozen=True, slots=True)
class Pattern:
    """The parts of a path; the last is an empty text where it ends in a slash."""

    parts: tuple[Part, ...]

    @property
    def values(self) -> tuple[str, ...]:
        """The names of its values."""
        return tuple(part.value for part in self.parts if part.value)

    @property
    def rest(self) -> bool:
        """Whether its last value takes all that comes."""
        return bool(self.parts) and self.parts[-1].rest

    def carelessly(self) -> Pattern:
        """As a careless reader has it: in no case, and without a slash at the end."""
        parts = self.parts[:-1] if self.parts and self.parts[-1] == Part() else self.parts
        return Pattern(tuple(Part(p.text.casefold(), p.value, p.rest) for p in parts))


def read(text: str) -> Pattern:
    """The pattern of that spelling; ValueError says what is wrong with it."""
    if not text.startswith("/") or len(text) > LONGEST:
        raise ValueError("a path begins with a slash")
    if text == "/":
        return Pattern(())
    found = text[1:].split("/")
    parts = tuple(_part(each, last=place == len(found) - 1) for place, each in enumerate(found))
    names = Pattern(parts).values
    if len(set(names)) < len(names):
        raise ValueError("a name in braces stands there twice")
    return Pattern(parts)


def overlap(one: Pattern, other: Pattern) -> bool:
    """Whether there is a path that both match."""
    return _meet(one.parts, other.parts)


def within(one: Pattern, other: Pattern) -> bool:
    """Whether ``other`` matches every path that ``one`` does."""
    for place, part in enumerate(other.parts):
        if part.rest:
            return len(one.parts) > place
        if place >= len(one.parts) or one.parts[place].rest:
            return False
        if not _covers(part, one.parts[place]):
            return False
    return len(one.parts) == len(other.parts)


def _covers(wide: Part, narrow: Part) -> bool:
    if wide.value:
        return bool(narrow.value or narrow.text)
    return not narrow.value and wide.text == narrow.text


def _meet(one: tuple[Part, ...], other: tuple[Part, ...]) -> bool:
    for first, second in zip(one, other, strict=False):
        if first.rest or second.rest:
            return True
        if not (_covers(first, second) or _covers(second, first)):
            return False
    return len(one) == len(other)


def _part(text: str, *, last: bool) -> Part:
    value = _VALUE.fullmatch(text)
    if value and value[2] and not last:
        raise ValueError("{name...} stands at the end only")
    if value:
        return Part(value=value[1], rest=bool(value[2]))
    if not text and last:
        return Part()
    if "{" in text or "}" in text:
        raise ValueError("{name} is a whole segment, of small letters, digits and underscores")
    if not is_segment(text):
        raise ValueError(f"{text!r} can be read in more than one way, and would be refused")
    return Part(text)
