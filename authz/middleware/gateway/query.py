"""A query string, read once and strictly: a value that a decision hangs on stands there once.

The string itself is sent on as it came. So what another reader could take for a parameter that
the decision hangs on is refused: the same name twice, in another case, in brackets or with
other signs in it, and pairs that are separated by semicolons.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import unquote_to_bytes

from authz.errors import MalformedError

LONGEST: Final = 8000
_CHARACTERS: Final = re.compile(r"(?:[!$&'()*+,\-./0-9:;=?@A-Z\[\]_a-z~|^{}`]|%[0-9A-Fa-f]{2})*")
_BRACKETS: Final = re.compile(r"[\[\]]")
_SIGNS: Final = re.compile(r"[\W_]+")
OVERRIDES: Final = frozenset({"_method", "xhttpmethodoverride", "xhttpmethod", "xmethodoverride"})
"""Names by which frameworks let a request pass for one of another method, without signs."""


def pairs(raw: str, longest: int = LONGEST) -> list[tuple[str, str]]:
    """Names and values in their order; MalformedError of what is no query."""
    if not raw:
        return []
    if len(raw) > longest or not _CHARACTERS.fullmatch(raw):
        raise MalformedError("It is not written as a query is.", where="query")
    found = [_pair(each) for each in raw.split("&") if each]
    for name, _ in found:
        if not name.isprintable():  # PHP ends a name at its first null
            raise MalformedError("A name holds what cannot be seen.", where="query")
        if overrides(name):
            raise MalformedError("A request has one method.", where="query")
    return found


def single(raw: str, found: Iterable[tuple[str, str]], wanted: Iterable[str]) -> Mapping[str, str]:
    """The values of the wanted names, each there at most once; MalformedError otherwise."""
    if ";" in raw:
        raise MalformedError("A semicolon can be read in two ways.", where="query")
    listed = list(found)
    return {name: value for name in wanted for value in _once(name, listed)}


def overrides(name: str) -> bool:
    """Whether a parameter of this name may turn a request into one of another method."""
    return _first(name).strip().lower() == "_method" or loosely(name) in OVERRIDES


def loosely(name: str) -> str:
    """The name as the most careless reader would take it: ``Student[]`` is ``student``.

    Rack takes ``[student]`` for it as well.
    """
    return _SIGNS.sub("", _first(name)).casefold()


def _first(name: str) -> str:
    """What stands before, or within, the first brackets."""
    return _BRACKETS.split(name.lstrip("[] \t"), maxsplit=1)[0]


def _once(name: str, found: Iterable[tuple[str, str]]) -> Iterator[str]:
    alike = loosely(name)
    there = [(other, value) for other, value in found if loosely(other) == alike]
    if len(there) > 1 or any(other != name for other, _ in there):
        raise MalformedError("The parameter can be read in two ways.", where=name)
    yield from (value for _, value in there)


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return _decoded(name), _decoded(value)


def _decoded(text: str) -> str:
    try:
        return unquote_to_bytes(text.replace("+", " ")).decode()
    except UnicodeError as error:
        raise MalformedError("It is not UTF-8.", where="query") from error
