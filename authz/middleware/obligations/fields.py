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

    @property
    def any(self) -> bool:
        """Whether there is anything to carry out."""
        return self.fields is not None or self.classes is not None or self.renamed is not None


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
        if not here.named and value is not None and orders.any:
            raise ObligationError("A value without a name cannot be filtered.")
        return value
    below = replace(here, depth=here.depth + 1)
    found = members(value)
    if found is not None:
        return _object(found, orders, below)
    if isinstance(value, LISTS):
        made = (_any(each, orders, below) for each in value)
        return [each for each in made if each is not DROPPED]
    raise ObligationError(f"A {type(value).__name__} cannot be filtered.")


def _object(found: Members, orders: Orders, here: _Here) -> Any:
    names, get = list(found[0]), found[1]
    if orders.classes is not None and orders.shape.class_of in names:
        if _class(get(orders.shape.class_of)) not in orders.classes:
            return DROPPED
        here = replace(here, in_class=True)
    leaving = {name: below for name in names if (below := _below(name, orders, here)) is not None}
    homeless = orders.classes is not None and not here.in_class
    if homeless and (here.whole or not orders.shape.keep.issuperset(leaving)):
        return DROPPED  # fields of a record that does not say which class it is of
    made = {name: _member(name, get(name), orders, below) for name, below in leaving.items()}
    return {name: value for name, value in made.items() if value is not DROPPED}


def _class(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


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
