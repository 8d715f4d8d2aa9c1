"""FastAPI: each route says what it uses by a dependency, which decides before the route runs.

::

    @app.get("/students/{student}/results", dependencies=[
        needs("read", "assessment_result", person="student", purpose="service")])
    async def results(student: str): ...

    Authz(AsyncGuard(point), identity).install(app)

``Annotated[Permitted, needs(…)]`` as an argument of the route is the same, and gives it the
permit. A dependency that stands on a router is one for each route of it.
"""

# FastAPI reads the annotations of a dependency, so that they are not put off in this file.
from collections.abc import Iterator
from typing import Any

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection
from fastapi.routing import iter_route_contexts

from authz.middleware import starlette, starlette_routes, starlette_views
from authz.middleware.declare import Declaration, Public
from authz.middleware.exchange import permitted
from authz.middleware.marks import stated
from authz.middleware.permitted import Permitted

__all__ = ["Authz", "declared", "needs", "permitted", "public"]


class Routes(starlette_routes.Routes):
    """Reads the declarations of all routes, which stand among their dependencies."""

    def flat(self, router: Any) -> Iterator[Any]:
        """The routes of a router, those of included routers with all that they take over."""
        for context in iter_route_contexts(router.routes):
            yield context if hasattr(context, "dependant") else context.original_route
        yield from getattr(router, "_low_priority_routes", ())  # front ends: FastAPI.frontend

    def own(self, _route: Any) -> Iterator[Declaration]:
        """The declarations among the dependencies of a route."""
        yield from _declarations(getattr(_route, "dependant", None))


class Authz(starlette.Authz):
    """What guards FastAPI applications of the same sign-in."""

    reads = Routes


class Declares:
    """A dependency that decides the request for its declaration."""

    def __init__(self, declaration: Declaration) -> None:
        self.declaration = declaration

    async def __call__(self, request: HTTPConnection) -> Permitted | None:
        """The permit; None of a public route. AuthzError where the route must not run."""
        await starlette_views.decided(request, self.declaration)
        found: Permitted | None = request.scope[starlette_views.KEY][1].permit
        return found


def needs(action: str, category: str, **more: Any) -> Any:
    """What a route uses, as a dependency, with the words of :class:`Needs`.

    ``person`` names a value of the path, or ``query:student``, ``header:X-Student``,
    ``json:student``.
    """
    return declared(stated(action, category, **more))


def public(why: str) -> Any:
    """That a route uses nobody's data, and why that is so, as a dependency."""
    return declared(Public(why))


def declared(declaration: Declaration) -> Any:
    """A declaration as a dependency."""
    return Depends(Declares(declaration))


def guarded(app: FastAPI, authz: Authz, *, may: str | None = "/authz/may") -> FastAPI:
    """The application, guarded; its own pages of documentation are public if it has them."""
    pages = (app.docs_url, app.redoc_url, app.openapi_url, app.swagger_ui_oauth2_redirect_url)
    authz.public(*(page for page in pages if page), why="they describe routes, and nobody's data")
    authz.install(app, may=may)
    return app


def _declarations(dependant: Any) -> Iterator[Declaration]:
    if dependant is None:
        return
    if isinstance(dependant.call, Declares):
        yield dependant.call.declaration
    for below in dependant.dependencies:
        yield from _declarations(below)
