"""What an endpoint of Starlette says that it uses; it is decided for that before it runs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection

from authz.errors import DeclarationError
from authz.middleware import asgi, marks
from authz.middleware.declare import Declaration, Public
from authz.middleware.marks import View, marked, stated

KEY: Final = "authz.middleware"
"""Where in a request's scope the guard and the exchange stand."""


def needs(action: str, category: str, **more: Any) -> Callable[[View], View]:
    """Declare what an endpoint uses, with the words of :class:`Needs`, ``methods`` if several.

    ``person`` names a value of the path, or ``query:student``, ``header:X-Student``,
    ``json:student``.
    """
    methods = more.pop("methods", ())
    return declared(stated(action, category, **more), methods)


def public(why: str, *, methods: Iterable[str] = ()) -> Callable[[View], View]:
    """Declare that an endpoint uses nobody's data, and say why that is so."""
    return declared(Public(why), methods)


def declared(declaration: Declaration, methods: Iterable[str] = ()) -> Callable[[View], View]:
    """Put a declaration on an endpoint, or on a method of an ``HTTPEndpoint``."""
    return marked(declaration, methods, _held)


async def decided(request: HTTPConnection, declaration: Declaration) -> None:
    """Decide the request for this declaration; DeclarationError where nothing guards."""
    found = request.scope.get(KEY)
    if found is None:
        raise DeclarationError("A declared route runs where nothing guards the application.")
    installed, exchange = found
    await installed.decide(exchange, request, declaration)


def _held(view: View) -> View:
    @functools.wraps(view)
    async def waiting(*arguments: Any, **named: Any) -> Any:
        everything = (*arguments, *named.values())
        request = next((each for each in everything if isinstance(each, HTTPConnection)), None)
        if request is None:
            raise DeclarationError("A declared endpoint takes the request as an argument.")
        method = request.scope.get("method", asgi.WEBSOCKET)
        declaration = marks.chosen(waiting, method)
        if declaration is None:
            raise DeclarationError("The route declares nothing for this method.")
        await decided(request, declaration)
        if inspect.iscoroutinefunction(view):
            return await view(*arguments, **named)
        return await run_in_threadpool(view, *arguments, **named)

    return waiting  # type: ignore[return-value]
