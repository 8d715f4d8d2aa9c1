"""Behind a table: a form does not make a request another one than was decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from starlette.requests import Request as AsgiRequest
from starlette.responses import PlainTextResponse
from starlette.testclient import TestClient
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from authz.middleware import Guard, Identity, Needs, asgi, wsgi
from authz.middleware.table import Route
from tests.middleware.points import CountingPoint
from tests.middleware.site import KID, MUM

CARRIES = Needs("read", "assessment_result", "student", carries=frozenset({"fields"}))
ROUTES = (Route("POST", "/{student}", CARRIES),)
FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=x"
PART = b'--x\r\nContent-Disposition: form-data; name="%b"\r\n\r\nDELETE\r\n--x--\r\n'
FILE = b'--x\r\nContent-Disposition: form-data; name="f"; filename="_method"\r\n\r\n%b\r\n--x--\r\n'
Post = Callable[[str, bytes], tuple[int, bytes]]


def _overriding(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """An application that takes its method from a form, as many do."""
    with Request(environ) as request:
        method = request.form.get("_method", "POST")
    return Response(f"done: {method}")(environ, start_response)


async def _overriding_too(scope: Any, receive: Any, send: Any) -> None:
    body = await AsgiRequest(scope, receive).body()
    method = "DELETE" if b"_method" in body and b"filename" not in body else "POST"
    await PlainTextResponse(f"done: {method}")(scope, receive, send)


def _wsgi(kind: str, data: bytes) -> tuple[int, bytes]:
    app = wsgi.Guarded(_overriding, Guard(CountingPoint()), lambda _: Identity(MUM), ROUTES)
    found = Client(app).post(f"/{KID}", data=data, content_type=kind)
    return found.status_code, found.data


def _asgi(kind: str, data: bytes) -> tuple[int, bytes]:
    app = asgi.Guarded(_overriding_too, Guard(CountingPoint()), lambda _: Identity(MUM), ROUTES)
    found = TestClient(app).post(f"/{KID}", content=data, headers={"Content-Type": kind})
    return found.status_code, found.content


@pytest.mark.parametrize("post", [_wsgi, _asgi], ids=["wsgi", "asgi"])
@pytest.mark.parametrize(
    ("kind", "data"),
    [
        (FORM, b"a=1&_method=DELETE"),
        (FORM.upper() + "; charset=utf-8", b"a=1&%5Fmethod=DELETE"),
        (PARTS, PART % b"_method"),
        (PARTS, b"x" * 70_000 + PART % b"_method"),
    ],
)
def test_a_form_that_wants_another_method_is_refused(post: Post, kind: str, data: bytes) -> None:
    status, said = post(kind, data)
    assert (status, b"done" in said) == (400, False)


@pytest.mark.parametrize("post", [_wsgi, _asgi], ids=["wsgi", "asgi"])
@pytest.mark.parametrize(
    ("kind", "data"),
    [(FORM, b"a=1&b=2"), (PARTS, PART % b"a"), (PARTS, FILE % (b"x" * 200_000)), (PARTS, b"")],
)
def test_other_forms_pass(post: Post, kind: str, data: bytes) -> None:
    assert post(kind, data) == (200, b"done: POST")
