"""What an operator reads of the gateway's answers: how many, why, and about nobody."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from werkzeug.test import Client

from authz.errors import RoutesError, UpstreamError
from authz.measures import GATEWAY
from authz.middleware.answer import RUBBISH, TIMEOUT, UNAVAILABLE, Answer
from authz.middleware.gateway.app import METRICS
from authz.middleware.gateway.tally import REASONS
from authz.middleware.question import Question
from docs.generator import metrics
from tests.api.server import HOST, ROOT, free_port
from tests.gateway import site
from tests.gateway.scripted import BODY, HEAD, RESULTS, Upstream, answer, ask, standing
from tests.middleware import signing
from tests.middleware.points import CountingPoint
from tests.middleware.site import KID, MUM, OTHER
from tests.waiting import PATIENCE, until

TOKEN = "a-token-of-prometheus-of-32-bytes"
NAMED = 'metrics_token = "metrics-token"'
STREAM = """
[[route]]
path = "/events"
methods = ["GET"]
public = "a stream of news"
stream = true
"""
Samples = Mapping[tuple[str, str], float]


class Point(CountingPoint):
    """Fails in the way that it is told to."""

    fault = ""

    def _one(self, question: Question) -> Answer:
        if self.fault == "internal":
            raise ValueError("SECRET")
        return Answer.refused(self.fault) if self.fault else super()._one(question)


Standing = tuple[Upstream, Client, Point]
Prepare = Callable[[Upstream, Point], None]


@contextmanager
def counting(folder: Path, seconds: float = PATIENCE) -> Iterator[Standing]:
    """A gateway that counts, and waits so long for the upstream."""
    (folder / "metrics-token").write_text(TOKEN)
    point = Point()
    routes = site.ROUTES + site.BY_BODY + STREAM
    with standing(folder, NAMED, point, routes, seconds) as (upstream, client):
        yield upstream, client, point


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Standing]:
    with counting(tmp_path) as found:
        yield found


def samples(text: str) -> Samples:
    families = list(text_string_to_metric_families(text))
    assert [family.name for family in families] == ["authz_gateway_answers"]
    return {
        (sample.labels["outcome"], sample.labels["reason"]): sample.value
        for sample in families[0].samples
    }


def read(client: Client) -> Samples:
    found = ask(client, METRICS, Authorization=f"Bearer {TOKEN}")
    assert found.status_code == 200
    assert found.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert found.headers["Cache-Control"] == "no-store"
    return samples(found.text)


def grown(before: Samples, after: Samples) -> Samples:
    return {key: n - before.get(key, 0) for key, n in after.items() if n != before.get(key, 0)}


def _away(upstream: Upstream, _: Point) -> None:
    upstream.close()


def _mute(upstream: Upstream, _: Point) -> None:
    upstream.says = upstream.hang


def _html(upstream: Upstream, _: Point) -> None:
    upstream.says = answer(BODY).replace(b"application/json", b"text/html")


def _unlimited(_: Upstream, point: Point) -> None:
    point.limits = None


def _faulty(fault: str) -> Prepare:
    def prepare(_: Upstream, point: Point) -> None:
        point.fault = fault

    return prepare


def _nothing(_: Upstream, __: Point) -> None:
    pass


SEEN: Mapping[tuple[str, str], tuple[str, str, Prepare, dict[str, str]]] = {
    ("passed", "public"): ("GET", "/", _nothing, {}),
    ("passed", "permitted"): ("GET", RESULTS, _unlimited, {}),
    ("passed", "filtered"): ("GET", RESULTS, _nothing, {}),
    ("refused", "refused"): ("GET", f"/students/{OTHER}/results", _nothing, {}),
    ("refused", "unauthenticated"): ("GET", RESULTS, _nothing, {"Authorization": "Bearer x.y.z"}),
    ("refused", "not_found"): ("GET", "/nowhere", _nothing, {}),
    ("refused", "method_not_allowed"): ("PATCH", RESULTS, _nothing, {}),
    ("refused", "malformed"): ("GET", RESULTS + "?a=%zz", _nothing, {}),
    ("refused", "obligation_not_carried_out"): ("GET", RESULTS, _html, {}),
    ("failed", "point_unavailable"): ("GET", RESULTS, _faulty(UNAVAILABLE), {}),
    ("failed", "point_timeout"): ("GET", RESULTS, _faulty(TIMEOUT), {}),
    ("failed", "point_rubbish"): ("GET", RESULTS, _faulty(RUBBISH), {}),
    ("failed", "internal"): ("GET", RESULTS, _faulty("internal"), {}),
    ("failed", "upstream_failed"): ("GET", RESULTS, _away, {}),
    ("failed", "upstream_timeout"): ("GET", RESULTS, _mute, {}),
}


@pytest.mark.parametrize("key", SEEN, ids="-".join)
def test_each_answer_is_counted_once_by_why_it_is(key: tuple[str, str], tmp_path: Path) -> None:
    method, path, prepare, headers = SEEN[key]
    seconds = 0.5 if prepare is _mute else PATIENCE
    with counting(tmp_path, seconds) as (upstream, client, point):
        prepare(upstream, point)
        before = read(client)
        ask(client, path, method, **headers)
        assert grown(before, read(client)) == {key: 1}
    assert key[1] in REASONS[key[0]]


def test_each_reason_is_one_that_is_seen() -> None:
    by_others = {
        ("refused", "too_large"),
        ("failed", "keys_unavailable"),
        *(("cut", reason) for reason in REASONS["cut"]),
    }
    known = {(outcome, reason) for outcome, reasons in REASONS.items() for reason in reasons}
    assert SEEN.keys() | by_others == known


def test_a_body_that_is_too_large_is_counted(tmp_path: Path) -> None:
    (tmp_path / "metrics-token").write_text(TOKEN)
    with standing(tmp_path, f"{NAMED}\nmax_body = 4") as (_, client):
        before = read(client)
        signed = {"Authorization": f"Bearer {signing.mint(MUM)}"}
        signed["Content-Type"] = "application/json"
        client.open("/lookup", method="POST", headers=signed, data=b"{     }", buffered=True)
        assert grown(before, read(client)) == {("refused", "too_large"): 1}


def test_a_token_that_nobody_can_verify_is_counted(tmp_path: Path) -> None:
    """The issuer's keys go away behind a gateway that runs; who had signed in is refused too."""
    (tmp_path / "metrics-token").write_text(TOKEN)
    with standing(tmp_path, NAMED) as (_, client):
        assert ask(client).status_code == 200
        (tmp_path / "jwks.json").unlink()
        before = read(client)
        assert ask(client).status_code == 503
        assert grown(before, read(client)) == {("failed", "keys_unavailable"): 1}


