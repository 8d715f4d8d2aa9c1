"""The table of ways past, against the gateway on its own server, before a site that asks nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.gateway import site
from tests.middleware import serving, signing
from tests.middleware import site as behind
from tests.middleware.bypass import (
    ATTEMPTS,
    CONTROLS,
    Address,
    Tokens,
    check,
    check_control,
    send,
)

KINDS = sorted({attempt.kind for attempt in ATTEMPTS})


@pytest.fixture(scope="module")
def tokens() -> Tokens:
    return signing.tokens()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    with serving.wsgi(behind.wsgi) as upstream:
        folder = tmp_path_factory.mktemp("gateway")
        path = site.write(folder, site.tables(upstream) + site.ROUTES + site.BY_BODY)
        with site.running(path) as found:
            yield found


@pytest.mark.parametrize("kind", KINDS)
def test_no_way_past(kind: str, address: Address, tokens: Tokens) -> None:
    for attempt in ATTEMPTS:
        if attempt.kind == kind:
            check(attempt, send(address, attempt.request, tokens))


@pytest.mark.parametrize("name", CONTROLS)
def test_what_is_permitted_comes(name: str, address: Address, tokens: Tokens) -> None:
    check_control(send(address, CONTROLS[name], tokens))
