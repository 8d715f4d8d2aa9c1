"""The spelling of a pack: names, lists of names, and categories with fields."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from authz.engine.expression import EVERYTHING, EXCEPT

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:/-]*")
RULE_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
CUT = re.compile(r"(?P<name>[^()]*)\((?P<fields>[^()]*)\)")
Fields = dict[str, tuple[str, ...]]


class WordError(ValueError):
    """A word that is not known where it stands; ``expected`` says which ones are."""

    def __init__(self, message: str, expected: str) -> None:
        super().__init__(message)
        self.message = message
        self.expected = expected


def is_name(text: str) -> bool:
    """Whether this can name something without being taken for a list, a mark or all."""
    return bool(NAME.fullmatch(text)) and text not in EVERYTHING


def either(names: Iterable[str]) -> str:
    """The names as a message lists them."""
    return "one of " + ", ".join(names)


def one_of(what: str, name: object, known: Iterable[str]) -> str:
    """The name, where it is known."""
    names = tuple(known)
    if not isinstance(name, str) or name not in names:
        raise WordError(f"The {what} {name!r} is unknown.", either(names))
    return name


def each_once(what: str, names: Iterable[str]) -> tuple[str, ...]:
    """The names, where none is listed twice."""
    found = tuple(names)
    for name in found:
        if found.count(name) > 1:
            raise WordError(f"The {what} {name!r} is listed twice.", "each name once")
    return found


def all_but(text: str, known: Mapping[str, tuple[str, ...]]) -> Fields | None:
    """The categories of ``all`` or ``all but a|b``; None where the text says neither."""
    if text in EVERYTHING:
        return dict.fromkeys(known, ())
    if not text.startswith(EXCEPT):
        return None
    left_out = each_once("category", text.removeprefix(EXCEPT).split("|"))
    for name in left_out:
        one_of("category", name, known)
    return {name: () for name in known if name not in left_out}


def with_fields(parts: Iterable[str], known: Mapping[str, tuple[str, ...]]) -> Fields:
    """The categories of ``contact(email phone)``, each with its fields; none are all."""
    found: Fields = {}
    for part in parts:
        cut = CUT.fullmatch(part)
        name = one_of("category", cut["name"] if cut else part.partition("(")[0], known)
        if cut is None and part != name:
            raise WordError(f"The category {part!r} is not written well.", f"{name}(field field)")
        fields = each_once(f"field of {name}", cut["fields"].split()) if cut else ()
        for field in fields:
            one_of(f"field of {name}", field, known[name])
        if cut and not fields:
            raise WordError(f"The category {name} lists no field.", "one field at least")
        if name in found:
            raise WordError(f"The category {name!r} is listed twice.", "each name once")
        found[name] = fields
    return found
