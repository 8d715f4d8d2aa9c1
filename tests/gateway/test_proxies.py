"""The table of ways past, against the real proxies, which ask ``/forward-auth``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from functools import cache
from itertools import count
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from authz.middleware.gateway import headers, onward
from tests.api.server import Server
from tests.gateway import proxies
from tests.middleware import serving, signing, site
from tests.middleware.bypass import (
    ATTEMPTS,
    CONTROLS,
    Address,
    Tokens,
    check,
    check_control,
    request,
    send,
)

KINDS = sorted({attempt.kind for attempt in ATTEMPTS})
REPORT = f"/students/{site.KID}/report"
SEEN: list[WSGIEnvironment] = []
"""What the upstream was sent, also by those who did not wait for an answer."""
_numbers = count()


def seen(mark: str) -> list[WSGIEnvironment]:
    """What it was sent with that mark."""
    return [each for each in SEEN if each.get("HTTP_X_MARK") == mark]


def _upstream(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    SEEN.append(environ)
    return site.wsgi(environ, start_response)


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return signing.tokens()


@pytest.fixture
def mark() -> str:
    """What tells the request of one test from all others."""
    return f"m-{next(_numbers)}"


@pytest.fixture(scope="module")
def services(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Server]]:
    """The service, by how proxies tell it what they were asked; each is started once."""
    with ExitStack() as stack:

        @cache
        def service(told: str) -> Server:
            folder = tmp_path_factory.mktemp(f"authz-{told}")
            return stack.enter_context(proxies.place(folder, told).serving())

        yield service


@pytest.fixture(scope="module")
def service(services: Callable[[str], Server]) -> Server:
    return services("headers")


@pytest.fixture(scope="module", params=proxies.PROXIES)
def address(
    request: pytest.FixtureRequest,
    services: Callable[[str], Server],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Address]:
    name = str(request.param)
    proxies.program(name)
    port = services(proxies.PROXIES[name].told).port
    folder = tmp_path_factory.mktemp(name)
    with (
        serving.wsgi(_upstream) as upstream,
        proxies.running(name, folder, port, upstream) as found,
    ):
        yield found


@pytest.mark.parametrize("kind", KINDS)
def test_no_way_past(kind: str, address: Address, tokens: Tokens) -> None:
    for attempt in ATTEMPTS:
        if attempt.kind == kind:
            check(attempt, send(address, attempt.request, tokens))


def test_what_the_upstream_carries_out_is_permitted(
    address: Address, tokens: Tokens, mark: str
) -> None:
    """The upstream is told who asks and which fields it may give."""
    check_control(send(address, request("GET", REPORT, f"X-Mark: {mark}"), tokens))
    told = seen(mark)[-1]
    assert told["HTTP_X_AUTHZ_SUBJECT"] == site.MUM
    assert told["HTTP_X_AUTHZ_PERSON"] == site.KID
    assert told["HTTP_X_AUTHZ_FIELDS"] == "assessment,score"
    assert told["HTTP_X_AUTHZ_DECISION_ID"]
    assert told["HTTP_X_AUTHZ_SUBJECT_TYPE"] == "user"
    assert told["HTTP_X_AUTHZ_ACTION"] == "read"
    assert told["HTTP_X_AUTHZ_CATEGORY"] == "assessment_result"
    assert "HTTP_AUTHORIZATION" not in told


@pytest.mark.parametrize(
    "spoofed",
    [*onward.NOBODY, onward.ASSERTION, "X_Authz_Subject", "x-authz_subject", "X_AUTHZ_FIELDS"],
)
@pytest.mark.parametrize("path", [REPORT, "/"])
def test_nobody_says_what_only_the_proxy_says(
    path: str, spoofed: str, address: Address, tokens: Tokens, mark: str
) -> None:
    text = request("GET", path, f"{spoofed}: head", f"X-Mark: {mark}")
    assert send(address, text, tokens).status == 200
    assert seen(mark)
    assert not [value for each in seen(mark) for value in each.values() if value == "head"]


@pytest.mark.parametrize("name", ["X-Forwarded_Uri", "X_Forwarded-Uri", "x_forwarded_uri"])
def test_another_spelling_of_a_told_header_is_not_told(
    name: str, address: Address, tokens: Tokens
) -> None:
    """A WSGI server reads ``_`` as ``-``: the service would take the caller's word for it."""
    others = f"/students/{site.OTHER}/report"
    method = name.replace("Uri", "Method").replace("uri", "method")
    for told in ("/", REPORT):
        text = request("GET", others, f"{name}: {told}", f"{method}: GET")
        found = send(address, text, tokens)
        assert (found.status, site.SECRET in found.data) == (403, False)


@pytest.mark.parametrize("name", sorted(headers.OVERRIDES))
def test_a_header_that_names_another_method_is_seen_and_refused(
    name: str, address: Address, tokens: Tokens, mark: str
) -> None:
    """A proxy that keeps it from the service, and hands it on, has a read permitted as a change."""
    text = request("GET", REPORT, f"{name}: DELETE", f"X-Mark: {mark}")
    assert send(address, text, tokens).status == 403
    assert not seen(mark)


@pytest.mark.parametrize("slash", ["%2f", "%2F", "%252f", "%5c"])
def test_an_encoded_slash_reaches_nobody(
    slash: str, address: Address, tokens: Tokens, mark: str
) -> None:
    """A proxy hands a path on as it was written, and the service may have read it as a slash."""
    report = REPORT.replace("/report", f"{slash}report")
    text = request("GET", report, f"X-Mark: {mark}")
    assert send(address, text, tokens).status in {400, 403, 404}
    assert not seen(mark)


@pytest.mark.parametrize("name", ["a path", "a query", "a body"])
def test_what_nobody_filters_is_refused(name: str, address: Address, tokens: Tokens) -> None:
    """A permit with limited fields, where no upstream says that it keeps the limit."""
    assert send(address, CONTROLS[name], tokens).status == 403


def test_only_the_proxy_is_answered(service: Server, tokens: Tokens) -> None:
    """A caller that reaches the service itself says nothing about a first request."""
    told: dict[str, Any] = {
        "x_forwarded_method": "GET",
        "x_forwarded_uri": REPORT,
        "authorization": f"Bearer {tokens.token}",
    }
    good = proxies.TOKEN
    assert service.ask("GET", "/forward-auth", x_authz_proxy_token=good, **told).status == 200
    for token in (None, "", "wrong", good + "x"):
        answer = service.ask("GET", "/forward-auth", x_authz_proxy_token=token, **told)
        assert (answer.status, answer.json["code"]) == (403, "refused")
    nobody = {**told, "authorization": None}
    answer = service.ask("GET", "/forward-auth", x_authz_proxy_token=good, **nobody)
    assert answer.status == 401
