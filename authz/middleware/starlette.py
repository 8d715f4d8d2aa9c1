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

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, ClassVar, Self

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.routing import Route

from authz.errors import AuthzError, DeclarationError
from authz.middleware import asgi, frontend, marks, pages
from authz.middleware.declare import Declaration, Needs, Public
from authz.middleware.exchange import ANSWERED, Exchange, begun, permitted
from authz.middleware.guard import AsyncGuard, Guard
from authz.middleware.identity import Identity
from authz.middleware.starlette_routes import Routes
from authz.middleware.starlette_views import KEY, declared, needs, public
from authz.middleware.telling import Reply, told
from authz.middleware.values import reads_body

__all__ = ["Authz", "declared", "needs", "permitted", "public"]
Identify = Callable[[HTTPConnection], Identity | Awaitable[Identity | None] | None]


class Authz:
    """What guards applications of the same sign-in."""

    reads: ClassVar[type[Routes]] = Routes
    """What reads the declarations of their routes."""

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
        return Installed(app, self._guard, self._identity, partial(self.reads, self._public), may)


class Installed:
    """The guard in one application."""

    def __init__(
        self,
        app: Starlette,
        guard: Guard | AsyncGuard,
        identity: Identify,
        reads: Callable[[Callable[..., Any]], Routes],
        may: str | None,
    ) -> None:
        self._app = app
        self._guard = guard
        self._identity = identity
        self._routes = reads(self._may)
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
        marks.require(self._routes.faults(self._app.router, ""))
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


async def _tell(request: Request, error: Exception) -> Response:
    """The answer of a refusal; a handler of the application's own goes in its place."""
    exchange: Exchange = request.scope[KEY][1]
    if isinstance(error, AuthzError) and exchange.error is None:
        exchange.refuse(error)
    told_error = exchange.error or DeclarationError("Nothing was decided.")
    return _response(told(told_error, exchange.accept, exchange.languages))


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, dict(reply.headers))
