"""Small words of HTTP that both kinds of server share."""

from __future__ import annotations

from functools import lru_cache
from http import HTTPStatus

from authz.errors import ObligationError


@lru_cache(maxsize=1024)
def line(status: int) -> str:
    """The status line of WSGI."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"{status} Unknown"


def too_large() -> ObligationError:
    """A body of which more would have to be held than is."""
    return ObligationError("The body is too large to be filtered.")
