"""What a caller may send: bodies, forms, headers and methods, before anything is sent on."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from werkzeug.test import Client, TestResponse

from tests.gateway import site
from tests.gateway.scripted import BODY, HEAD, RESULTS, Upstream, answer, ask, code, standing
from tests.middleware import signing
from tests.middleware.points import CountingPoint
from tests.middleware.site import KID, MUM, OTHER

REPORT = f"/students/{KID}/report"
SECRET = "a-secret-of-thirty-two-bytes-or-more"
PARTS = "multipart/form-data; boundary=x"
UPLOADS = """
[[route]]
path = "/uploads"
methods = ["POST", "PUT"]
public = "an upload of nobody's data"
accepts = ["application/octet-stream", "multipart/form-data", "application/x-www-form-urlencoded"]

[[route]]
path = "/by-header"
methods = ["GET"]
action = "read"
category = "assessment_result"
person = { header = "X-Student" }

[[route]]
path = "/events"
methods = ["GET"]
public = "a stream of news"
stream = true
"""
Standing = tuple[Upstream, Client]


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Standing]:
    with standing(tmp_path, routes=site.ROUTES + site.BY_BODY + UPLOADS) as found:
        yield found


def _post(client: Client, path: str, data: bytes, kind: str, **environ: Any) -> TestResponse:
    signed = {"Authorization": f"Bearer {signing.mint(MUM)}"}
    return client.open(
        path, method="POST", data=data, content_type=kind, headers=signed,
        environ_overrides=environ, buffered=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    "body",
    [
        {"student": KID, "Student": OTHER},
        {"student": KID, "student[]": OTHER},
        {"STUDENT": KID},
        {"student": KID.upper()},
        {"student": 1.5},
        {"student": True},
        {"student": ""},
        {"student": f" {KID}"},
        {"student": f"{KID}\u200b"},
    ],
)
def test_a_member_with_two_readings_is_refused(body: dict[str, Any], gateway: Standing) -> None:
    upstream, client = gateway
    found = _post(client, "/lookup", json.dumps(body).encode(), "application/json")
    assert found.status_code in (400, 403)
    assert upstream.heard == []


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        ("application/json", 200),
        ("application/json; charset=utf-8", 200),
        ("application/json; charset=utf-16", 400),
        ("text/json", 400),
        ("text/plain", 400),
        ("application/x-www-form-urlencoded", 400),
        ("", 400),
    ],
)
def test_only_json_is_read_as_json(kind: str, status: int, gateway: Standing) -> None:
    upstream, client = gateway
    body = json.dumps({"student": KID}).encode()
    assert _post(client, "/lookup", body, kind).status_code == status
    if status == 200:
        assert upstream.heard[-1].endswith(body)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("application/x-www-form-urlencoded", b"a=1&_method=DELETE"),
        ("application/x-www-form-urlencoded", b"a=1&%5Fmethod=DELETE"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="_method"',
        ),
        (PARTS, b"--x\r\n" + b" " * 65530 + b"; name=_method\r\n"),
        (PARTS, b"--x\r\n" + b"x" * 65400 + b"; name=" + b" " * 200 + b'"_method"\r\n'),
        (PARTS, b"--x\r\nContent-Disposition: form-data; name*=utf-8''%5Fmethod\r\n"),
        (PARTS, b'--x\r\nContent-Disposition: form-data; name*0="_me"; name*1="thod"\r\n'),
        (PARTS, b'--x\r\nContent-Disposition: form-data; name="\\_meth\\od"\r\n'),
        (PARTS, b'--x\r\nContent-Disposition: form-data; name="[_method]"\r\n'),
        (PARTS, b"--x\r\nContent-Disposition: form-data;\r\n name\r\n =\r\n _method\r\n"),
        ("application/x-www-form-urlencoded", b"a=1&[_method]=DELETE"),
    ],
)
def test_a_form_that_wants_another_method_is_refused(
    kind: str, data: bytes, gateway: Standing
) -> None:
    upstream, client = gateway
    assert _post(client, "/uploads", data, kind).status_code == 400
    assert not [heard for heard in upstream.heard if heard.endswith(data)]


def test_a_large_body_is_handed_on_as_it_came(gateway: Standing) -> None:
    upstream, client = gateway
    data = bytes(range(256)) * 4096
    assert _post(client, "/uploads", data, "application/octet-stream").status_code == 200
    assert upstream.heard[-1].endswith(data)
    assert b"Content-Length: 1048576\r\n" in upstream.heard[-1]


@pytest.mark.parametrize(
    "environ",
    [
        {"CONTENT_LENGTH": "-1"},
        {"CONTENT_LENGTH": "5,5"},
        {"CONTENT_LENGTH": "+5"},
        {"CONTENT_LENGTH": "50"},
        {"HTTP_TRANSFER_ENCODING": "chunked"},
        {"HTTP_UPGRADE": "websocket"},
        {"HTTP_CONNECTION": "close, X-Student"},
        {"HTTP_X_HTTP_METHOD_OVERRIDE": "DELETE"},
        {"HTTP_X_METHOD_OVERRIDE": "GET"},
        {"HTTP_X_A": "a\r\nX-Authz-Subject: head"},
        {"REQUEST_METHOD": "post"},
        {"REQUEST_METHOD": "TRACE"},
        {"REQUEST_METHOD": "CONNECT"},
        {"REQUEST_METHOD": "POST /x HTTP/1.1\r\nX: "},
    ],
    ids=str,
)
def test_a_request_that_is_more_than_one_is_refused(
    environ: dict[str, str], gateway: Standing
) -> None:
    upstream, client = gateway
    data = b'{"student":"kid"}'
    found = _post(client, "/lookup", data, "application/json", **environ)
    assert found.status_code in (400, 405)
    assert upstream.heard == []


@pytest.mark.parametrize("value", [f"{KID}, {OTHER}", f"{KID},{KID}", "", OTHER, "kïd"])
def test_a_header_with_two_values_is_refused(value: str, gateway: Standing) -> None:
    upstream, client = gateway
    assert ask(client, "/by-header", X_Student=value).status_code in (400, 403)
    assert upstream.heard == []
    assert ask(client, "/by-header", X_Student=KID).status_code == 200
    assert b"\r\nx-student: kid\r\n" in upstream.heard[-1]


def test_a_host_of_somebody_else_is_not_answered(tmp_path: Path) -> None:
    with standing(tmp_path, 'hosts = ["results.test"]') as (upstream, client):
        assert ask(client, Host="results.test").status_code == 200
        assert ask(client, Host="other.test").status_code == 404
        assert len(upstream.heard) == 1
        assert b"Host: other.test" not in upstream.heard[0]


def test_an_answer_without_a_length_comes_whole(gateway: Standing) -> None:
    """In memory or in a file, with the length that it turned out to have."""
    upstream, client = gateway
    piece = b"5000\r\n" + b"a" * 0x5000 + b"\r\n"
    upstream.says = f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + piece * 3 + b"0\r\n\r\n"
    found = ask(client, REPORT)
    assert found.data == b"a" * 0x5000 * 3
    assert found.headers["Content-Length"] == str(0x5000 * 3)
    assert found.headers["Cache-Control"] == "private, no-cache"


def test_a_route_that_streams_hands_on_what_comes(gateway: Standing) -> None:
    upstream, client = gateway
    upstream.says = (
        f"{HEAD}Transfer-Encoding: chunked\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n".encode()
    )
    found = client.open("/events")
    assert list(found.response) == [b"one", b"two"]
    assert "Content-Length" not in found.headers


def test_conditions_and_ranges_pass_where_nothing_is_limited(gateway: Standing) -> None:
    upstream, client = gateway
    upstream.says = answer(b"", 'ETag: "a"', status="304 Not Modified")
    found = ask(client, REPORT, If_None_Match='"a"')
    assert (found.status_code, found.headers["ETag"]) == (304, '"a"')
    assert b'if-none-match: "a"' in upstream.heard[-1]
    assert ask(client, f"/students/{OTHER}/report", If_None_Match='"a"').status_code == 403
    assert len(upstream.heard) == 1


def test_the_upstream_can_make_sure_that_the_gateway_sent_it(tmp_path: Path) -> None:
    """E-06, N-41: an assertion of one minute over method, path and what was permitted."""
    (tmp_path / "secret").write_text(SECRET)
    with standing(tmp_path, 'assertion_key = "secret"') as (upstream, client):
        assert ask(client, RESULTS + "?a=1", X_Authz_Assertion="forged").status_code == 200
        head = upstream.heard[-1].decode().split("\r\n")
        (sent,) = [line.split(": ")[1] for line in head if line.lower().startswith("x-authz-asse")]
        claims = jwt.decode(sent, OctKey.import_key(SECRET), algorithms=["HS256"]).claims
        assert (claims["htm"], claims["htu"]) == ("GET", RESULTS + "?a=1")
        assert claims["authz"]["X-Authz-Subject"] == MUM
        assert 0 < claims["exp"] - claims["iat"] <= 60


def test_no_token_or_body_is_logged(gateway: Standing, caplog: pytest.LogCaptureFixture) -> None:
    """E-01: a log names a request and a code, and nothing of what was in it."""
    upstream, client = gateway
    upstream.says = answer(b'{"score": SECRET')
    with caplog.at_level(logging.DEBUG):
        assert code(ask(client)) == "upstream_failed"
        assert ask(client, "/nowhere").status_code == 404
    assert "upstream_failed" in caplog.text
    assert signing.mint(MUM)[:20] not in caplog.text
    assert "SECRET" not in caplog.text
    assert KID not in caplog.text


def test_a_browser_is_told_in_its_language(gateway: Standing) -> None:
    _, client = gateway
    found = client.open(RESULTS, headers={"Accept-Language": "th", "Accept": "text/html"})
    assert found.status_code == 401
    assert "โปรดลงชื่อเข้าใช้" in found.text
    assert found.headers["Content-Language"] == "th"


def test_alive(gateway: Standing) -> None:
    upstream, client = gateway
    assert client.open("/.authz/healthz").json == {"status": "alive"}
    assert upstream.heard == []


def test_everything_is_decided_anew(tmp_path: Path) -> None:
    """A token is remembered, a permit never is (N-42)."""
    point = CountingPoint()
    with standing(tmp_path, point=point) as (upstream, client):
        assert ask(client).status_code == 200
        point.children.clear()
        assert ask(client).status_code == 403
        assert len(upstream.heard) == 1
        assert upstream.says == answer(BODY)


def test_what_is_asked_of_a_path_is_asked_for_whoever_asks(tmp_path: Path) -> None:
    """What a path asks is worked out once; but not for whom."""
    point = CountingPoint()
    with standing(tmp_path, point=point) as (_, client):
        tokens = [signing.mint(MUM), signing.mint("stranger"), signing.mint(MUM)]
        found = [ask(client, Authorization=f"Bearer {token}").status_code for token in tokens]
    assert found == [200, 403, 200]
    assert [each.subject for (each,) in point.asked] == [MUM, "stranger", MUM]
