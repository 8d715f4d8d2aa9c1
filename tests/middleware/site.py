"""A results site that asks nobody: what each framework serves, and what a gateway stands before.

Every page of it gives out all that it has. So whatever of :data:`NEVER` is in an answer got past
the enforcement, and not past the site. :func:`respond` is the whole site, as a function; the
routes are those of :data:`ROUTES`, declared as :data:`NEEDS` says.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs
from wsgiref.types import StartResponse, WSGIEnvironment

from authz.middleware.declare import Needs, Public
from authz.middleware.shape import Shape
from authz.middleware.table import Route

KID, OTHER, MUM = "kid", "other", "mum"
"""A child, another child, and the first one's parent, who may read the first one's results."""
ALLOWED = ("assessment", "score")
SECRET = b"SECRET-OF-OTHER"
WITHHELD = b"WITHHELD-OF-KID"
NEVER = (SECRET, WITHHELD)
"""What must not be in any answer to the parent."""
OPEN = b"OPEN-SCORE-OF-KID"
"""What is in the answer that the parent is permitted."""
CHANGED = b"CHANGED"
"""What the site answers a change with: nobody here may change anything."""

RESULTS = {
    KID: {"student": KID, "results": [
        {"assessment": "maths", "score": OPEN.decode(), "comment": WITHHELD.decode()},
        {"assessment": "thai", "score": "14", "comment": WITHHELD.decode()},
    ]},
    OTHER: {"student": OTHER, "results": [
        {"assessment": "maths", "score": SECRET.decode(), "comment": SECRET.decode()},
    ]},
}  # fmt: skip
SHAPE = Shape(keep=frozenset({"student", "results"}))
READ = Needs("read", "assessment_result", "student", purpose="service", shape=SHAPE)
WRITE = Needs("update", "assessment_result", "student", purpose="service")
BY_HAND = Needs(
    "read", "assessment_result", "student", purpose="service", carries=frozenset({"fields"})
)
BY_QUERY = Needs("read", "assessment_result", "query:student", purpose="service", shape=SHAPE)
BY_JSON = Needs("read", "assessment_result", "json:student", purpose="service", shape=SHAPE)
FRONT = Public("the front page is about nobody")
ROUTES = (
    Route("GET", "/", FRONT),
    Route("GET", "/students/{student}/results", READ),
    Route("POST DELETE", "/students/{student}/results", WRITE),
    Route("GET", "/students/{student}/report", BY_HAND),
    Route("GET", "/students/{student}/page", READ),
    Route("GET", "/results", BY_QUERY),
    Route("POST", "/lookup", BY_JSON),
)
"""``page`` is HTML with no word that it carries anything out: it is never shown."""


@dataclass(frozen=True, slots=True)
class Said:
    """An answer of the site."""

    status: int
    kind: str
    body: bytes
    etag: str = ""


def results(student: str) -> Any:
    """All that is known of a student, comments included; None of a stranger."""
    return RESULTS.get(student)


def report(student: str) -> bytes:
    """The same as a file, of what a parent may see of the first child, and all of the other."""
    return OPEN if student == KID else SECRET * 20


def page(student: str) -> str:
    return f"<h1>{student}</h1><pre>{json.dumps(results(student))}</pre>"


def respond(method: str, path: str, query: str, body: bytes) -> Said:
    """The site: it trusts whoever asks."""
    parts = path.strip("/").split("/")
    if path == "/":
        return Said(200, "text/html", b"<h1>Results</h1>")
    if parts == ["results"]:
        return _json(parse_qs(query).get("student", [""])[-1])
    if parts == ["lookup"]:
        return _json(str(json.loads(body)["student"]))
    return _of(method, parts[1], parts[-1])


def _of(method: str, student: str, leaf: str) -> Said:
    if method in {"POST", "DELETE", "PUT", "PATCH"}:
        return Said(200, "application/json", CHANGED)
    if leaf == "report":
        return Said(200, "text/plain", report(student), _etag(report(student)))
    if leaf == "page":
        return Said(200, "text/html", page(student).encode())
    return _json(student)


def _json(student: str) -> Said:
    body = json.dumps(results(student)).encode()
    return Said(200, "application/json", body, _etag(body))


def _etag(body: bytes) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:16]}"'


def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """The site for a WSGI server. It answers conditions and ranges, and a method by override."""
    method = str(environ.get("HTTP_X_HTTP_METHOD_OVERRIDE") or environ["REQUEST_METHOD"])
    length = int(environ.get("CONTENT_LENGTH") or 0)
    body = environ["wsgi.input"].read(length)
    said = respond(method, environ["PATH_INFO"], str(environ.get("QUERY_STRING", "")), body)
    status, headers, data = shown(
        said, environ.get("HTTP_IF_NONE_MATCH", ""), environ.get("HTTP_RANGE", "")
    )
    start_response(status, headers)
    return [b"" if environ["REQUEST_METHOD"] == "HEAD" else data]


def shown(said: Said, if_none_match: str, ranges: str) -> tuple[str, list[tuple[str, str]], bytes]:
    """The answer with what its conditions and ranges make of it."""
    headers = [("Content-Type", said.kind)]
    if said.etag:
        headers.append(("ETag", said.etag))
        if if_none_match in {said.etag, "*"}:
            return "304 Not Modified", headers, b""
    if ranges.startswith("bytes=0-") and ranges[8:].isdecimal():
        data = said.body[: int(ranges[8:]) + 1]
        told = ("Content-Range", f"bytes 0-{len(data) - 1}/{len(said.body)}")
        return "206 Partial Content", [*headers, told], data
    return f"{said.status} OK", [*headers, ("Content-Length", str(len(said.body)))], said.body
