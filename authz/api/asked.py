"""What a ``GET`` asks in its query: each parameter once, known, and of its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from flask import request

from authz import clock
from authz.api.context import service
from authz.errors import MalformedError
from authz.service.decided import Caller
from authz.service.tokens import authenticate
from authz.vocabulary import Scope

LONGEST: Final = 1000


def caller(scope: Scope) -> Caller:
    """Who asks, with a token of this scope."""
    here = service()
    header = request.headers.get("Authorization")
    return authenticate(here.store, here.settings, header, clock.now(), scope)


def query(known: Mapping[str, Callable[[str, str], Any]]) -> dict[str, Any]:
    """The parameters sent, read as ``known`` says; MalformedError of one that is not known."""
    found: dict[str, Any] = {}
    for name, values in request.args.lists():
        if name not in known:
            raise MalformedError("There is no such parameter.", where=name[:100])
        if len(values) > 1:
            raise MalformedError("The member stands there twice.", where=name)
        found[name] = known[name](values[0], name)
    return found


def text(value: str, name: str) -> str:
    """A text that a database can look for."""
    if len(value) > LONGEST or "\0" in value:
        raise MalformedError("It must be a string.", where=name)
    return value


def moment(value: Any, name: str) -> datetime:
    """An ISO date or time, local without an offset (2.1)."""
    try:
        return clock.parse(value, service().settings.local)
    except (ValueError, TypeError) as error:
        raise MalformedError("It must be an ISO date or time.", where=name) from error


def truth(value: str, name: str) -> bool:
    """``true`` or ``false``."""
    if value not in ("true", "false"):
        raise MalformedError("It must be true or false.", where=name)
    return value == "true"


def number(value: str, name: str) -> int:
    """A whole number."""
    if not value.isascii() or not value.isdigit() or len(value) > len("1000000000"):
        raise MalformedError("It must be a whole number, 0 or more.", where=name)
    return int(value)


def word(*words: str) -> Callable[[str, str], str]:
    """One of these words."""

    def read(value: str, name: str) -> str:
        if value not in words:
            raise MalformedError("It is none of the words that are known here.", where=name)
        return value

    return read
