"""A body of JSON of which only what may leave is read at all (E-01).

Where no more than names is limited, the names that may leave are a type, and what msgspec reads
of that type is filtered: a tenth of the work of walking the tree (:mod:`.fields`), which stays
the rule. What is not of the type, as a list in a list, is left to it; a test holds both to the
same.
"""

from __future__ import annotations

import secrets
import sys
from types import GenericAlias, ModuleType
from typing import Any, Final, ForwardRef, Union

from msgspec import UNSET, UnsetType, ValidationError, defstruct, field
from msgspec.json import Decoder, encode

from authz.middleware.shape import Shape

KEPT: Final = 256
"""Sets of fields for which a shape's reader is kept."""
_NO_TYPE: Final = (ValueError, TypeError)
"""What msgspec says of names that it writes with an escape, and of none at all."""


def filtered(body: bytes, shape: Shape, fields: frozenset[str]) -> bytes | None:
    """The body with only these fields and what the shape keeps, its members by their names.

    None where that cannot be said without walking the tree. ValueError where it is no JSON.
    """
    reader = shape.readers.get(fields)
    if reader is None:
        if len(shape.readers) >= KEPT:
            return None
        reader = shape.readers[fields] = Reader(shape, fields)
    return reader.filtered(body)


class Reader:
    """Reads what may leave of a body of this shape."""

    def __init__(self, shape: Shape, fields: frozenset[str]) -> None:
        renamed = (name for name, known in shape.names.items() if known in fields)
        names = {*shape.keep, *renamed, *(fields - shape.names.keys())}
        try:
            self._decoder: Decoder[Any] | None = _decoder(sorted(names), shape.whole - shape.keep)
        except _NO_TYPE:
            self._decoder = None

    def filtered(self, body: bytes) -> bytes | None:
        """As :func:`filtered`."""
        if self._decoder is None:
            return None
        try:
            return encode(self._decoder.decode(body))
        except ValidationError:
            return None


def _decoder(names: list[str], whole: frozenset[str]) -> Decoder[Any]:
    """What reads an object with at most these members, or a list of such objects.

    The type is found by its name in a module, as it holds itself: one that is made for it, and
    that is needed no more when the decoder is there.
    """
    place = ModuleType(f"authz_reading_{secrets.token_hex(8)}")
    here = _one_of(bool, int, float, str, ForwardRef("Node"), None)
    below, everything = _one_of(here, _list(here), UnsetType), _one_of(Any, UnsetType)
    members = [
        (f"f{at}", everything if name in whole else below, field(default=UNSET, name=name))
        for at, name in enumerate(names)
    ]
    sys.modules[place.__name__] = place
    try:
        node: Any = defstruct("Node", members, module=place.__name__, gc=False)
        vars(place).update(Node=node, Union=Union)
        return Decoder(_one_of(node, _list(_one_of(node, None))))
    finally:
        del sys.modules[place.__name__]


def _one_of(*kinds: Any) -> Any:
    return Union[kinds]  # noqa: UP007 (as many as there are)


def _list(kind: Any) -> Any:
    return GenericAlias(list, (kind,))
