"""What is wrong with routes that are each well formed: none of it starts."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Final

from authz.errors import RoutesError
from authz.middleware.gateway import headers, pattern
from authz.middleware.gateway.config import Config, Route
from authz.middleware.gateway.file import Text, read
from authz.middleware.gateway.query import overrides
from authz.middleware.gateway.routes import Declared, Table, declare

OWN: Final = "/.authz"
"""What the gateway answers by itself; no route may lie there."""
BODILESS: Final = frozenset({"GET", "HEAD", "DELETE", "OPTIONS"})
ASKED: Final = ("action", "category", "person")
Defect = tuple[int, str, str, str]
"""Number of the route, its member, what is wrong, and what was expected."""


def load(path: Path, *, forward: bool = False) -> tuple[Config, Table]:
    """The file as a table; RoutesError names the first defect with its line.

    ``forward`` is for ``/forward-auth``, which sees no bodies and can filter none.
    """
    config, text = read(path)
    for defect in _of_tables(config, text, forward=forward):
        raise defect
    declared = [_declared(route, number, text) for number, route in enumerate(config.routes)]
    found = [*_each(declared, forward=forward), *_pairs(declared)]
    for number, member, message, expected in found:
        place = ("route", number, member)
        raise text.problem(f"{config.routes[number].path}: {message}.", text.line(place), expected)
    return config, Table(declared)


def _of_tables(config: Config, text: Text, *, forward: bool) -> Iterator[RoutesError]:
    needed = ("forward_auth",) if forward else ("gateway", "point")
    for name in needed:
        if getattr(config, name) is None:
            yield text.problem(f"There is no table {name}.", 1, f"[{name}]")


def _declared(route: Route, number: int, text: Text) -> Declared:
    if not route.public:
        for name in ASKED:
            if not getattr(route, name) and not (name == "person" and route.list_):
                line = text.line(("route", number, "path"))
                expected = "action, category and person or list, or public with the reason why"
                raise text.problem(f"{route.path}: {name} is missing.", line, expected)
    return declare(route)


def _each(declared: list[Declared], *, forward: bool) -> Iterator[Defect]:
    for number, one in enumerate(declared):
        for member, message, expected in _one(one, forward=forward):
            yield number, member, message, expected


def _one(one: Declared, *, forward: bool) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a route by itself: its member, what, and what was expected."""
    route = one.route
    if f"{route.path}/".lower().startswith(f"{OWN}/"):
        yield "path", f"{OWN} is the gateway's own", "another path"
    if len(set(route.methods)) < len(route.methods):
        yield "methods", "a method stands there twice", "each once"
    if route.public and (asked := _asked_of_public(route)):
        yield asked, "a public route asks nothing", f"public or {asked}, not both"
    if forward and not route.public and route.shape.keep:
        yield "shape", "nothing is filtered behind /forward-auth", "no shape"
    if route.list_ is not None:
        yield from _list(one, forward=forward)
    for name, source in one.sources.items():
        kind, named = source.named
        member = "context" if name in ("ticket", "order", "case", "justification") else name
        for message, expected in _source(one, kind, named, forward=forward):
            yield member, f"{name}: {message}", expected
    if "person" in one.sources and one.sources["person"].named[0] == "value":
        yield "person", "one person for everybody", "path, query, header, json or claim"


def _list(one: Declared, *, forward: bool) -> Iterator[tuple[str, str, str]]:
    """What does not go with a list: the upstream is asked before anybody is permitted."""
    route = one.route
    if forward:
        yield "list", "/forward-auth sees no answer", "person"
    if one.methods != {"GET"}:
        yield "list", "whose rows it has is known once it was asked", 'methods = ["GET"] alone'
    if route.person is not None:
        yield "list", "a list has the people of its rows", "person or list, not both"
    if route.carries:
        yield "carries", "an upstream is not told the permits of a list", "no carries"


def _asked_of_public(route: Route) -> str:
    members = (
        "action",
        "category",
        "person",
        "list_",
        "class_",
        "record",
        "purpose",
        "fields",
        "carries",
    )
    return next((name.rstrip("_") for name in members if getattr(route, name)), "")


def _source(one: Declared, kind: str, name: str, *, forward: bool) -> Iterator[tuple[str, str]]:
    if kind == "path" and name not in one.pattern.values:
        yield f"there is no {{{name}}} in the path", "a name in braces of the path"
    if kind == "path" and one.pattern.rest and one.pattern.parts[-1].value == name:
        yield "the rest of a path is no value", "a name in braces without dots"
    if kind == "json" and (bodiless := sorted(one.methods & BODILESS)):
        yield f"{bodiless[0]} has no body", "path, query, header or claim"
    if kind == "json" and one.route.accepts != ["application/json"]:
        yield "it is read from JSON", 'accepts = ["application/json"] alone'
    if kind == "json" and forward:
        yield "/forward-auth sees no body", "path, query, header or claim"
    if kind == "query" and overrides(name):
        yield "the name changes a request's method", "another parameter"
    if kind == "header" and headers.reserved(name.lower()):
        yield "the header is the gateway's own, or a proxy's", "a header of the caller"


def _pairs(declared: list[Declared]) -> Iterator[Defect]:
    """Routes that match the same path and say different things."""
    for (_, one), (number, other) in combinations(enumerate(declared), 2):
        shared = one.methods & other.methods
        if not shared:
            continue
        if bool(one.route.public) is not bool(other.route.public):
            if pattern.overlap(one.pattern.carelessly(), other.pattern.carelessly()):
                yield number, "path", _with("a public route overlaps", one), "paths that are apart"
        elif not pattern.overlap(one.pattern, other.pattern):
            continue
        elif _same(one, other):
            yield number, "path", _with("it is the same as", one), "one route for a path"
        elif not _nested(one, other):
            yield number, "path", _with("a path could be this or", one), "one within the other"


def _with(message: str, other: Declared) -> str:
    return f"{message} {other.route.path}"


def _same(one: Declared, other: Declared) -> bool:
    first, second = one.pattern, other.pattern
    return pattern.within(first, second) and pattern.within(second, first)


def _nested(one: Declared, other: Declared) -> bool:
    first, second = one.pattern, other.pattern
    return pattern.within(first, second) or pattern.within(second, first)
