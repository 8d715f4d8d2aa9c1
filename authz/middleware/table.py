"""The routes of an application that cannot say them itself, as a table.

``/students/{student}/results`` has a value for each name in braces; ``{rest...}``, at the end
only, takes one or more segments. What matches no row, and what has more than one reading, is
refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from authz.errors import DeclarationError, MalformedError, RefusedError
from authz.middleware.declare import Declaration
from authz.middleware.gateway import pattern, query
from authz.middleware.gateway.path import Segments, decoded, written
from authz.middleware.gateway.pattern import Pattern
from authz.middleware.marks import AUTOMATIC


@dataclass(frozen=True, slots=True)
class Route:
    """A row: its methods (``"GET"``, ``"PUT PATCH"``), its path, and what it declares."""

    methods: str
    path: str
    declaration: Declaration


@dataclass(frozen=True, slots=True)
class Found:
    """The row of a request, and the values of its path."""

    route: Route
    values: Mapping[str, str]


class Table:
    """Rows of which at most one matches any request."""

    def __init__(self, routes: Iterable[Route]) -> None:
        """DeclarationError where a row cannot be read, or two match the same request."""
        self._rows: list[tuple[Pattern, frozenset[str], Route]] = []
        for route in routes:
            self._add(_read(route), frozenset(route.methods.upper().split()), route)

    def find(self, method: str, path: str, target: str = "") -> Found:
        """The row of a request; ``target`` is its path as it was written, where that is known.

        MalformedError where the path can be read in two ways, RefusedError where no row has it.
        """
        if target:
            written(urlsplit(target).path or "/")
        segments = decoded(path or "/")
        asked = AUTOMATIC.get(method, method)
        for own, methods, route in self._rows:
            values = _match(own, segments) if asked in methods else None
            if values is not None:
                return Found(route, values)
        raise RefusedError("No declared route has this method and path.")

    def _add(self, own: Pattern, methods: frozenset[str], route: Route) -> None:
        if not methods:
            raise DeclarationError("It names no method.", where=route.path)
        for others, known, other in self._rows:
            if methods & known and pattern.overlap(own, others):
                raise DeclarationError(f"It matches what {other.path} does.", where=route.path)
        self._rows.append((own, methods, route))


def one_method(raw_query: str, headers: Iterable[str]) -> None:
    """MalformedError where a request wants to pass for one of another method."""
    if any(query.overrides(name) for name in headers):
        raise MalformedError("A request has one method.", where="header")
    if raw_query:
        query.pairs(raw_query)


def _read(route: Route) -> Pattern:
    try:
        return pattern.read(route.path)
    except ValueError as error:
        raise DeclarationError(f"It is no path: {error}.", where=route.path) from error


def _match(own: Pattern, segments: Segments) -> Mapping[str, str] | None:
    found: dict[str, str] = {}
    for place, part in enumerate(own.parts):
        if place >= len(segments) or (part.value and not segments[place]):
            return None
        if part.rest:
            found[part.value] = "/".join(segments[place:])
            return found
        if part.value:
            found[part.value] = segments[place]
        elif part.text != segments[place]:
            return None
    return found if len(own.parts) == len(segments) else None
