"""Whoever sends slowly to a public route keeps nobody else out of the gateway (N-51)."""

from __future__ import annotations

import io
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from threading import Event

import pytest
from werkzeug.test import Client, TestResponse

from tests.gateway import site
from tests.gateway.scripted import RESULTS, Upstream, answer, ask, code, standing
from tests.middleware import signing
from tests.middleware.points import CountingPoint
from tests.middleware.site import MUM
from tests.waiting import until

PLACES = 3
OPEN = """
[[route]]
path = "/sign-in"
methods = ["POST"]
public = "who signs in is nobody yet"
accepts = ["application/json"]
"""
BODY = b'{"name":"a"}'
LARGE = b'"' + b"a" * 200_000 + b'"'


class Slow(io.BytesIO):
    """A body that comes once it is let."""

    def __init__(self, body: bytes, comes: Event) -> None:
        super().__init__(body)
        self.comes = comes
        self.waiting = False

    def read(self, size: int | None = -1, /) -> bytes:
        self.waiting = True
        assert self.comes.wait(60)
        return super().read(size)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[tuple[Upstream, Client]]:
    with standing(tmp_path, f"bodies = {PLACES}\n", routes=site.ROUTES + OPEN) as found:
        found[0].says = answer(b"{}")
        yield found


def send(client: Client, stream: io.BytesIO, length: int) -> TestResponse:
    said = {"CONTENT_LENGTH": str(length), "CONTENT_TYPE": "application/json"}
    return client.post("/sign-in", input_stream=stream, environ_overrides=said)


@contextmanager
def waiting(client: Client, body: bytes, many: int) -> Iterator[list[Future[TestResponse]]]:
    """So many callers whose bodies do not come before the end."""
    comes = Event()
    bodies = [Slow(body, comes) for _ in range(many)]
    with ThreadPoolExecutor(many) as pool:
        try:
            sent = [pool.submit(send, client, each, len(body)) for each in bodies]
            until(lambda: all(each.waiting for each in bodies))
            yield sent
        finally:
            comes.set()


def change(client: Client, stream: io.BytesIO, length: int, token: str = "") -> TestResponse:
    """The same to a route that asks; by the parent, if nobody else is named."""
    said = {"CONTENT_LENGTH": str(length), "CONTENT_TYPE": "application/json"}
    headers = {"Authorization": f"Bearer {token or signing.mint(MUM)}"}
    return client.post(RESULTS, input_stream=stream, environ_overrides=said, headers=headers)


each_way = pytest.mark.parametrize("body", [BODY, LARGE], ids=["read whole", "sent on in pieces"])


@each_way
def test_who_never_ends_a_body_keeps_nobody_else_out(
    gateway: tuple[Upstream, Client], body: bytes
) -> None:
    _, client = gateway
    with waiting(client, body, PLACES) as slow:
        refused = send(client, io.BytesIO(body), len(body))
        assert (refused.status_code, code(refused)) == (429, "too_many")
        assert int(refused.headers["Retry-After"]) > 0
        assert ask(client).status_code == 200
        assert client.get("/").status_code == 200
    assert [each.result().status_code for each in slow] == [200] * PLACES
    assert send(client, io.BytesIO(BODY), len(BODY)).status_code == 200


@each_way
def test_who_finds_no_place_is_not_asked_about_and_nothing_is_sent(
    tmp_path: Path, body: bytes
) -> None:
    point = CountingPoint()
    routes = site.ROUTES + OPEN
    with standing(tmp_path, "bodies = 1\n", point=point, routes=routes) as (upstream, client):
        with waiting(client, body, 1):
            begun = int(body is LARGE)  # the other one is read before anything is sent
            until(lambda: upstream.reached == begun)
            refused = change(client, io.BytesIO(body), len(body))
            assert (refused.status_code, code(refused)) == (429, "too_many")
            assert (point.asked, upstream.reached) == ([], begun)
            stranger = change(client, io.BytesIO(body), len(body), token=signing.unsigned(MUM))
            assert stranger.status_code == 401
        assert change(client, io.BytesIO(body), len(body)).status_code == 403
        assert len(point.asked) == 1


def test_who_is_refused_gives_the_place_back(gateway: tuple[Upstream, Client]) -> None:
    _, client = gateway
    for _ in range(2 * PLACES):
        assert change(client, io.BytesIO(LARGE), len(LARGE)).status_code == 403
    assert send(client, io.BytesIO(BODY), len(BODY)).status_code == 200


@each_way
def test_one_that_is_cut_off_gives_its_place_back(
    gateway: tuple[Upstream, Client], body: bytes
) -> None:
    _, client = gateway
    for _ in range(2 * PLACES):
        cut = send(client, io.BytesIO(body), len(body) + 1)
        assert (cut.status_code, code(cut)) == (400, "malformed")
    assert send(client, io.BytesIO(BODY), len(BODY)).status_code == 200


def test_a_request_without_a_body_takes_no_place(gateway: tuple[Upstream, Client]) -> None:
    _, client = gateway
    with waiting(client, BODY, PLACES):
        assert client.post("/sign-in").status_code == 200
