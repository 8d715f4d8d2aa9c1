"""A loopback server, each kind of client in turn, and a clock that stands."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from authz import clock
from authz.middleware.remote import RemotePoint
from tests.middleware.asking import Maker, Waited
from tests.middleware.loopback import Loopback, loopback
from tests.middleware.steady import Time


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


@pytest.fixture
def steady(monkeypatch: pytest.MonkeyPatch) -> Time:
    found = Time()
    monkeypatch.setattr(clock, "monotonic", found)
    return found