def test_a_stream_that_breaks_off_is_counted_as_passed_and_as_cut(gateway: Standing) -> None:
    upstream, client, _ = gateway
    head = f"{HEAD}Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
    upstream.says = f"{head}3\r\none\r\n40\r\n".encode()
    before = read(client)
    found = client.open("/events")
    with pytest.raises(UpstreamError, match="upstream"):
        list(found.response)
    cut = {("passed", "public"): 1, ("cut", "upstream_failed"): 1}
    assert grown(before, read(client)) == cut


def test_no_word_is_a_callers(gateway: Standing) -> None:
    """Whoever reads it learns of no person, and no caller can fill it with names."""
    _, client, _ = gateway
    for path in ("/nowhere/SECRET", f"/students/{OTHER}/results", RESULTS):
        ask(client, path, "GET", X_Request_ID="SECRET")
    found = read(client)
    known = {(outcome, reason) for outcome, reasons in REASONS.items() for reason in reasons}
    assert set(found) <= known


@pytest.mark.parametrize(
    "header", ["", TOKEN, f"Bearer {TOKEN}x", f"bearer {TOKEN}", "Bearer ", f"Bearer {KID}", "é"]
)
def test_whoever_has_not_the_token_reads_nothing(header: str, gateway: Standing) -> None:
    upstream, client, _ = gateway
    found = ask(client, METRICS, Authorization=header)
    assert found.status_code == 401
    assert "authz_gateway" not in found.text
    assert upstream.heard == []
    assert ask(client, METRICS).status_code == 401  # a user's token is none


def test_without_a_token_in_the_file_there_is_no_such_path(tmp_path: Path) -> None:
    with standing(tmp_path) as (upstream, client):
        found = ask(client, METRICS, Authorization=f"Bearer {TOKEN}")
        assert found.status_code == 404
        assert upstream.heard == []


def test_a_short_token_does_not_start(tmp_path: Path) -> None:
    (tmp_path / "metrics-token").write_text("short")
    with pytest.raises(RoutesError, match="no secret"), standing(tmp_path, NAMED):
        pass


def test_every_alert_is_about_what_is_counted() -> None:
    page = (ROOT / "docs/how-to/put-a-gateway-in-front.md").read_text("utf-8")
    assert metrics.used(page) == {GATEWAY.name}


@contextmanager
def command(folder: Path, upstream: Upstream) -> Iterator[int]:
    """``authz gateway`` with two workers and a point that nobody reaches; its port."""
    (folder / "metrics-token").write_text(TOKEN)
    (folder / "point-token").write_text("a-token")
    text = site.tables(upstream.address, NAMED).replace(
        'mode = "embedded"',
        'mode = "remote"\nurl = "https://point.example.test"\ntoken = "point-token"\n'
        f'reached_at = "http://{HOST}:{free_port()}"\nseconds = {site.LONGEST}',
    )
    routes, port = site.write(folder, text + site.ROUTES), free_port()
    line = [sys.executable, "-m", "authz.cli", "gateway", "--config", str(routes), "--workers", "2"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "TMPDIR": str(folder)}
    process = subprocess.Popen([*line, "--port", str(port)], cwd=ROOT, env=environment)
    try:
        site.listening(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def _status(port: int, path: str, token: str = "") -> tuple[int, str]:
    connection = HTTPConnection(HOST, port, timeout=PATIENCE)
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    connection.request("GET", path, headers=headers)
    found = connection.getresponse()
    text = found.read().decode()
    connection.close()
    return found.status, text


def test_the_workers_of_a_running_gateway_are_added_up(tmp_path: Path) -> None:
    upstream = Upstream()
    with command(tmp_path, upstream) as port:
        socket.create_connection((HOST, port), timeout=PATIENCE).close()
        assert {_status(port, "/")[0] for _ in range(20)} == {200}
        assert {_status(port, "/nowhere")[0] for _ in range(10)} == {404}
        assert _status(port, RESULTS)[0] == 401
        assert _status(port, RESULTS, signing.mint(MUM))[0] == 503
        wanted = {
            ("passed", "public"): 20, ("refused", "not_found"): 10,
            ("refused", "unauthenticated"): 1, ("failed", "point_unavailable"): 1,
        }  # fmt: skip
        until(lambda: len(list(tmp_path.glob("authz-gateway-*/*.names"))) == 2)
        for _ in range(6):  # whichever worker is asked
            assert samples(_status(port, METRICS, TOKEN)[1]) == wanted
        assert _status(port, METRICS)[0] == 401
    upstream.close()
    assert list(tmp_path.glob("authz-gateway-*")) == []
