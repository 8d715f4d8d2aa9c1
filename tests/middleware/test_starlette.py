"""Starlette and FastAPI: nothing undeclared starts, and nothing undecided leaves."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from fastapi import APIRouter, FastAPI, WebSocket
from fastapi.requests import HTTPConnection
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.endpoints import HTTPEndpoint
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Mount, Route, Router
from starlette.staticfiles import StaticFiles
from starlette.websockets import WebSocketDisconnect

from authz.errors import DeclarationError
from authz.middleware import AsyncGuard, Guard, Identity, Permitted
from authz.middleware import fastapi as ours
from authz.middleware.starlette import Authz, needs, permitted, public
from tests.middleware.points import AsyncCountingPoint, CountingPoint
from tests.middleware.site import KID, MUM, OTHER

READ: dict[str, Any] = {"person": "student", "purpose": "service"}
RECORD = {"assessment": "maths", "score": 12, "comment": "late"}
SEEN = {"assessment": "maths", "score": 12}


async def signed_in(connection: HTTPConnection) -> Identity | None:
    name = connection.headers.get("x-test-user")
    return Identity(name) if name else None


def browser(app: Any, who: str = MUM, **more: Any) -> TestClient:
    headers = {"x-test-user": who} if who else {}
    return TestClient(app, headers=headers, raise_server_exceptions=False, **more)


@needs("read", "assessment_result", **READ)
async def results(request: Request) -> Response:
    return JSONResponse(RECORD)


async def undeclared(request: Request) -> Response:
    return JSONResponse(RECORD)


def starlette(*routes: Any, **more: Any) -> Starlette:
    app = Starlette(routes=list(routes), **more)
    Authz(AsyncGuard(AsyncCountingPoint()), signed_in).install(app)
    return app


def fastapi(point: CountingPoint | None = None) -> FastAPI:
    app = FastAPI()
    return ours.guarded(app, ours.Authz(Guard(point or CountingPoint()), signed_in))


def reading() -> Any:
    return ours.needs("read", "assessment_result", **READ)


@pytest.mark.parametrize(
    "route",
    [
        Route("/students/{student}/results", undeclared),
        Mount("/students", routes=[Route("/{student}/results", undeclared)]),
        Mount("/students", app=Starlette(routes=[Route("/{student}/results", undeclared)])),
    ],
    ids=["route", "mount", "application"],
)
def test_it_does_not_start_with_a_route_that_declares_nothing(route: Any) -> None:
    app = starlette(route)
    with pytest.raises(DeclarationError, match=r"/students/\{student\}/results"), browser(app):
        pass
    answer = browser(app).get(f"/students/{KID}/results")  # no lifespan
    assert answer.status_code == 500
    assert "maths" not in answer.text


def test_a_fastapi_route_declares_by_a_dependency_of_its_own_or_of_its_router() -> None:
    app = fastapi()
    router = APIRouter(prefix="/marks", dependencies=[reading()])

    @router.get("/{student}")
    def marks(student: str) -> dict[str, Any]:
        return RECORD

    app.include_router(router, prefix="/v1")

    @app.get("/mine/{student}")
    def mine(student: str, permit: Annotated[Permitted, reading()]) -> dict[str, Any]:
        assert permit is permitted()
        return RECORD

    with browser(app) as started:
        for path in ("/v1/marks", "/mine"):
            assert started.get(f"{path}/{KID}").json() == SEEN
            assert started.get(f"{path}/{OTHER}").status_code == 403
        assert started.get("/docs").status_code == 200
        assert started.get("/openapi.json").status_code == 200


def test_a_fastapi_route_that_declares_nothing_or_twice_does_not_start() -> None:
    app = fastapi()
    router = APIRouter()
    router.add_api_route("/{student}", lambda student: RECORD)
    app.include_router(router, prefix="/marks")
    with pytest.raises(DeclarationError, match=r"/marks/\{student\}"), browser(app):
        pass
    twice = fastapi()
    twice.add_api_route("/{student}", lambda student: RECORD, dependencies=[reading(), reading()])
    with pytest.raises(DeclarationError, match="more than one"), browser(twice):
        pass


def test_a_route_that_comes_later_stops_everything() -> None:
    app = starlette(Route("/{student}/results", results))
    with browser(app) as started:
        assert started.get(f"/{KID}/results").json() == SEEN
        app.router.routes.append(Route("/late", undeclared))
        assert started.get("/late").status_code == 500
        assert started.get(f"/{KID}/results").status_code == 500


def test_a_route_in_the_place_of_another_runs_for_nothing() -> None:
    """It was not there at the check, and no number of routes tells: its answer does not leave."""
    app = starlette(Route("/{student}/results", results))
    with browser(app) as started:
        app.router.routes[0] = Route("/{student}/results", undeclared)
        answer = started.get(f"/{KID}/results")
        assert answer.status_code == 403
        assert "maths" not in answer.text


def test_static_files_and_other_applications_are_declared_by_their_path(tmp_path: Any) -> None:
    (tmp_path / "a.css").write_text("body {}")
    app = Starlette(routes=[Mount("/static", app=StaticFiles(directory=tmp_path))])
    authz = Authz(AsyncGuard(AsyncCountingPoint()), signed_in)
    installed = authz.install(app)
    with pytest.raises(DeclarationError, match="/static"):
        installed.check()
    authz.public("/static", why="style sheets")
    with browser(app) as started:
        assert started.get("/static/a.css").text == "body {}"


def test_a_class_declares_by_method() -> None:
    class Results(HTTPEndpoint):
        @needs("read", "assessment_result", **READ)
        def get(self, request: Request) -> Response:
            return JSONResponse(RECORD)

        @needs("update", "assessment_result", person="student")
        async def post(self, request: Request) -> Response:
            return PlainTextResponse("changed")

    with browser(starlette(Route("/{student}", Results))) as started:
        assert started.get(f"/{KID}").json() == SEEN
        assert started.head(f"/{KID}").status_code == 200
        assert started.post(f"/{KID}").status_code == 403
        assert started.delete(f"/{KID}").status_code == 405


def test_a_declared_endpoint_does_not_run_without_the_guard() -> None:
    app = Starlette(routes=[Route("/{student}", results)])
    with pytest.raises(DeclarationError, match="nothing guards"):
        TestClient(app).get(f"/{KID}")


def test_refusals_keep_their_status_through_handlers_of_everything() -> None:
    async def anything(_request: Request, _error: Exception) -> Response:
        return PlainTextResponse("all is well")

    app = starlette(Route("/{student}", results), exception_handlers={Exception: anything})
    with browser(app) as started:
        refused = started.get(f"/{OTHER}", headers={"accept-language": "th"})
        assert refused.status_code == 403
        assert refused.headers["cache-control"] == "no-store"
        assert refused.json()["title"] == "คุณไม่ได้รับอนุญาตให้ใช้ข้อมูลนี้"
        assert browser(app, "").get(f"/{KID}").status_code == 401


def test_the_point_away_is_said() -> None:
    point = CountingPoint()
    point.down = True
    app = fastapi(point)
    app.add_api_route("/{student}", lambda student: RECORD, dependencies=[reading()])
    with browser(app) as started:
        assert started.get(f"/{KID}").status_code == 503


def test_streams_are_filtered_or_refused_and_compressed_only_afterwards() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'{"score": 1, "comm'
        yield b'ent": "late"}'

    @needs("read", "assessment_result", **READ)
    async def streamed(request: Request) -> Response:
        kind = request.query_params.get("as", "application/json")
        return StreamingResponse(pieces(), media_type=kind)

    app = starlette(Route("/{student}", streamed))
    with browser(app) as started:
        assert started.get(f"/{KID}").json() == {"score": 1}
        refused = started.get(f"/{KID}?as=text/csv")
        assert refused.status_code == 403
        assert "late" not in refused.text
    zipping = starlette(
        Route("/{student}", streamed), middleware=[Middleware(GZipMiddleware, minimum_size=1)]
    )
    with browser(zipping) as started:
        assert started.get(f"/{KID}").status_code == 403  # compressed below: never unfiltered
    assert browser(GZipMiddleware(app, minimum_size=1)).get(f"/{KID}").json() == {"score": 1}


def test_a_middleware_that_answers_by_itself_is_undecided() -> None:
    class Caching(BaseHTTPMiddleware):
        async def dispatch(self, request: Request, call_next: Any) -> Response:
            return JSONResponse(RECORD)

    app = starlette(Route("/{student}", results), middleware=[Middleware(Caching)])
    with browser(app) as started:
        answer = started.get(f"/{KID}")
        assert answer.status_code == 403
        assert "maths" not in answer.text


def test_what_stands_for_missing_pages_gives_no_data() -> None:
    """A router's default is an application that no declaration speaks of."""
    inside = Mount("/old", app=Router(default=JSONResponse(RECORD)))
    with browser(starlette(inside)) as started:
        answer = started.get("/old/page")
        assert answer.status_code == 403
        assert "maths" not in answer.text


