"""The table of ways past, against every framework, over a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from wsgiref.types import WSGIEnvironment

import pytest

from authz.middleware import Guard, Identity
from authz.middleware.wsgi import Guarded
from tests.middleware import django_site, flask_site, serving, signing, site, starlette_site
from tests.middleware.bypass import (
    ATTEMPTS,
    CONTROLS,
    Address,
    Attempt,
    Tokens,
    check,
    check_control,
    send,
)
from tests.middleware.points import AsyncCountingPoint, CountingPoint

KINDS = sorted({attempt.kind for attempt in ATTEMPTS})
Serving = Callable[[], AbstractContextManager[Address]]


def _wsgi() -> AbstractContextManager[Address]:
    def identity(environ: WSGIEnvironment) -> Identity | None:
        return signing.bearer().identity(environ.get("HTTP_AUTHORIZATION", ""))

    return serving.wsgi(Guarded(site.wsgi, Guard(CountingPoint()), identity, site.ROUTES))


SITES: dict[str, Serving] = {
    "flask": lambda: serving.wsgi(flask_site.create(CountingPoint())),
    "wsgi": _wsgi,
    "django": lambda: serving.wsgi(django_site.application()),
    "starlette": lambda: serving.asgi(starlette_site.starlette(AsyncCountingPoint())),
    "fastapi": lambda: serving.asgi(starlette_site.fastapi(CountingPoint())),
    "asgi": lambda: serving.asgi(starlette_site.table(CountingPoint()), lifespan="off"),
}


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return signing.tokens()


@pytest.fixture(scope="module", params=SITES)
def address(request: pytest.FixtureRequest) -> Iterator[Address]:
    with SITES[request.param]() as found:
        yield found


@pytest.fixture(scope="module")
def unguarded() -> Iterator[Address]:
    with serving.wsgi(site.wsgi) as found:
        yield found


@pytest.mark.parametrize("kind", KINDS)
def test_no_way_past(kind: str, address: Address, tokens: Tokens) -> None:
    for attempt in ATTEMPTS:
        if attempt.kind == kind:
            check(attempt, send(address, attempt.request, tokens))


@pytest.mark.parametrize("name", CONTROLS)
def test_what_is_permitted_comes(name: str, address: Address, tokens: Tokens) -> None:
    check_control(send(address, CONTROLS[name], tokens))


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_of_attempt_succeeds_where_nobody_guards(
    kind: str, unguarded: Address, tokens: Tokens
) -> None:
    """The table would notice: on the site alone most of it gets through."""
    of_kind = [attempt for attempt in ATTEMPTS if attempt.kind == kind]
    assert [attempt for attempt in of_kind if _passes(unguarded, attempt, tokens)]


def _passes(address: Address, attempt: Attempt, tokens: Tokens) -> bool:
    try:
        check(attempt, send(address, attempt.request, tokens))
    except AssertionError:
        return True
    return False
