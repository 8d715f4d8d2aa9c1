"""A file of routes with a defect does not start, and says where; the table takes the narrower."""

from __future__ import annotations

from pathlib import Path

import pytest

from authz.errors import AuthzError, MethodNotAllowedError, NotFoundError, RoutesError
from authz.middleware.gateway import pattern
from authz.middleware.gateway.lint import load
from authz.middleware.gateway.routes import Table

HEAD = """\
[gateway]
upstream = "http://127.0.0.1:9000"
[identity]
issuer = "https://id.example.test"
audience = "results"
jwks = "jwks.json"
[point]
mode = "embedded"
"""
LINES = HEAD.count("\n")


def route(
    path: str, *more: str, methods: str = '["GET"]', person: str = "", public: str = ""
) -> str:
    """A route in as many lines as it has members; ``{id}`` is the person where it has one."""
    found = person or ('{ path = "id" }' if "{id}" in path else '{ claim = "sub" }')
    asked = ['action = "read"', 'category = "identity"', f"person = {found}"]
    said = [f'public = "{public}"'] if public else asked
    return "\n".join(["[[route]]", f'path = "{path}"', f"methods = {methods}", *said, *more, ""])


def table(tmp_path: Path, text: str, *, forward: bool = False) -> Table:
    file = tmp_path / "routes.toml"
    file.write_text(text)
    return load(file, forward=forward)[1]


JSON = '{ json = "student" }'
DEFECTS = [
    # what stands there, the line after the head's, and a part of what is said
    (route("/a/{id}", "colour = 1"), 7, "There is no member route.0.colour"),
    (route("/a/{id}", methods='["TRACE"]'), 3, "route.0.methods"),
    (route("/a/{id}", methods='["get"]'), 3, "route.0.methods"),
    (route("a/{id}"), 2, "begins with a slash"),
    (route("/a/{id}/../b"), 2, "more than one way"),
    (route("/a//b"), 2, "more than one way"),
    (route("/a/x{id}"), 2, "whole segment"),
    (route("/a/{id...}/b"), 2, "at the end only"),
    (route("/a/{id}/{id}"), 2, "stands there twice"),
    (route("/a", person='{ path = "id" }'), 6, "no {id} in the path"),
    (route("/a/{rest...}", person='{ path = "rest" }'), 6, "rest of a path is no value"),
    (route("/a", person='{ path = "a", query = "b" }'), 6, "one of path, query"),
    (route("/a", person='{ value = "mali" }'), 6, "one person for everybody"),
    (route("/a", person=JSON), 6, "GET has no body"),
    (route("/a", 'accepts = ["text/plain"]', methods='["POST"]', person=JSON), 6, "read from JSON"),
    (route("/a", person='{ query = "_method" }'), 6, "changes a request's method"),
    (route("/a", person='{ header = "X-Forwarded-User" }'), 6, "the gateway's own"),
    (route("/a", person='{ header = "Authorization:" }'), 6, "letters, digits and dashes"),
    (route("/a/{id}", 'carries = ["everything"]'), 7, "route.0.carries"),
    (route("/a", 'action = "read"', public="why"), 5, "a public route asks nothing"),
    ('[[route]]\npath = "/a"\nmethods = ["GET"]\naction = "read"\n', 2, "category is missing"),
    (route("/.authz/x", public="why"), 2, "the gateway's own"),
    (route("/a/{id}") + route("/a/{id}"), 8, "the same as /a/{id}"),
    (route("/a/{id}") + route("/a/{x}", person='{ path = "x" }'), 8, "the same as /a/{id}"),
    (route("/a/{id}/c") + route("/a/b/{id}"), 8, "could be this or /a/{id}/c"),
    (route("/{rest...}", public="all") + route("/a/{id}"), 6, "public route overlaps"),
    (route("/a/{id}") + route("/A/{rest...}", public="why"), 8, "public route overlaps"),
    (route("/a/{id}") + route("/a/{x}/", public="why"), 8, "public route overlaps"),
    ("[[route]\n", 1, "It is not TOML"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "line", "said"), DEFECTS, ids=lambda found: str(found)[:40])
