"""``/forward-auth`` as Envoy asks it, by the path, and what of it is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.conftest import Client, open_client
from tests.gateway import site
from tests.middleware import signing

ROUTES = f"""
{site.IDENTITY}
[forward_auth]
told = "path"

[[route]]
path = "/"
methods = ["GET"]
public = "the front page"

[[route]]
path = "/news/{{item}}"
methods = ["GET"]
public = "news"

[[route]]
path = "/people/{{person}}"
methods = ["GET", "POST"]
action = "read"
category = "identity"
person = {{ path = "person" }}
carries = ["fields"]

[[route]]
path = "/me"
methods = ["GET"]
action = "read"
category = "identity"
person = {{ claim = "sub" }}
fields = ["given_name"]
carries = ["fields"]

[[route]]
path = "/unkept/{{person}}"
methods = ["GET"]
action = "read"
category = "identity"
person = {{ path = "person" }}
"""


@pytest.fixture
def envoy(sqlite_url: str, tmp_path: Path) -> Iterator[Client]:
    routes = site.write(tmp_path, ROUTES)
    for client in open_client(sqlite_url, tmp_path, forward_auth=routes, audit_folder=""):
        yield Client(client.app, signing.mint("mali"))


def test_a_permit_is_told_in_headers_and_recorded(envoy: Client) -> None:
    """N-41, N-49: decided by the same point, recorded as any other decision."""
    found = envoy.ask("GET", "/forward-auth/people/mali?a=1")
    assert (found.status_code, found.data) == (200, b"")
    assert found.headers["X-Authz-Subject"] == found.headers["X-Authz-Person"] == "mali"
    assert found.headers["X-Authz-Fields"] == "family_name,given_name"
    assert found.headers["X-Authz-Decision-Id"]
    with envoy.store.connect() as connection:
        asked = "SELECT * FROM audit_record ORDER BY sequence DESC LIMIT 1"
        record = str(tuple(connection.execute(text(asked)).one()))
    assert "forward-auth" in record


def test_a_person_may_be_the_one_who_asks(envoy: Client) -> None:
    found = envoy.ask("GET", "/forward-auth/me")
    assert found.headers["X-Authz-Person"] == "mali"
    assert found.headers["X-Authz-Fields"] == "given_name"


def test_what_is_public_is_told_without_a_name(envoy: Client) -> None:
    found = envoy.ask("GET", "/forward-auth/news/1", authorization=None)
    assert found.status_code == 200
    assert found.headers["X-Authz-Subject"] == ""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/people/anan", 403),
        ("GET", "/unkept/mali", 403),
        ("GET", "/nowhere", 403),
        ("DELETE", "/people/mali", 403),
        ("OPTIONS", "/people/mali", 403),
        ("GET", "//people/mali", 404),
        ("GET", "/", 200),
        ("GET", "/people/../people/mali", 403),
        ("GET", "/people/mali;x=1", 403),
        ("GET", "/people/%2e%2e/mali", 403),
        ("GET", "/people/mali?_method=DELETE", 403),
        ("GET", "/People/mali", 403),
        ("POST", "/people/mali", 200),
        ("HEAD", "/people/mali", 200),
    ],
)
def test_other_requests(envoy: Client, method: str, path: str, status: int) -> None:
    assert envoy.ask(method, f"/forward-auth{path}").status_code == status


def test_nobody_and_a_stranger_to_the_network(envoy: Client) -> None:
    path = "/forward-auth/people/mali"
    assert envoy.ask("GET", path, authorization=None).status_code == 401
    assert envoy.ask("GET", path, authorization="Bearer x").status_code == 401
    far = {"REMOTE_ADDR": "192.0.2.1"}
    signed = {"Authorization": f"Bearer {envoy.token}"}
    found = envoy.app.test_client().get(path, headers=signed, environ_overrides=far)
    assert found.status_code == 403


def test_without_a_file_there_is_no_such_path(client: Client) -> None:
    assert client.ask("GET", "/forward-auth").status_code == 404
    assert client.ask("GET", "/forward-auth/people/mali").status_code == 404


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (None, 200), ("application/json", 200), ("Application/JSON; charset=utf-8", 200),
        ("application/x-www-form-urlencoded", 403), ("multipart/form-data; boundary=x", 403),
        ("text/plain", 403),
    ],
)  # fmt: skip
def test_a_body_of_a_type_that_the_route_does_not_take(
    envoy: Client, kind: str | None, status: int
) -> None:
    """The proxy shows no body: a form could name another method, as ``_method``."""
    found = envoy.ask("POST", "/forward-auth/people/mali", content_type=kind)
    assert found.status_code == status


@pytest.mark.parametrize(
    ("uri", "status"),
    [
        ("/people/mali", 200), ("/news/1,2", 200), ("/news/1,/people/anan", 403),
        ("/news/1, /people/anan", 403), ("/news/1,http://x/people/anan", 403), ("", 403),
    ],
)  # fmt: skip
def test_two_addresses_in_one_header_are_none(
    sqlite_url: str, tmp_path: Path, uri: str, status: int
) -> None:
    text = ROUTES.replace('told = "path"', "").replace("/news/{item}", "/news/{item...}")
    routes = site.write(tmp_path, text)
    for client in open_client(sqlite_url, tmp_path, forward_auth=routes, audit_folder=""):
        asking = Client(client.app, signing.mint("mali"))
        told: dict[str, Any] = {"x_forwarded_method": "GET", "x_forwarded_uri": uri}
        assert asking.ask("GET", "/forward-auth", **told).status_code == status
