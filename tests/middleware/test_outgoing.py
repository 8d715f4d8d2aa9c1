"""What becomes of an answer by what was decided, without any framework."""

from __future__ import annotations

import json

import pytest

from authz.errors import PointUnavailableError, RefusedError, UnauthenticatedError
from authz.middleware import Answer, Identity, Needs, Permitted, Public, Shape
from authz.middleware.exchange import Exchange
from authz.middleware.outgoing import Collect, Pass, begin, finish
from authz.middleware.telling import Reply, preferred, told

JSON = [("Content-Type", "application/json"), ("ETag", '"x"'), ("Content-Length", "99")]
HTML = [("Content-Type", "text/html")]
SHAPE = Shape(keep=frozenset({"results"}))


def exchange(fields: set[str] | None, *, carries: bool = False, method: str = "GET") -> Exchange:
    needs = Needs(
        "read", "assessment_result", "student", shape=SHAPE,
        carries=frozenset({"fields"}) if carries else frozenset(),
    )  # fmt: skip
    limits = None if fields is None else frozenset(fields)
    question = needs.question({"student": "kid"}, Identity("mum"))
    permit = Permitted(needs, question, Answer(permit=True, fields=limits), done=needs.carries)
    made = Exchange(method)
    made.open(needs, permit)
    return made


def headers(fate: Pass | Collect | Reply) -> dict[str, str]:
    assert isinstance(fate, Pass | Reply)
    return dict(fate.headers)


def test_json_is_collected_and_leaves_with_what_is_allowed_alone() -> None:
    found = exchange({"score"})
    assert isinstance(begin(found, 200, JSON), Collect)
    body = json.dumps({"results": [{"score": 1, "comment": "late"}]}).encode()
    reply = finish(found, 200, JSON, body)
    assert json.loads(reply.body) == {"results": [{"score": 1}]}
    assert headers(reply)["Content-Length"] == str(len(reply.body))
    assert "ETag" not in headers(reply)
    assert headers(reply)["Cache-Control"] == "no-store"


def test_a_route_that_filtered_something_is_filtered_all_the_same() -> None:
    found = exchange({"score"})
    assert found.permit is not None
    found.permit.filter({"results": []})
    assert isinstance(begin(found, 200, JSON), Collect)
    assert begin(found, 200, HTML).status == 403  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "kind",
    [
        HTML,
        [("Content-Type", "text/csv")],
        [("Content-Type", "application/octet-stream")],
        [("Content-Type", "application/x-ndjson")],
        [],
        [*JSON, ("Content-Encoding", "gzip")],
        [*JSON, ("Content-Type", "text/html")],
    ],
    ids=str,
)
def test_what_cannot_be_filtered_is_refused(kind: list[tuple[str, str]]) -> None:
    fate = begin(exchange({"score"}), 200, kind)
    assert isinstance(fate, Reply)
    assert fate.status == 403
    assert json.loads(fate.body)["code"] == "obligation_not_carried_out"


def test_a_part_of_json_is_refused() -> None:
    fate = begin(exchange({"score"}), 206, JSON)
    assert isinstance(fate, Reply)
    assert fate.status == 403


@pytest.mark.parametrize("body", [b"", b"{", b"[1]", b'"late"', b'{"results": ["late"', b"\xff"])
def test_a_body_that_is_no_json_with_names_is_refused(body: bytes) -> None:
    reply = finish(exchange({"score"}), 200, JSON, body)
    assert reply.status == 403


def test_what_the_route_carries_out_itself_passes() -> None:
    assert isinstance(begin(exchange({"score"}, carries=True), 200, HTML), Pass)


def test_without_a_limit_everything_passes_and_nobody_keeps_it() -> None:
    assert headers(begin(exchange(None), 200, HTML))["Cache-Control"] == "no-store"


def test_a_copy_that_asks_anew_each_time_may_be_kept_by_the_browser() -> None:
    own = [*JSON, ("Cache-Control", "private, no-cache")]
    assert headers(begin(exchange(None), 200, own))["ETag"] == '"x"'


def test_a_shared_copy_is_never_kept() -> None:
    own = [*JSON, ("Cache-Control", "public, max-age=600"), ("Expires", "tomorrow")]
    found = headers(begin(exchange(None), 200, own))
    assert found["Cache-Control"] == "no-store"
    assert "ETag" not in found
    assert "Expires" not in found