def test_a_defect_is_named_with_its_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    with pytest.raises(RoutesError) as found:
        table(tmp_path, HEAD + text)
    assert said in str(found.value)
    assert found.value.where == f"{tmp_path}/routes.toml:{LINES + line}"
    assert found.value.exit_status == 2


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('upstream = "http://127.0.0.1:9000"', 'upstream = "http://127.0.0.1:9000/x"', "no path"),
        ('upstream = "http://127.0.0.1:9000"', 'upstream = "ftp://h"', "an upstream is http"),
        ('mode = "embedded"', 'mode = "remote"', "a remote point has a url"),
        ('audience = "results"', "", "identity.audience"),
        ('jwks = "jwks.json"', 'jwks = "jwks.json"\nalgorithms = ["none"]', "identity.algorithms"),
        ('jwks = "jwks.json"', 'jwks = "jwks.json"\nalgorithms = ["HS256"]', "identity.algorithms"),
        ("[point]\n", "[pointer]\n", "There is no member pointer"),
    ],
)
def test_a_defect_of_a_table_is_named(tmp_path: Path, old: str, new: str, said: str) -> None:
    with pytest.raises(RoutesError) as found:
        table(tmp_path, (HEAD + route("/a/{id}")).replace(old, new))
    assert said in str(found.value)
    assert f"{tmp_path}/routes.toml:" in found.value.where


def test_behind_a_proxy_no_value_comes_from_a_body(tmp_path: Path) -> None:
    text = HEAD + "[forward_auth]\n" + route("/a", methods='["POST"]', person=JSON)
    assert table(tmp_path, text).declared
    with pytest.raises(RoutesError, match="sees no body"):
        table(tmp_path, text, forward=True)


@pytest.fixture
def found(tmp_path: Path) -> Table:
    routes = [
        route("/", public="front"),
        route("/a/{id}"),
        route("/a/me"),
        route("/a/{id}/b", methods='["POST"]'),
        route("/a/{id}/{rest...}", methods='["POST"]'),
        route("/a/{id}/b/", methods='["POST"]'),
        route("/a/{x}/b", methods='["OPTIONS"]', public="a preflight"),
    ]
    return table(tmp_path, HEAD + "".join(routes))


@pytest.mark.parametrize(
    ("method", "path", "taken"),
    [
        ("GET", "/", "/"),
        ("GET", "/a/x", "/a/{id}"),
        ("HEAD", "/a/x", "/a/{id}"),
        ("GET", "/a/me", "/a/me"),
        ("POST", "/a/x/b", "/a/{id}/b"),
        ("POST", "/a/x/b/", "/a/{id}/b/"),
        ("POST", "/a/x/c", "/a/{id}/{rest...}"),
        ("POST", "/a/me/c/d/", "/a/{id}/{rest...}"),
        ("OPTIONS", "/a/x/b", "/a/{x}/b"),
    ],
)
def test_the_narrower_route_is_taken(found: Table, method: str, path: str, taken: str) -> None:
    segments = tuple(path[1:].split("/")) if path != "/" else ()
    assert found.find(method, segments).declared.route.path == taken


@pytest.mark.parametrize(
    ("method", "segments", "error"),
    [
        ("GET", ("a",), NotFoundError),
        ("GET", ("A", "x"), NotFoundError),
        ("GET", ("a", "x", ""), NotFoundError),
        ("GET", ("a", ""), NotFoundError),
        ("POST", ("a", "x", ""), NotFoundError),
        ("POST", ("a", "x"), MethodNotAllowedError),
        ("DELETE", (), MethodNotAllowedError),
        ("OPTIONS", ("a", "x"), MethodNotAllowedError),
    ],
)
def test_what_is_no_route_is_refused(
    found: Table, method: str, segments: tuple[str, ...], error: type[AuthzError]
) -> None:
    with pytest.raises(error):
        found.find(method, segments)


def test_patterns_lie_within_one_another() -> None:
    wide, narrow = pattern.read("/a/{x}/{rest...}"), pattern.read("/a/b/{y}")
    assert pattern.within(narrow, wide)
    assert not pattern.within(wide, narrow)
    assert pattern.overlap(wide, narrow)
    assert not pattern.overlap(pattern.read("/a/b"), pattern.read("/a/b/c"))
