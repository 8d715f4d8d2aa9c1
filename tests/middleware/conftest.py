"""A loopback server, and each kind of client in turn."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from authz.middleware.remote import RemotePoint
from tests.middleware.asking import Maker, Waited
from tests.middleware.loopback import Loopback, loopback


@pytest.fixture
def server() -> Iterator[Loopback]:
    with loopback() as found:
        yield found


@pytest.fixture(params=[RemotePoint, Waited], ids=["threads", "loop"])
def make(request: pytest.FixtureRequest) -> Iterator[Maker]:
    maker = Maker(request.param, [])
    yield maker
    for each in maker.made:
        each.close()
