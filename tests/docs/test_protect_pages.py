"""The code of the pages on protecting an application runs, and does what the page says."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

import pytest
from django.test import Client
from django.test.utils import override_settings
from fastapi.testclient import TestClient
from werkzeug.test import Client as WsgiClient

from authz.errors import DeclarationError
from authz.middleware import remote, remote_async
from tests.middleware import django_site
from tests.middleware.points import AsyncCountingPoint, CountingPoint

FOLDER = Path(__file__).parents[2] / "docs" / "how-to"
BLOCK = re.compile(r"^( *)```python\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
PAGE = "/students/mali/results"
RESULT = [{"assessment": "maths", "score": 87}]


def code(name: str) -> str:
    """All Python of a page, as one module."""
    text = (FOLDER / name).read_text("utf-8")
    return "\n".join(dedent(block) for _, block in BLOCK.findall(text))


def school() -> CountingPoint:
    point = CountingPoint()
    point.parent, point.children = "wanida", {"mali"}
    return point


@pytest.fixture(autouse=True)
def points(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The pages' decision point is one with their little school in it."""

    def waiting(*_arguments: Any) -> AsyncCountingPoint:
        made = AsyncCountingPoint()
        made.inner = school()
        return made

    monkeypatch.setenv("AUTHZ_TOKEN", "a-test")
    monkeypatch.setattr(remote, "RemotePoint", lambda *_arguments: school())
    monkeypatch.setattr(remote_async, "AsyncRemotePoint", waiting)
    yield
    sys.modules.pop("page", None)


def run(source: str) -> dict[str, Any]:
    module = ModuleType("page")
    sys.modules["page"] = module  # where annotations are looked up
    exec(compile(source, "page", "exec"), module.__dict__)  # noqa: S102 (our own pages)
    return module.__dict__


def as_told(get: Any) -> None:
    """Nobody, a stranger and her mother, as each page's table has it."""
    assert get(PAGE).status_code == 401
    assert get(PAGE, headers={"X-Demo-User": "somchai"}).status_code == 403
    seen = get(PAGE, headers={"X-Demo-User": "wanida"})
    assert seen.status_code == 200
    assert (seen.json() if callable(seen.json) else seen.json) == RESULT
    assert get("/").status_code == 200


def without(source: str, pattern: str) -> str:
    """The code with that declaration taken away."""
    found = re.sub(pattern, "", source, flags=re.MULTILINE)
    assert found != source
    return found


def said(page: str, message: str) -> None:
    """The page tells of a route in the very words that the check has."""
    assert message in (FOLDER / page).read_text("utf-8")


def test_flask() -> None:
    page = "protect-a-flask-application.md"
    as_told(run(code(page))["app"].test_client().get)
    with pytest.raises(DeclarationError) as found:
        run(without(code(page), r"^@needs\(.*\n"))
    said(page, found.value.message)


def test_fastapi_and_starlette() -> None:
    page = "protect-a-fastapi-application.md"
    made = run(code(page))
    with TestClient(made["app"]) as client:
        as_told(client.get)
    with TestClient(made["site"]) as client:
        assert client.get(PAGE, headers={"X-Demo-User": "wanida"}).json() == RESULT
        assert client.get(PAGE).status_code == 401
    bare = run(without(code(page), r"^    dependencies=.*needs.*\n"))
    with pytest.raises(DeclarationError) as found, TestClient(bare["app"]):
        pass
    said(page, found.value.message)


def test_django() -> None:
    page = "protect-a-django-application.md"
    made = run(code(page))
    settings = {"MIDDLEWARE": made["MIDDLEWARE"], "AUTHZ_MIDDLEWARE": made["options"]}
    assert made["AUTHZ_MIDDLEWARE"].endswith(".options")
    with override_settings(ROOT_URLCONF="page", **settings):
        as_told(Client().get)
    run(without(code(page), r"^@needs\(.*\n"))
    with (
        override_settings(ROOT_URLCONF="page", **settings),
        pytest.raises(DeclarationError) as found,
    ):
        django_site.application()
    said(page, found.value.message)


def test_wsgi() -> None:
    client = WsgiClient(run(code("protect-a-wsgi-or-asgi-application.md"))["application"])

    def get(path: str, **more: Any) -> Any:
        return client.get(path, **more)

    assert get(PAGE).status_code == 401
    assert get(PAGE, headers={"X-Demo-User": "somchai"}).status_code == 403
    seen = get(PAGE, headers={"X-Demo-User": "wanida"})
    assert (seen.status_code, seen.json) == (200, RESULT)
    assert get("/other").status_code == 403
    assert get("/students/mali/../other/results").status_code == 400
