"""Starlette: each route says what it uses, and is decided before anything of it runs.

::

    @needs("read", "assessment_result", person="student", purpose="service")
    async def results(request): ...

    app = Starlette(routes=[Route("/students/{student}/results", results)])
    Authz(AsyncGuard(point), identity).install(app)

A decision is made where the router has chosen the route, so that no other reading of the path
comes in between; what leaves is settled around the whole application.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any, Final, Self

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Host, Mount, Route, Router, WebSocketRoute

from authz.errors import AuthzError, DeclarationError
from authz.middleware import asgi, frontend, marks, pages
from authz.middleware.declare import Declaration, Needs, Public
from authz.middleware.exchange import ANSWERED, UNROUTED, Exchange, begun, permitted
from authz.middleware.guard import AsyncGuard, Guard
from authz.middleware.identity import Identity
from authz.middleware.marks import MARKS, Mark, View, stated
from authz.middleware.telling import Reply, told
from authz.middleware.values import reads_body

__all__ = ["Authz", "declared", "needs", "permitted", "public"]
KEY: Final = "authz.middleware"
VERBS: Final = ("get", "head", "post", "put", "patch", "delete", "options")
Identify = Callable[[HTTPConnection], Identity | Awaitable[Identity | None] | None]


class Authz:
    """What guards applications of the same sign-in."""

    def __init__(self, guard: Guard | AsyncGuard, identity: Identify) -> None:
        """``identity`` says who is signed in to a connection; None where nobody is."""
        self._guard = guard
        self._identity = identity
        self._public: dict[str, Public] = {}

    def public(self, *paths: str, why: str) -> Self:
        """Declare routes or mounts public that have no endpoint of ours: ``/static``."""
        self._public.update(dict.fromkeys(paths, Public(why)))
        return self

    def install(self, app: Starlette, *, may: str | None = "/authz/may") -> Installed:
        """Guard the application; ``may`` is the path at which its pages ask, None for none."""
        if app.middleware_stack is not None or hasattr(app, "__authz_installed__"):
            raise DeclarationError("The application is guarded already, or has started.")
        app.__dict__["__authz_installed__"] = True
        return self._installed(app, may)

    def _installed(self, app: Starlette, may: str | None) -> Installed:
        return Installed(app, self._guard, self._identity, self._public, may)


class Installed:
    """The guard in one application."""

    def __init__(
        self,
        app: Starlette,
        guard: Guard | AsyncGuard,
        identity: Identify,
        declared_public: dict[str, Public],
        may: str | None,
    ) -> None:
        self._app = app
        self._guard = guard
        self._identity = identity
        self._public = declared_public
        self._checked = -1
        if may is not None:
            app.router.routes.append(Route(may, self._may, methods=["POST"]))
        app.add_exception_handler(AuthzError, _tell)
        build = app.build_middleware_stack
        app.build_middleware_stack = lambda: self._around(build())  # type: ignore[method-assign]
        app.router.lifespan_context = self._starting(app.router.lifespan_context)

    def check(self) -> None:
        """DeclarationError that names each route without a right declaration.

        It is called when the application starts, and at a request that finds other routes than
        the last check did; until it passes no request is answered.
        """
        marks.require(self.faults(self._app.router, ""))
        self._checked = len(self._app.router.routes)

    async def decide(self, exchange: Exchange, request: HTTPConnection, which: Declaration) -> None:
        """Decide for this declaration; AuthzError where its route must not run."""
        if exchange.declaration is which:
            return
        exchange.route = request.scope["path"]
        try:
            await self._decide(exchange, request, which)
        except AuthzError as error:
            exchange.refuse(error)
            raise

    async def _decide(
        self, exchange: Exchange, request: HTTPConnection, which: Declaration
    ) -> None:
        if exchange.declaration is not None:
            raise DeclarationError("The request was decided for another route.")
        if not isinstance(which, Needs):
            exchange.open(which)
            return
        body = None
        if reads_body(which) and isinstance(request, Request):
            body = await request.body()
        who = await self.who(exchange, request.scope)
        values = asgi.values_of(request.scope, request.path_params, body)
        exchange.open(which, await asgi.ask(self._guard, which, values, who))
        asgi.unconditional(exchange, request.scope)
        vars(request).pop("_headers", None)

    async def who(self, exchange: Exchange, scope: asgi.Scope) -> Identity | None:
        """Who is signed in, asked once in a request."""
        if exchange.who is None:
            exchange.who = await asgi.identified(self._identity(HTTPConnection(scope)))
        return exchange.who

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
            elif getattr(route, "endpoint", None) == self._may:
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

    def _around(self, inner: asgi.Application) -> asgi.Application:
        async def around(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
            if scope["type"] == "lifespan":
                await inner(scope, receive, send)
                return
            if self._checked != len(self._app.router.routes):
                self.check()
            exchange = asgi.exchange_of(scope)
            scope[KEY] = (self, exchange)
            with begun(exchange):
                await self._answered(inner, scope, receive, asgi.Outgoing(exchange, send))

        return around

    async def _answered(
        self, inner: asgi.Application, scope: asgi.Scope, receive: asgi.Receive, out: asgi.Outgoing
    ) -> None:
        """The refusals of a route become answers here, outside of all error handlers."""
        try:
            await inner(scope, receive, out)
        except AuthzError as error:
            exchange: Exchange = scope[KEY][1]
            exchange.refuse(error)
            await out.refuse(error)

    def _starting(self, lifespan: Any) -> Any:
        @asynccontextmanager
        async def checked(app: Any) -> AsyncIterator[Any]:
            self.check()
            async with lifespan(app) as state:
                yield state

        return checked

    async def _may(self, request: Request) -> Response:
        exchange: Exchange = request.scope[KEY][1]
        exchange.open(ANSWERED)
        kind, wishes = (
            request.headers.get("content-type", ""),
            (exchange.accept, exchange.languages),
        )
        try:
            who = frontend.signed_in(await self.who(exchange, request.scope))
            keys = frontend.questions(kind, await request.body())
            reply = frontend.said(await pages.may_async(self._guard, who, keys))
        except AuthzError as error:
            reply = told(error, *wishes)
        return _response(reply)


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
    mark = Mark(declaration, frozenset(method.upper() for method in methods))

    def on(view: View) -> View:
        held = view if MARKS in vars(view) else _held(view)
        setattr(held, MARKS, (*vars(held).get(MARKS, ()), mark))
        return held

    return on


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


async def _tell(request: Request, error: Exception) -> Response:
    """The answer of a refusal; a handler of the application's own goes in its place."""
    exchange: Exchange = request.scope[KEY][1]
    if isinstance(error, AuthzError) and exchange.error is None:
        exchange.refuse(error)
    told_error = exchange.error or DeclarationError("Nothing was decided.")
    return _response(told(told_error, exchange.accept, exchange.languages))


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, dict(reply.headers))
