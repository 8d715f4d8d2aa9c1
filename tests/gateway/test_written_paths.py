"""A path as a client writes it, over a raw socket and the real server: decided as it is sent on.

Granian's WSGI has decoded a path before anybody sees it, so that ``%2f`` is a slash. What counts is
that it is the same slash in what is matched, in what is decided and in what the upstream is sent.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway import site
from tests.gateway.scripted import Upstream
from tests.middleware import signing
from tests.middleware.bypass import Address, Tokens, request, send
from tests.middleware.site import KID, OTHER

Standing = tuple[Upstream, Address]
RESULTS = f"/students/{KID}/results"


@pytest.fixture(scope="module")
def gateway(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Standing]:
    upstream = Upstream()
    folder = tmp_path_factory.mktemp("gateway")
    path = site.write(folder, site.tables(upstream.address) + site.ROUTES)
    try:
        with site.running(path) as address:
            yield upstream, address
    finally:
        upstream.close()


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return signing.tokens()


def sent_on(gateway: Standing, tokens: Tokens, target: str) -> tuple[int, list[bytes]]:
    """The status of the answer, and what the upstream heard for it."""
    upstream, address = gateway
    upstream.heard.clear()
    return send(address, request("GET", target), tokens).status, list(upstream.heard)


@pytest.mark.parametrize(
    "target",
    [
        RESULTS,
        RESULTS.replace("/", "%2f").replace("%2f", "/", 1),
        f"/students/{KID}%2Fresults",
        f"/students%2F{KID}%2fresults",
        "/s%74udents/%6b%69%64/results",
    ],
)
def test_what_was_decided_is_what_the_upstream_is_sent(
    target: str, gateway: Standing, tokens: Tokens
) -> None:
    """In one spelling: no encoded slash is left that another could take for something else."""
    status, heard = sent_on(gateway, tokens, target)
    assert status == 200
    (head,) = heard
    line, *headers = head.split(b"\r\n")
    assert line == f"GET {RESULTS} HTTP/1.1".encode()
    assert f"X-Authz-Person: {KID}".encode() in headers


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (f"/students%2f{OTHER}%2fresults", 403),
        (f"/students/{KID}%2f..%2f{OTHER}/results", 400),
        (f"/students/{KID}%2f%2e%2e%2f{OTHER}/results", 400),
        (f"/students/{KID}%252fresults", 400),
        (f"/students/{KID}%2525252fresults", 400),
        (f"/students/{KID}%5cresults", 400),
        (f"/students/{KID}%c0%afresults", 400),
        (f"/students/{KID}%ef%bc%8fresults", 400),
        (f"{RESULTS}%3fstudent={OTHER}", 400),
        (f"{RESULTS}%23", 400),
        (f"{RESULTS}%00", 400),
        (f"{RESULTS}%0d%0aX-Authz-Person:%20{OTHER}", 400),
        (f"{RESULTS}%20", 400),
        (f"{RESULTS}%2f", 404),
        (f"{RESULTS}%3bx=1", 400),
        (f"%2f{RESULTS}", 400),
        (f"/%2f{RESULTS[1:]}", 400),
        (f"/students/%2f{KID}/results", 400),
    ],
)
def test_what_has_two_readings_reaches_nobody(
    target: str, status: int, gateway: Standing, tokens: Tokens
) -> None:
    assert sent_on(gateway, tokens, target) == (status, [])
