"""The same site as an API in FastAPI: the view gives out all it has, and what is allowed leaves."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.requests import HTTPConnection
from school.results import PEOPLE, RESULTS

from authz.middleware import AsyncGuard, AsyncPoint, Identity
from authz.middleware.bearer import Bearer
from authz.middleware.fastapi import Authz, guarded, needs, public


def create_app(point: AsyncPoint, bearer: Bearer) -> FastAPI:
    """The site, which does not start while a route declares nothing."""
    app = FastAPI(title="Results")

    def identity(connection: HTTPConnection) -> Identity | None:
        return bearer.identity(", ".join(connection.headers.getlist("authorization")))

    @app.get("/", dependencies=[public("it says that there is a site")])
    async def front() -> dict[str, str]:
        return {"site": "results"}

    @app.get(
        "/students/{student}/results",
        dependencies=[needs("read", "assessment_result", person="student", purpose="service")],
    )
    async def results(student: str) -> list[dict[str, Any]]:
        return RESULTS[student]

    @app.get(
        "/students/{student}/name",
        dependencies=[needs("read", "identity", person="student", purpose="service")],
    )
    async def name(student: str) -> dict[str, str]:
        given, _, family = PEOPLE[student].partition(" ")
        return {"given_name": given, "family_name": family}

    return guarded(app, Authz(AsyncGuard(point), identity))
