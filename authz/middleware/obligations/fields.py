"""Only what is allowed leaves: fields, classes and pseudonyms, on a tree of any depth (E-01).

What comes out is JSON anew, made of names that are allowed or that the route keeps as no
personal data; nothing is taken away from the tree that was given. A name is looked at wherever
it stands, unless the route declares a field as whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from authz.errors import ObligationError
from authz.middleware.obligations.objects import PLAIN, Members, members
from authz.middleware.shape import Shape

LISTS: Final = (list, tuple, set, frozenset)
DEEPEST: Final = 64
DROPPED: Final = object()
"""What stands for a record of another class: it leaves no trace in the list that it was in."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What is to be carried out on a tree; ``renamed`` gives somebody's pseudonym."""

    shape: Shape
    fields: frozenset[str] | None = None
    classes: frozenset[str] | None = None
    renamed: Callable[[str], str] | None = None


@dataclass(frozen=True, slots=True)
class _Here:
    """Where in the tree we are: how deep, under a whole field, in a class that is allowed."""

    depth: int = 0
    named: bool = False
    whole: bool = False
    in_class: bool = False


def carry_out(value: object, orders: Orders) -> Any:
    """The tree with the orders carried out, as new lists and dictionaries.

    :data:`DROPPED` where it is itself a record of another class. ObligationError where there is
    something in it that the orders cannot be carried out on.
    """
    return _any(value, orders, _Here())


def _any(value: object, orders: Orders, here: _Here) -> Any:
    if here.depth > DEEPEST:
        raise ObligationError("The data are nested too deeply to be filtered.")
    if isinstance(value, PLAIN):
        if not here.named and value is not None and orders.fields is not None:
            raise ObligationError("A value without a name cannot be filtered.")
        return value
    below = replace(here, depth=here.depth + 1)
    if isinstance(value, LISTS):
        made = (_any(each, orders, below) for each in value)
        return [each for each in made if each is not DROPPED]
    found = members(value)
    if found is None:
        raise ObligationError(f"A {type(value).__name__} cannot be filtered.")
    return _object(found, orders, below)


def _object(found: Members, orders: Orders, here: _Here) -> Any:
    names, get = found[0], found[1]
    known = list(names)
    if orders.classes is not None:
        if orders.shape.class_of in known:
            if get(orders.shape.class_of) not in orders.classes:
                return DROPPED
            here = replace(here, in_class=True)
        if not here.in_class and any(_is_field(name, orders, here) for name in known):
            return DROPPED
    made = {}
    for name in known:
        if (below := _below(name, orders, here)) is not None:
            value = _member(name, get(name), orders, below)
            if value is not DROPPED:
                made[name] = value
    return made


def _is_field(name: object, orders: Orders, here: _Here) -> bool:
    """Whether a record of some class shows by that name."""
    return here.whole or name not in orders.shape.keep


def _below(name: object, orders: Orders, here: _Here) -> _Here | None:
    """Where we are in what that name holds; None where the name must not leave."""
    if not isinstance(name, str):
        raise ObligationError("A name that is no text cannot be filtered.")
    shape = orders.shape
    if here.whole or name in shape.keep:
        return replace(here, named=True)
    allowed = orders.fields is None or shape.names.get(name, name) in orders.fields
    return replace(here, named=True, whole=name in shape.whole) if allowed else None


def _member(name: str, value: object, orders: Orders, here: _Here) -> Any:
    if orders.renamed is not None and name in (orders.shape.identifiers or ()):
        return _renamed(value, orders.renamed)
    return _any(value, orders, here)


def _renamed(value: object, renamed: Callable[[str], str]) -> Any:
    if value is None:
        return None
    if isinstance(value, LISTS):
        return [_renamed(each, renamed) for each in _items(value)]
    if isinstance(value, bool) or not isinstance(value, str | int | UUID):
        raise ObligationError("An identifier that is no text or number cannot be replaced.")
    return renamed(str(value))


def _items(value: Any) -> Iterable[object]:
    found: Iterable[object] = value
    return found
