"""The gateway beside nginx that only proxies, in one run on the same upstream."""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, OKPKey

from benchmarks import behind, served
from benchmarks.client import HOST, Rate, rate
from benchmarks.directories import authz, environment
from benchmarks.results import Section, Table, target
from benchmarks.timing import number

GATEWAY, FILTERED = "authz gateway, nothing filtered", "authz gateway, fields filtered"
NGINX, ALONE = "nginx, plain proxying", "the application alone"
ISSUER, AUDIENCE = "https://id.bench.test", "bench"
FAMILIES = 200
WARM = 3.0
SECTION = Section(
    "gateway",
    "The gateway before an application",
    """A Flask application with a database, on granian with two workers, is asked for a child's
three results by its parent: {families} families in turn, eight connections. nginx proxies it with
two workers and kept connections, and asks nobody. The gateway (`authz gateway`, two workers,
embedded) verifies the parent's token, decides by the school policy, has every decision on disk
before the application is called, and proxies; once where the application says that it keeps the
limit of fields itself, and once where the gateway filters its JSON. All share the same two
cores.""",
)
ROUTES = """
[gateway]
upstream = "http://{host}:{port}"

[identity]
issuer = "{issuer}"
audience = "{audience}"
jwks = "jwks.json"

[point]
mode = "embedded"

[[route]]
path = "/students/{{student}}/results"
methods = ["GET"]
action = "read"
category = "assessment_result"
person = {{ path = "student" }}
purpose = {{ value = "service" }}
{more}
"""
CARRIES, FILTERS = 'carries = ["fields"]', 'shape = { keep = ["student", "results"] }'
PLAIN = """
worker_processes 2; daemon off; pid nginx.pid; error_log stderr crit;
events {{}}
http {{
  access_log off; keepalive_requests 1000000; client_body_temp_path b; proxy_temp_path p;
  fastcgi_temp_path f; uwsgi_temp_path u; scgi_temp_path s;
  upstream app {{ server {host}:{behind}; keepalive 32; }}
  server {{
    listen {host}:{port};
    location / {{ proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }}
  }}
}}
"""


def run(section: Section, *, quick: bool) -> None:
    """Start all of them, look at an answer of each, and measure."""
    section.about = section.about.format(families=FAMILIES)
    rounds, seconds = (2, 1.0) if quick else (5, 2.0)
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        asked = _asked(folder)
        more = {behind.FILE: str(folder / "results.db")}
        behind.fill(more[behind.FILE], [f"child-{n}" for n in range(FAMILIES)])
        alone = stack.enter_context(served.application("benchmarks.behind:create", folder, more))
        ports = {ALONE: alone}
        if nginx := shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin"):
            ports[NGINX] = stack.enter_context(_nginx(nginx, folder, alone))
        else:
            section.problems.append("nginx: not installed")
        for label, extra in ((GATEWAY, CARRIES), (FILTERED, FILTERS)):
            ports[label] = stack.enter_context(_gateway(folder, alone, label, extra))
        for port in ports.values():
            rate(port, asked, 8, WARM / 3 if quick else WARM)
        found: dict[str, list[Rate]] = {label: [] for label in ports}
        for _ in range(rounds):
            for label, port in ports.items():
                rate(port, asked, 8, 0.3)
                found[label].append(rate(port, asked, 8, seconds))
    _tell(section, found)


def _asked(folder: Path) -> list[bytes]:
    """A directory of families, the issuer's keys, and each parent's request."""
    url = f"sqlite:///{folder}/authz.db"
    facts: list[dict[str, Any]] = []
    for n in range(FAMILIES):
        child = {"fact": "person", "id": f"child-{n}", "birth_date": "2015-05-05"}
        facts += [child, {"fact": "person", "id": f"parent-{n}"}]
        link = {"guardian": f"parent-{n}", "student": f"child-{n}", "kind": "parent"}
        facts.append({"fact": "guardianship", **link})
    (folder / "facts.jsonl").write_text("\n".join(json.dumps(fact) for fact in facts))
    authz(url, "db", "upgrade", folder=folder)
    authz(url, "import", "facts", str(folder / "facts.jsonl"), folder=folder)
    key = OKPKey.generate_key("Ed25519", {"kid": "bench"})
    keys = KeySet([key]).as_dict(private=False)
    (folder / "jwks.json").write_text(json.dumps(keys))
    return [_request(n, key) for n in range(FAMILIES)]


def _request(number_: int, key: OKPKey) -> bytes:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": f"parent-{number_}",
        "exp": int(time.time()) + 7200,
    }
    token = jwt.encode({"alg": "Ed25519", "kid": "bench"}, claims, key, algorithms=["Ed25519"])
    head = f"GET /students/child-{number_}/results HTTP/1.1\r\nHost: {HOST}\r\n"
    return f"{head}Authorization: Bearer {token}\r\nAccept: application/json\r\n\r\n".encode()


@contextmanager
def _gateway(folder: Path, upstream: int, label: str, more: str) -> Iterator[int]:
    port = served.free()
    path = folder / f"routes-{port}.toml"
    said = {"issuer": ISSUER, "audience": AUDIENCE, "host": HOST, "port": upstream, "more": more}
    path.write_text(ROUTES.format(**said))
    command = [sys.executable, "-m", "authz.cli", "gateway", "--config", str(path)]
    command += ["--port", str(port), "--workers", str(served.WORKERS)]
    settings = environment(f"sqlite:///{folder}/authz.db", folder)
    with served.running(command, port, settings, folder / f"{label}.log"):
        yield port


@contextmanager
def _nginx(program: str, folder: Path, upstream: int) -> Iterator[int]:
    port = served.free()
    path = folder / "nginx.conf"
    path.write_text(PLAIN.format(host=HOST, behind=upstream, port=port))
    command = [program, "-p", str(folder), "-c", str(path)]
    with served.running(command, port, {}, folder / "nginx.log"):
        yield port


def _tell(section: Section, found: dict[str, list[Rate]]) -> None:
    plain = found.get(NGINX)
    rows = []
    for label, rates in found.items():
        a_second = sorted(one.rate for one in rates)
        row = [label, f"{median(a_second):,.0f}", f"{a_second[0]:,.0f} – {a_second[-1]:,.0f}"]
        row += [number(median(r.median for r in rates)), number(median(r.late for r in rates))]
        ratio = _ratio(rates, plain)
        rows.append([*row, "" if ratio is None else number(ratio)])
    columns = ["", "requests/s", "lowest – highest", "p50 ms", "p99 ms", "of nginx"]
    section.tables.append(Table("Eight connections", columns, rows))
    ours = _ratio(found[GATEWAY], plain)
    promise = "the gateway, nothing filtered: at least 1/2 of nginx's plain proxying"
    section.targets = [target(promise, ours, 0.5, at_least=True)]


def _ratio(rates: list[Rate], plain: list[Rate] | None) -> float | None:
    if not plain:
        return None
    return median(o.rate / p.rate for o, p in zip(rates, plain, strict=True))
