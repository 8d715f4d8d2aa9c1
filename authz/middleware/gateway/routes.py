"""The table of routes: which one a method and a path are, or none.

Of routes that match the same path, one lies wholly within the other (the lint sees to it), and
the narrower one is taken: a text goes before a value, a value before all the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from authz.errors import MethodNotAllowedError, NotFoundError
from authz.middleware.declare import Declaration, Needs, Public
from authz.middleware.gateway import pattern
from authz.middleware.gateway.config import Route, Source
from authz.middleware.gateway.path import Segments
from authz.middleware.gateway.pattern import Pattern
from authz.middleware.shape import Shape

GET: Final = "GET"
HEAD: Final = "HEAD"
_BY_PATH: Final = frozenset({"path", "value"})


@dataclass(frozen=True, slots=True)
class Declared:
    """A route of the file, ready to be asked."""

    route: Route
    pattern: Pattern
    declaration: Declaration
    sources: Mapping[str, Source]
    named: tuple[tuple[str, str, str], ...] = field(init=False, compare=False, repr=False)
    """What each value is for, and the kind and the name of where it comes from."""

    by_path: bool = field(init=False, compare=False, repr=False)
    """Whether the path alone says what is asked about."""

    def __post_init__(self) -> None:
        named = tuple((name, *source.named) for name, source in self.sources.items())
        object.__setattr__(self, "named", named)
        by_path = all(kind in _BY_PATH for _, kind, _ in named)
        object.__setattr__(self, "by_path", by_path)

    @property
    def methods(self) -> frozenset[str]:
        """Its methods; ``GET`` brings ``HEAD`` with it, unless people stand in its answer alone."""
        own = frozenset(self.route.methods)
        return own | {HEAD} if GET in own and self.route.list_ is None else own


@dataclass(frozen=True, slots=True)
class Match:
    """A route, and the values that the path has for its names."""

    declared: Declared
    values: Mapping[str, str]


@dataclass(slots=True)
class _Node:
    texts: dict[str, _Node] = field(default_factory=dict)
    value: _Node | None = None
    rest: dict[str, Declared] = field(default_factory=dict)
    here: dict[str, Declared] = field(default_factory=dict)


class Table:
    """All routes of a file; asked by many threads, and never changed."""

    def __init__(self, declared: Iterable[Declared]) -> None:
        self._root = _Node()
        self.declared = tuple(declared)
        for one in self.declared:
            self._add(one)

    def find(self, method: str, segments: Segments) -> Match:
        """The route; NotFoundError or MethodNotAllowedError where there is none."""
        found = _walk(self._root, segments, 0, method)
        if found is None:
            known = (each for each in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))
            if any(_walk(self._root, segments, 0, other) for other in known):
                raise MethodNotAllowedError("This method is no route.", where="method")
            raise NotFoundError("This path is no route.", where="path")
        return Match(found, _values(found.pattern, segments))

    def _add(self, one: Declared) -> None:
        node = self._root
        for part in one.pattern.parts:
            if part.rest:
                node.rest.update(dict.fromkeys(one.methods, one))
                return
            if part.value:
                node.value = node.value or _Node()
                node = node.value
            else:
                node = node.texts.setdefault(part.text, _Node())
        node.here.update(dict.fromkeys(one.methods, one))


def _walk(node: _Node, segments: Segments, place: int, method: str) -> Declared | None:
    if place == len(segments):
        return node.here.get(method)
    segment = segments[place]
    found = None
    if (text := node.texts.get(segment)) is not None:
        found = _walk(text, segments, place + 1, method)
    if found is None and node.value is not None and segment:
        found = _walk(node.value, segments, place + 1, method)
    if found is None and segment:
        found = node.rest.get(method)
    return found


def _values(found: Pattern, segments: Segments) -> dict[str, str]:
    return {
        part.value: segment
        for part, segment in zip(found.parts, segments, strict=False)
        if part.value and not part.rest
    }


def declare(route: Route) -> Declared:
    """The route as it is asked."""
    read = pattern.read(route.path)
    if route.public:
        return Declared(route, read, Public(route.public), {})
    return Declared(route, read, _needs(route), route.sources)


def _needs(route: Route) -> Needs:
    """What the route asks; the values it names are called as what they are for."""
    there = route.sources
    named = {name: name for name in there if name not in ("person", "class", "record")}
    shape = route.shape
    identifiers = shape.identifiers
    return Needs(
        action=route.action,
        category=route.category,
        person="person",
        class_="class" if "class" in there else "",
        record="record" if "record" in there else "",
        fields=tuple(route.fields) if route.fields is not None else None,
        context=named,
        shape=Shape(
            names=dict(shape.names),
            keep=frozenset(shape.keep),
            whole=frozenset(shape.whole),
            class_of=shape.class_of,
            identifiers=None if identifiers is None else frozenset(identifiers),
        ),
        carries=frozenset(route.carries),
    )