def test_a_missing_page_and_a_redirect_are_the_frameworks_own() -> None:
    with browser(starlette(Route("/{student}/", results))) as started:
        assert started.get("/a/b/c").status_code == 404
        assert started.get(f"/{KID}", follow_redirects=False).status_code == 307
        assert started.get(f"/{KID}").json() == SEEN


def test_a_websocket_is_public_or_is_not_there() -> None:
    app = fastapi()

    @app.websocket("/live", dependencies=[ours.public("it tells the time")])
    async def live(socket: WebSocket) -> None:
        await socket.accept()
        await socket.send_text("noon")
        await socket.close()

    with browser(app) as started, started.websocket_connect("/live") as socket:
        assert socket.receive_text() == "noon"

    closed = fastapi()

    @closed.websocket("/live/{student}")
    async def results_live(socket: WebSocket) -> None:
        await socket.accept()

    with pytest.raises(DeclarationError, match="/live"), browser(closed):
        pass
    with pytest.raises((WebSocketDisconnect, DeclarationError)):
        TestClient(closed).websocket_connect(f"/live/{KID}").__enter__()


def test_the_front_end_asks_in_one_batch() -> None:
    point = AsyncCountingPoint()
    app = Starlette()
    Authz(AsyncGuard(point), signed_in).install(app)
    question = {"action": "read", "category": "assessment_result", "person": KID}
    asked = {"questions": [question, {**question, "person": OTHER}]}
    with browser(app) as started:
        assert started.post("/authz/may", json=asked).json() == {"answers": [True, False]}
        assert [len(batch) for batch in point.inner.asked] == [2]
        assert browser(app, "").post("/authz/may", json=asked).status_code == 401
        assert started.get("/authz/may").status_code == 405
        named = {"questions": [{**question, "subject": "head"}]}
        assert started.post("/authz/may", json=named).status_code == 400


@public("a test")
async def front(request: Request) -> Response:
    return PlainTextResponse("front")


def test_public_is_public() -> None:
    with browser(starlette(Route("/", front)), "") as started:
        assert started.get("/").text == "front"