@pytest.mark.parametrize("said", ["private, no-cache", "no-store", "private, no-cache, public"])
@pytest.mark.parametrize(
    "name", ["CDN-Cache-Control", "Cloudflare-CDN-Cache-Control", "X-Accel-Expires"]
)
def test_no_cache_is_told_otherwise_than_the_others(said: str, name: str) -> None:
    """What is said to one kind of cache goes before what is said to all."""
    own = [*JSON, ("Cache-Control", said), (name, "600")]
    for fields in (None, {"score"}):
        found = exchange(fields)
        fate = begin(found, 200, own)
        if isinstance(fate, Collect):
            fate = finish(found, 200, own, b"{}")
        assert name not in headers(fate)
        assert "public" not in headers(fate)["Cache-Control"]


@pytest.mark.parametrize("name", ["X-Accel-Redirect", "X-Sendfile"])
def test_no_file_takes_the_place_of_what_was_filtered(name: str) -> None:
    found = exchange({"score"})
    assert isinstance(begin(found, 200, [*JSON, (name, "/all")]), Collect)
    assert name not in headers(finish(found, 200, [*JSON, (name, "/all")], b"{}"))


def test_numbers_leave_as_they_are() -> None:
    found = exchange({"score"})
    begin(found, 200, JSON)
    body = b'{"score":[123456789012345678901234567890,-1,0.1,1.0,7e-324,2.5e+300,null,true]}'
    assert json.loads(finish(found, 200, JSON, body).body) == json.loads(body)


@pytest.mark.parametrize(
    "body", [b'{"score": NaN}', b'{"score": 1e400}', b"\xef\xbb\xbf{}", b"[" * 9999]
)
def test_what_is_no_json_that_every_reader_reads_alike_does_not_leave(body: bytes) -> None:
    found = exchange({"score"})
    begin(found, 200, JSON)
    assert finish(found, 200, JSON, body).status == 403


def test_half_of_a_character_is_a_refusal_and_no_crash() -> None:
    found = exchange({"score"})
    begin(found, 200, JSON)
    assert finish(found, 200, JSON, b'{"score": "\\ud800"}').status == 403


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_limited_answer_of_another_kind_leaves_without_its_body(status: int) -> None:
    fate = begin(exchange({"score"}), status, [*HTML, ("Location", "/elsewhere")])
    assert isinstance(fate, Reply)
    assert fate.status == status
    assert fate.body == b""


def test_head_tells_no_length_of_what_is_not_filtered() -> None:
    fate = begin(exchange({"score"}, method="HEAD"), 200, JSON)
    assert isinstance(fate, Reply)
    assert fate.body == b""
    assert not {"Content-Length", "ETag"} & headers(fate).keys()


def test_what_was_never_decided_does_not_leave() -> None:
    fate = begin(Exchange(), 200, JSON)
    assert isinstance(fate, Reply)
    assert fate.status == 403
    assert begin(Exchange(), 404, HTML).status == 403  # type: ignore[union-attr]


def test_what_a_router_answers_leaves_without_a_body() -> None:
    for status in (405, 500):
        fate = begin(Exchange(), status, HTML)
        assert isinstance(fate, Reply)
        assert (fate.status, fate.body) == (status, b"")


def test_public_passes_as_it_is() -> None:
    found = Exchange()
    found.open(Public("it is about nobody"))
    assert begin(found, 200, JSON) == Pass(JSON)


def test_a_refusal_never_looks_like_a_success() -> None:
    found = Exchange()
    found.refuse(RefusedError("no"))
    assert begin(found, 200, HTML).status == 403  # type: ignore[union-attr]
    assert headers(begin(found, 403, HTML))["Cache-Control"] == "no-store"
    assert headers(begin(found, 302, [("Location", "/sign-in")]))["Location"] == "/sign-in"


def test_refusals_are_told_in_two_languages_and_two_forms() -> None:
    page = told(RefusedError("no", text="<b>"), "text/html,*/*", "th-TH,en;q=0.5")
    assert dict(page.headers)["Content-Type"].startswith("text/html")
    assert "คุณไม่ได้รับอนุญาต" in page.body.decode()
    assert b"<b>" not in page.body
    problem = told(UnauthenticatedError("no"), "application/json", "de")
    assert problem.status == 401
    assert dict(problem.headers)["WWW-Authenticate"] == "Bearer"
    assert json.loads(problem.body)["title"] == "Please sign in first."
    assert told(PointUnavailableError("down")).status == 503


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"), ("th", "th"), ("en;q=0.1, th;q=0.9", "th"), ("th, en", "th"),
        ("en, th", "en"), ("th;q=0", "en"), ("th;q=x", "en"), ("*", "en"),
    ],
)  # fmt: skip
def test_the_language_is_the_preferred_of_two(header: str, language: str) -> None:
    assert preferred(header) == language
