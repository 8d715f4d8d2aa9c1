"""Theorems of the gateway's paths: what is matched is what is sent, for any reader behind."""

from __future__ import annotations

import posixpath
import re
from contextlib import suppress
from urllib.parse import quote, unquote, unquote_to_bytes

from hypothesis import given
from hypothesis import strategies as st

from authz.errors import AuthzError, MalformedError
from authz.middleware.declare import Public
from authz.middleware.gateway import path
from authz.middleware.gateway.config import Route
from authz.middleware.gateway.routes import Match, Table, declare

PERSON = {"path": "student"}
GUARDED = {"action": "read", "category": "assessment_result", "person": PERSON}
ROUTES = [
    {"path": "/", "methods": ["GET"], "public": "the front page"},
    {"path": "/static/{rest...}", "methods": ["GET"], "public": "pictures"},
    {"path": "/news/{item}", "methods": ["GET"], "public": "news"},
    {"path": "/students/{student}", "methods": ["GET", "POST"], **GUARDED},
    {"path": "/students/{student}/results", "methods": ["GET"], **GUARDED},
    {"path": "/students/{student}/results/", "methods": ["GET"], **GUARDED},
    {"path": "/students/{student}/files/{rest...}", "methods": ["GET"], **GUARDED},
]
TABLE = Table(declare(Route.model_validate(route)) for route in ROUTES)

_PIECES = st.sampled_from(
    [
        *("students", "mali", "results", "static", "news", "files", "a.css", "Students", "STATIC"),
        *("..", ".", "...", "", "%2e%2e", "%2e", "%2f", "%252e%252e", "%252f", "%00", "%5c", "\\"),
        *(
            "students;x=1",
            ";",
            "mali.",
            "mali ",
            "%20",
            "students%2fmali",
            "..%2fstudents",
            "%c0%ae",
        ),
        *("．．", "％", "มะลิ", "e\u0301", "\u200b", "%ff", "?", "#", "%3f", "%23", "~", "a:b"),
    ]
)
_SEGMENT = st.lists(st.one_of(_PIECES, st.sampled_from("/.%;ab")), min_size=1, max_size=3).map(
    "".join
)
_PLACES = st.sampled_from(["/static/{}", "/news/{}", "/students/{}", "/students/{}/results", "/{}"])
_LINES = st.one_of(
    st.builds(str.format, _PLACES, _SEGMENT),
    st.lists(_PIECES, max_size=7).map(lambda found: "/" + "/".join(found)),
    st.text(max_size=30).map(lambda text: "/static/" + text),
)
"""Most of them are near a route: where nothing is matched, nothing is sent."""


def _as_wsgi(line: str) -> str:
    """A server's PATH_INFO of a request line: what stands before the query, decoded once."""
    before = line.partition("?")[0].partition("#")[0]
    return unquote_to_bytes(before.encode("utf-8", "surrogatepass")).decode("latin-1")


def _careless(target: str) -> str:
    """The path as a careless upstream reads it: decoded twice, put right, in no case."""
    found = unquote(unquote(target)).replace("\\", "/")
    found = "/".join(segment.partition(";")[0].rstrip(". ") for segment in found.split("/"))
    found = re.sub("/{2,}", "/", found.partition("\0")[0].partition("?")[0].partition("#")[0])
    return posixpath.normpath(found).casefold().rstrip("/") or "/"


def _found(line: str) -> tuple[path.Segments, Match] | None:
    with suppress(AuthzError):
        segments = path.decoded(_as_wsgi(line))
        return segments, TABLE.find("GET", segments)
    return None


@given(_LINES)
def test_what_is_matched_is_what_is_sent(line: str) -> None:
    found = _found(line)
    if found is None:
        return
    segments, match = found
    target = path.canonical(segments)
    assert path.decoded(_as_wsgi(target)) == segments
    assert path.written(target) == segments
    again = TABLE.find("GET", path.decoded(_as_wsgi(target)))
    assert (again.declared, again.values) == (match.declared, match.values)


@given(_LINES)
def test_a_careless_upstream_reads_the_path_that_was_matched(line: str) -> None:
    found = _found(line)
    if found is None:
        return
    segments, _ = found
    assert _careless(path.canonical(segments)) == (
        "/" + "/".join(segments).rstrip("/").casefold() if segments else "/"
    )


@given(_LINES)
def test_nothing_public_reaches_a_guarded_route(line: str) -> None:
    """What the matcher calls public is no guarded route to any reader behind it."""
    found = _found(line)
    if found is None or not isinstance(found[1].declared.declaration, Public):
        return
    behind = _careless(path.canonical(found[0]))
    assert not behind.startswith("/students")


@given(_LINES)
def test_one_reading_or_none(line: str) -> None:
    """What is read as it is written and what a server decoded are never two paths."""
    try:
        segments = path.written(line)
    except MalformedError:
        return
    assert path.decoded(_as_wsgi(line)) == segments


@given(st.lists(st.text(min_size=1, max_size=12), max_size=5))
def test_every_segment_is_refused_or_comes_back(segments: list[str]) -> None:
    whole = "/" + "/".join(segments)
    try:
        found = path.decoded(whole.encode("utf-8", "surrogatepass").decode("latin-1"))
    except MalformedError:
        return
    assert path.written(path.canonical(found)) == found
    assert unquote(path.canonical(found)) == whole
    assert quote(whole, safe="/-._~!$&'()*+,=:@") == path.canonical(found)
