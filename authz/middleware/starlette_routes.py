"""What is wrong with the routes of an application of Starlette: none may declare nothing."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Final

from starlette.applications import Starlette
from starlette.routing import Host, Mount, Router, WebSocketRoute

from authz.middleware import asgi, marks
from authz.middleware.declare import Declaration, Needs, Public
from authz.middleware.exchange import ANSWERED, UNROUTED
from authz.middleware.marks import MARKS, Mark
from authz.middleware.starlette_views import KEY

VERBS: Final = ("get", "head", "post", "put", "patch", "delete", "options")


class Routes:
    """Reads the declarations of all routes, wherever they stand."""

    def __init__(self, public: Mapping[str, Public], answered: Callable[..., Any]) -> None:
        """``public`` by path; ``answered`` is the endpoint of the guard itself."""
        self._public = public
        self._answered = answered

    def flat(self, router: Any) -> Iterator[Any]:
        """The routes of a router."""
        yield from router.routes

    def own(self, _route: Any) -> Iterator[Declaration]:
        """Declarations that stand elsewhere than on the endpoint."""
        return iter(())

    def faults(self, router: Any, prefix: str) -> Iterator[str]:
        """What is wrong with the declarations of all routes below."""
        _marked(router, "default", UNROUTED)
        for route in self.flat(router):
            place = prefix + str(getattr(route, "path", None) or getattr(route, "host", ""))
            if place in self._public:
                _marked(route, "app", self._public[place])
            elif getattr(route, "endpoint", None) == self._answered:
                _marked(route, "app", ANSWERED)
            elif isinstance(route, Mount | Host):
                yield from self._mounted(route, place)
            else:
                yield from (f"{place}: {fault}" for fault in self._of(route))

    def _mounted(self, route: Mount | Host, place: str) -> Iterator[str]:
        inner: Any = getattr(route, "_base_app", route.app)
        if isinstance(inner, asgi.Guarded):
            _marked(route, "app", ANSWERED)
        elif isinstance(inner, Router | Starlette):
            yield from self.faults(getattr(inner, "router", inner), place)
        else:
            yield f"{place} (mounted): nothing guards what is mounted there"

    def _of(self, route: Any) -> Iterator[str]:
        endpoint = getattr(route, "endpoint", None)
        found = list(self.own(route))
        if found:
            if len(found) > 1 or hasattr(endpoint, MARKS):
                yield "it declares more than one thing"
            elif _socket(route) and isinstance(found[0], Needs):
                yield "nothing that a WebSocket sends can be filtered"
            elif isinstance(found[0], Needs) and len(_verbs(route)) > 1:
                yield "one declaration for several methods: make a route of each"
            return
        if _socket(route):
            held = [mark.declaration for mark in getattr(endpoint, MARKS, ())]
            if not held or not all(isinstance(each, Public) for each in held):
                yield "a WebSocket is public, or is not there: what it sends cannot be filtered"
            return
        if endpoint is None:
            yield f"{type(route).__name__} declares nothing"
            return
        view = SimpleNamespace(view_class=endpoint) if inspect.isclass(endpoint) else endpoint
        yield from marks.faults(view, _verbs(route))


def _socket(route: Any) -> bool:
    original = getattr(route, "original_route", route)
    return isinstance(original, WebSocketRoute)


def _verbs(route: Any) -> set[str]:
    """The methods of a route, ``HEAD`` being decided as ``GET``."""
    methods = getattr(route, "methods", None)
    if methods is None:
        endpoint = getattr(route, "endpoint", None)
        methods = {verb.upper() for verb in VERBS if hasattr(endpoint, verb)}
    return {marks.AUTOMATIC.get(method, method) for method in methods}


def _marked(place: Any, name: str, declaration: Public) -> None:
    """Let an application inside say that it is public, whenever it runs."""
    inner = getattr(place, name)
    if getattr(inner, MARKS, None) is not None:
        return

    async def marked(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
        scope[KEY][1].open(declaration)
        await inner(scope, receive, send)

    setattr(marked, MARKS, (Mark(declaration),))
    setattr(place, name, marked)
