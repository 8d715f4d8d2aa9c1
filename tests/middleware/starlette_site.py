"""The site as a Starlette and as a FastAPI application, and as plain ASGI behind a table."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.requests import HTTPConnection
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from authz.middleware import AsyncGuard, Guard, Identity, asgi
from authz.middleware import fastapi as for_fastapi
from authz.middleware.starlette import Authz, declared, public
from tests.middleware import site
from tests.middleware.points import AsyncCountingPoint, CountingPoint
from tests.middleware.signing import bearer


def identity(connection: HTTPConnection) -> Identity | None:
    return bearer().identity(", ".join(connection.headers.getlist("authorization")))


@public("the front page is about nobody")
async def front(request: Request) -> Response:
    return HTMLResponse("<h1>Results</h1>")


@declared(site.READ)
def results(request: Request) -> Response:
    return _shown(request, site.respond("GET", request.url.path, "", b""))


@declared(site.WRITE)
async def change(request: Request) -> Response:
    return Response(site.CHANGED)


@declared(site.BY_HAND)
async def report(request: Request) -> Response:
    return _shown(request, site.respond("GET", request.url.path, "", b""))


@declared(site.READ)
async def page(request: Request) -> Response:
    return HTMLResponse(site.page(request.path_params["student"]))


@declared(site.BY_QUERY)
async def by_query(request: Request) -> Response:
    return JSONResponse(site.results(request.query_params.getlist("student")[-1]))


@declared(site.BY_JSON)
async def lookup(request: Request) -> Response:
    return JSONResponse(site.results((await request.json())["student"]))


def _shown(request: Request, said: site.Said) -> Response:
    status, headers, body = site.shown(
        said, request.headers.get("if-none-match", ""), request.headers.get("range", "")
    )
    return Response(body, int(status[:3]), dict(headers))


def starlette(point: AsyncCountingPoint) -> Starlette:
    app = Starlette(
        routes=[
            Route("/", front),
            Route("/students/{student}/results", results),
            Route("/students/{student}/results", change, methods=["POST"]),
            Route("/students/{student}/results", change, methods=["DELETE"]),
            Route("/students/{student}/report", report),
            Route("/students/{student}/page", page),
            Route("/results", by_query),
            Route("/lookup", lookup, methods=["POST"]),
        ]
    )
    Authz(AsyncGuard(point), identity).install(app)
    return app


def fastapi(point: CountingPoint) -> FastAPI:
    app = FastAPI()

    @app.get("/", dependencies=[for_fastapi.public("the front page is about nobody")])
    def front() -> Response:
        return HTMLResponse("<h1>Results</h1>")

    @app.get("/students/{student}/results", dependencies=[for_fastapi.declared(site.READ)])
    async def results(student: str, request: Request) -> Response:
        return _shown(request, site.respond("GET", request.url.path, "", b""))

    @app.post("/students/{student}/results", dependencies=[for_fastapi.declared(site.WRITE)])
    @app.delete("/students/{student}/results", dependencies=[for_fastapi.declared(site.WRITE)])
    def change(student: str) -> Response:
        return Response(site.CHANGED)

    @app.get("/students/{student}/report", dependencies=[for_fastapi.declared(site.BY_HAND)])
    def report(student: str, request: Request) -> Response:
        return _shown(request, site.respond("GET", request.url.path, "", b""))

    @app.get("/students/{student}/page", dependencies=[for_fastapi.declared(site.READ)])
    def page(student: str) -> HTMLResponse:
        return HTMLResponse(site.page(student))

    @app.get("/results", dependencies=[for_fastapi.declared(site.BY_QUERY)])
    def by_query(student: str) -> Any:
        return site.results(student)

    @app.post("/lookup", dependencies=[for_fastapi.declared(site.BY_JSON)])
    def lookup(body: dict[str, str]) -> Any:
        return site.results(body["student"])

    authz = for_fastapi.Authz(Guard(point), identity)
    return for_fastapi.guarded(app, authz)


async def plain(scope: asgi.Scope, receive: asgi.Receive, send: asgi.Send) -> None:
    """The site for an ASGI server, without a framework."""
    request = Request(scope, receive)
    said = site.respond(
        request.headers.get("x-http-method-override", request.method),
        request.url.path,
        request.url.query,
        await request.body(),
    )
    await _shown(request, said)(scope, receive, send)


def table(point: CountingPoint) -> asgi.Guarded:
    def who(scope: Any) -> Identity | None:
        return bearer().identity(asgi.authorization(scope))

    return asgi.Guarded(plain, Guard(point), who, site.ROUTES)
