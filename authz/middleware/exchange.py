"""One request from its arrival to its answer: what has been decided of it so far.

A framework makes an :class:`Exchange` before anything of the application runs, and looks at it
again before anything leaves. What was never decided does not leave.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from authz.errors import AuthzError, DeclarationError
from authz.middleware.declare import Declaration, Public
from authz.middleware.identity import Identity
from authz.middleware.permitted import Permitted

UNROUTED: Final = Public("No route has this path and method: nothing of a route runs.")
"""What is no route has error pages and redirects, and never an answer with data."""
ANSWERED: Final = Public("The middleware answers this by itself.")


@dataclass(slots=True)
class Exchange:
    """What was decided: ``declaration`` is set last, when its route may run.

    ``accept`` and ``languages`` are the headers by which a refusal is told; ``who`` is whoever
    is signed in, once that was asked.
    """

    method: str = "GET"
    accept: str = ""
    languages: str = ""
    route: str = ""
    who: Identity | None = None
    declaration: Declaration | None = None
    permit: Permitted | None = None
    error: AuthzError | None = None

    @property
    def public(self) -> bool:
        """Whether it was declared to use nobody's data."""
        return isinstance(self.declaration, Public)

    @property
    def filters(self) -> bool:
        """Whether what leaves must pass the filter: a limit that the route does not keep itself.

        A route that filtered something may still send something else, so that what it has done
        does not count; filtering again changes nothing.
        """
        return self.permit is not None and self.permit.limits

    def open(self, declaration: Declaration, permit: Permitted | None = None) -> None:
        """The route of this declaration may run."""
        self.declaration, self.permit = declaration, permit

    def refuse(self, error: AuthzError) -> None:
        """Nothing of the route may run."""
        self.declaration, self.permit, self.error = None, None, error


_CURRENT: ContextVar[Exchange | None] = ContextVar("authz_exchange", default=None)


class begun:  # noqa: N801 (used as a function; contextlib's costs five times as much)
    """The exchange that the code inside is part of."""

    __slots__ = ("_exchange", "_token")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def __enter__(self) -> Exchange:
        self._token = _CURRENT.set(self._exchange)
        return self._exchange

    def __exit__(self, *_: object) -> None:
        _CURRENT.reset(self._token)


def current() -> Exchange:
    """The exchange that runs here; DeclarationError where nothing guards the application."""
    found = _CURRENT.get()
    if found is None:
        raise DeclarationError(
            "A route with a declaration runs where nothing guards it.",
            hint="Install the middleware in this application.",
        )
    return found


def permitted() -> Permitted:
    """The permit of the route that runs here; DeclarationError where it has none."""
    permit = current().permit
    if permit is None:
        raise DeclarationError("This route asked for nothing: it is declared public.")
    return permit
