"""Only what is allowed leaves: fields, classes and pseudonyms, on a tree of any depth (E-01).

What comes out is JSON anew, made of names that are allowed or that the route keeps as no
personal data; nothing is taken away from the tree that was given. A name is looked at wherever
it stands, unless the route declares a field as whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple
from uuid import UUID

from authz.errors import ObligationError
from authz.middleware.obligations.objects import PLAIN, Members, members
from authz.middleware.shape import Shape

LISTS: Final = (list, tuple, set, frozenset)
DEEPEST: Final = 64
_SIMPLE: Final = frozenset({str, int, float, bool, type(None)})
_TREES: Final = frozenset({dict, list})
DROPPED: Final = object()
"""What stands for a record of another class: it leaves no trace in the list that it was in."""


class _Here(NamedTuple):
    """Where in the tree we are: how deep, under a whole field, in a class that is allowed."""

    depth: int = 0
    named: bool = False
    whole: bool = False
    in_class: bool = False


@dataclass(frozen=True, slots=True)
class Orders:
    """What is to be carried out on a tree; ``renamed`` gives somebody's pseudonym."""

    shape: Shape
    fields: frozenset[str] | None = None
    classes: frozenset[str] | None = None
    renamed: Callable[[str], str] | None = None
    _known: dict[tuple[object, ...], dict[str, _Here]] = field(
        default_factory=dict, compare=False, repr=False
    )

    @property
    def any(self) -> bool:
        """Whether there is anything to carry out."""
        return self.fields is not None or self.classes is not None or self.renamed is not None

    def leaving(self, names: tuple[Any, ...], here: _Here) -> dict[str, _Here]:
        """As :func:`_leaving`; the records of a list have the same names: one look is enough."""
        key = names, here
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = _leaving(names, self, here)
        return found


def carry_out(value: object, orders: Orders) -> Any:
    """The tree with the orders carried out, as new lists and dictionaries.

    :data:`DROPPED` where it is itself a record of another class. ObligationError where there is
    something in it that the orders cannot be carried out on.
    """
    return _any(value, orders, _Here())


def _any(value: object, orders: Orders, here: _Here) -> Any:
    if here.depth > DEEPEST:
        raise ObligationError("The data are nested too deeply to be filtered.")
    if type(value) not in _TREES and isinstance(value, PLAIN):
        if not here.named and value is not None and orders.any:
            raise ObligationError("A value without a name cannot be filtered.")
        return value
    found = members(value)
    if found is not None:
        return _object(found, orders, here)
    if isinstance(value, LISTS):
        below = _Here(here.depth + 1, here.named, here.whole, here.in_class)
        made = [_any(each, orders, below) for each in value]
        return [each for each in made if each is not DROPPED]
    raise ObligationError(f"A {type(value).__name__} cannot be filtered.")


def _object(found: Members, orders: Orders, here: _Here) -> Any:
    names, value = found
    if orders.classes is not None and orders.shape.class_of in names:
        if _class(value[orders.shape.class_of]) not in orders.classes:
            return DROPPED
        here = _Here(here.depth, here.named, here.whole, in_class=True)
    leaving = orders.leaving(names, here)
    homeless = orders.classes is not None and not here.in_class
    if homeless and (here.whole or not orders.shape.keep.issuperset(leaving)):
        return DROPPED  # fields of a record that does not say which class it is of
    held = {name: value[name] for name in leaving}
    if orders.renamed is None and _SIMPLE.issuperset(map(type, held.values())):
        return held
    made = {name: _member(name, held[name], orders, below) for name, below in leaving.items()}
    return {name: one for name, one in made.items() if one is not DROPPED}


def _class(value: object) -> str | None:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) else None


def _leaving(names: tuple[Any, ...], orders: Orders, here: _Here) -> dict[str, _Here]:
    """The names that may leave, each with where we are in what it holds."""
    shape, fields = orders.shape, orders.fields
    inside = _Here(here.depth + 1, named=True, whole=here.whole, in_class=here.in_class)
    all_of_it = _Here(here.depth + 1, named=True, whole=True, in_class=here.in_class)
    found = {}
    for name in names:
        if not isinstance(name, str):
            raise ObligationError("A name that is no text cannot be filtered.")
        if here.whole or name in shape.keep:
            found[name] = inside
        elif fields is None or shape.names.get(name, name) in fields:
            found[name] = all_of_it if name in shape.whole else inside
    return found


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
