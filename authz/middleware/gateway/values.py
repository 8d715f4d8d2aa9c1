"""The values that a decision hangs on, each with one reading; anything else is refused."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from authz.errors import MalformedError
from authz.middleware.gateway import headers, query, strict
from authz.middleware.gateway.routes import Match
from authz.middleware.identity import Identity

LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Sent:
    """What a caller sent, as far as a decision may hang on it; the body is read when needed."""

    query: str
    headers: Mapping[str, str]
    body: Callable[[], bytes]


def values(match: Match, sent: Sent, who: Identity) -> dict[str, str]:
    """The values of the route's question by what they are for; MalformedError of one without.

    The query is looked at on every route, since it may want to be another method.
    """
    found = query.pairs(sent.query)
    named = match.declared.named
    asked = [of for _, kind, of in named if kind == "query"]
    there = query.single(sent.query, found, asked) if asked else {}
    document = _document(sent) if any(kind == "json" for _, kind, _ in named) else None
    made = {}
    for name, kind, of in named:
        if kind == "path":
            value: Any = match.values.get(of)
        elif kind == "value":
            value = of
        elif kind == "query":
            value = there.get(of)
        elif kind == "header":
            value = headers.once(sent.headers, of)
        elif kind == "json":
            value = _member(document, of)
        else:
            value = _claim(who, of)
        made[name] = _text(value, name)
    return made


def _text(found: Any, name: str) -> str:
    """A value as text; a whole number is written, and nothing else is."""
    if isinstance(found, int) and not isinstance(found, bool):
        found = str(found)
    if not isinstance(found, str) or not found:
        raise MalformedError("It is required.", where=name)
    if len(found) > LONGEST or not found.isprintable() or found != found.strip():
        raise MalformedError("It is no plain text.", where=name)
    return found


def _document(sent: Sent) -> Any:
    if sent.headers.get("content-encoding", "identity") != "identity":
        raise MalformedError("The body is encoded.", where="Content-Encoding")
    return strict.parse(sent.body())


def _member(document: Any, name: str) -> Any:
    """The member of that path; a name that another reader takes for it is refused."""
    found = document
    for word in name.split("."):
        if not isinstance(found, dict):
            return None
        alike = [other for other in found if query.loosely(other) == query.loosely(word)]
        if alike and alike != [word]:
            raise MalformedError("The member can be read in two ways.", where=name)
        found = found.get(word)
    return found


def _claim(who: Identity, name: str) -> Any:
    return who.id if name == "sub" and "sub" not in who.claims else who.claims.get(name)
