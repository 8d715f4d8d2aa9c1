"""``/forward-auth`` as Envoy asks it, by the path, and what of it is recorded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from unittest.mock import Mock

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import text

from authz.api import forward_auth
from authz.api.forward_tally import REASONS
from authz.errors import AuditUnavailableError, NotReadyError, StoreUnavailableError
from authz.measures import FORWARDED
from authz.service.tokens import create_token
from docs.generator import metrics
from tests.api.conftest import Client, open_client
from tests.api.server import ROOT
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
        told = asking.ask("GET", "/forward-auth", x_forwarded_method="GET", x_forwarded_uri=uri)
        assert told.status_code == status


# What an operator reads of it.


def _samples(client: Client) -> dict[tuple[str, str], float]:
    token = create_token(
        client.store, client.settings, "prometheus", ["audit:read"], timedelta(hours=1), by="test"
    )
    found = client.ask("GET", "/metrics", authorization=f"Bearer {token}")
    assert found.status_code == 200
    return {
        (sample.labels["outcome"], sample.labels["reason"]): sample.value
        for family in text_string_to_metric_families(found.text)
        for sample in family.samples
        if sample.name == FORWARDED.name
    }


@contextmanager
def _counted(client: Client, outcome: str, reason: str) -> Iterator[None]:
    """One answer is counted in here, as this and nothing else."""
    before = _samples(client)
    yield
    after = _samples(client)
    grown = {key: n - before.get(key, 0) for key, n in after.items() if n != before.get(key, 0)}
    assert grown == {(outcome, reason): 1}
    assert reason in REASONS[outcome]


SEEN = {
    ("passed", "public"): ("GET", "/news/1", 200),
    ("passed", "permitted"): ("GET", "/people/mali", 200),
    ("refused", "refused"): ("GET", "/people/anan", 403),
    ("refused", "not_found"): ("GET", "/nowhere", 403),
    ("refused", "method_not_allowed"): ("DELETE", "/people/mali", 403),
    ("refused", "malformed"): ("GET", "/people/mali;x=1", 403),
    ("refused", "obligation_not_carried_out"): ("GET", "/unkept/mali", 403),
}


@pytest.mark.parametrize("key", SEEN, ids="-".join)
def test_each_answer_is_counted_once_by_why_it_is(key: tuple[str, str], envoy: Client) -> None:
    method, path, status = SEEN[key]
    with _counted(envoy, *key):
        assert envoy.ask(method, f"/forward-auth{path}").status_code == status


def test_strangers_and_nobody_are_counted_apart(envoy: Client) -> None:
    path = "/forward-auth/people/mali"
    with _counted(envoy, "refused", "unauthenticated"):
        assert envoy.ask("GET", path, authorization="Bearer x").status_code == 401
    with _counted(envoy, "refused", "proxy_unknown"):
        far = {"REMOTE_ADDR": "192.0.2.1"}
        assert envoy.app.test_client().get(path, environ_overrides=far).status_code == 403


def test_faults_are_counted_apart(
    envoy: Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = "/forward-auth/people/mali"
    faults: dict[str, tuple[Exception, int]] = {
        "store_unavailable": (StoreUnavailableError("away"), 503),
        "audit_unavailable": (AuditUnavailableError("full"), 503),
        "not_ready": (NotReadyError("no tables"), 503),
        "internal": (ZeroDivisionError("ours"), 500),
    }
    for reason, (error, status) in faults.items():
        with _counted(envoy, "failed", reason), monkeypatch.context() as patch:
            patch.setattr(forward_auth, "_permitted", Mock(side_effect=error))
            assert envoy.ask("GET", path).status_code == status
    (tmp_path / "jwks.json").unlink()
    with _counted(envoy, "failed", "keys_unavailable"):
        assert envoy.ask("GET", path).status_code == 503


def test_each_reason_is_one_that_is_seen() -> None:
    apart = {("refused", "unauthenticated"), ("refused", "proxy_unknown")}
    known = {(outcome, reason) for outcome, reasons in REASONS.items() for reason in reasons}
    assert SEEN.keys() | apart == {key for key in known if key[0] != "failed"}


def test_every_alert_is_about_what_is_counted() -> None:
    page = (ROOT / "docs/how-to/ask-from-a-proxy.md").read_text("utf-8")
    asked = [line for line in page.splitlines() if "expr: " in line]
    assert metrics.used("\n".join(asked)) == {FORWARDED.name}
