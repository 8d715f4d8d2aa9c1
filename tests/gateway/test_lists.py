"""Lists of several people behind the gateway: each row by its own permit, and one question."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import Client

from authz.errors import RoutesError
from authz.middleware.answer import TIMEOUT, UNKNOWN_OBLIGATION, Answer
from authz.middleware.gateway import pointer
from authz.middleware.gateway.config import MOST_ROWS
from authz.middleware.gateway.file import read
from authz.middleware.gateway.parts import opened
from authz.middleware.question import Question
from tests.gateway import site
from tests.gateway.scripted import Upstream, answer, ask, code, standing
from tests.middleware.loopback import IDENTIFIER, METADATA, PATHS, Heard, loopback
from tests.middleware.points import CountingPoint

ROUTES = """
[[route]]
path = "/results"
methods = ["GET"]
action = "read"
category = "assessment_result"
purpose = { value = "service" }
list = { rows = "/data/items", person = "/student/id", own = ["records"], most = 20 }
shape = { keep = ["data", "next", "student", "id", "records"], class_of = "class" }

[[route]]
path = "/plain"
methods = ["GET"]
action = "read"
category = "assessment_result"
list = { rows = "", person = "/id", most = 20 }
shape = { keep = ["id", "friends"], identifiers = ["id"] }
"""
SECRET = b"SECRET"
_, EVALUATIONS, _ = PATHS.values()
Standing = tuple[Upstream, Client, "Point"]


class Point(CountingPoint):
    """Permits each person what the test says of them."""

    def __init__(self) -> None:
        super().__init__()
        self.permits: dict[str, Answer] = {}

    def _one(self, question: Question) -> Answer:
        return self.permits.get(question.person, Answer.refused("refused"))


def permit(*fields: str, **more: Any) -> Answer:
    return Answer(permit=True, fields=frozenset(fields), **more)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Standing]:
    point = Point()
    point.permits = {"kid": permit("score"), "7": permit("grade", "score"), "all": Answer(True)}
    with standing(tmp_path, point=point, routes=ROUTES) as (upstream, client):
        yield upstream, client, point


def row(person: Any, **more: Any) -> dict[str, Any]:
    return {"student": {"id": person}, "score": "5", "grade": "A", "note": "SECRET", **more}


def items(client: Client) -> list[Any]:
    """The rows that leave."""
    found: list[Any] = json.loads(ask(client, "/results").data)["data"]["items"]
    return found


def page(*rows: Any, **more: Any) -> bytes:
    return json.dumps({"data": {"items": rows}, **more}).encode()


def test_each_row_leaves_as_its_own_person_permits(gateway: Standing) -> None:
    upstream, client, _ = gateway
    said = [row("kid"), row("other", score="SECRET"), row(7), row("kid", score="6")]
    upstream.says = answer(page(*said, next="/results?after=x", total=4, people=["other"]))
    found = ask(client, "/results")
    assert found.json == {
        "data": {
            "items": [
                {"student": {"id": "kid"}, "score": "5"},
                {"student": {"id": 7}, "score": "5", "grade": "A"},
                {"student": {"id": "kid"}, "score": "6"},
            ]
        },
        "next": "/results?after=x",
    }
    assert SECRET not in found.data
    assert found.headers["Cache-Control"] == "no-store"
    assert found.headers["Content-Length"] == str(len(found.data))


def test_everybody_in_it_is_asked_about_once_and_in_one_call(gateway: Standing) -> None:
    upstream, client, point = gateway
    upstream.says = answer(page(*(row(f"p-{n % 10}") for n in range(20))))
    assert ask(client, "/results").json == {"data": {"items": []}}
    (asked,) = point.asked
    assert [each.person for each in asked] == [f"p-{n}" for n in range(10)]
    assert {(each.action, each.category, each.context["purpose"]) for each in asked} == {
        ("read", "assessment_result", "service")
    }


def test_a_remote_point_is_sent_one_request_for_a_full_list(tmp_path: Path) -> None:
    """As many people as a list may have, in one exchange over HTTP."""
    (tmp_path / "point-token").write_text("a-token")

    def says(heard: Heard) -> None:
        if heard.path == METADATA:
            heard.well()
        else:
            heard.answer({"evaluations": [{"decision": False} for _ in heard.json["evaluations"]]})

    with loopback(says) as server:
        text = site.tables(("127.0.0.1", 1)).replace(
            'mode = "embedded"',
            f'mode = "remote"\nurl = "{IDENTIFIER}"\nreached_at = "{server.url}"\n'
            'token = "point-token"\nseconds = 20',
        )
        config, _ = read(site.write(tmp_path, text + ROUTES))
        point = opened(config, tmp_path)
        people = [Question("mum", "read", "x", f"p-{n}") for n in range(MOST_ROWS)]
        assert not any(each.fault or each.permit for each in point.decide(people))
        point.close()
        assert server.paths == [METADATA, EVALUATIONS]


def test_an_empty_list_asks_about_nobody(gateway: Standing) -> None:
    upstream, client, point = gateway
    upstream.says = answer(page())
    assert ask(client, "/results").json == {"data": {"items": []}}
    assert point.asked == []


def test_who_is_not_signed_in_reaches_no_upstream(gateway: Standing) -> None:
    upstream, client, _ = gateway
    assert client.get("/results").status_code == 401
    assert upstream.heard == []


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE", "OPTIONS"])
def test_no_other_method_reaches_the_upstream(method: str, gateway: Standing) -> None:
    """The upstream is asked before anybody is permitted: for reading, and nothing else."""
    upstream, client, _ = gateway
    assert ask(client, "/results", method).status_code == 405
    assert upstream.heard == []


def test_the_upstream_is_told_who_asks_and_of_nobody_else(gateway: Standing) -> None:
    upstream, client, _ = gateway
    upstream.says = answer(page(row("kid")))
    ask(
        client, "/results?class=1", X_Authz_Person="other", X_Authz_Fields="note",
        Range="bytes=0-1", If_None_Match='"a"', Accept_Encoding="gzip",
    )  # fmt: skip
    line, *lines = upstream.heard[-1].decode().lower().split("\r\n")
    told = dict(each.split(": ", 1) for each in lines if ": " in each)
    assert line == "get /results?class=1 http/1.1"
    assert {name: told[name] for name in told if name.startswith("x-authz-")} == {
        "x-authz-subject": "mum",
        "x-authz-subject-type": "user",
        "x-authz-action": "read",
        "x-authz-category": "assessment_result",
    }
    assert not told.keys() & {"range", "if-none-match", "authorization", "cookie"}
    assert told["accept-encoding"] == "identity"


TWICE = b'{"data":{"items":[{"student":{"id":"kid","id":"other"},"score":"SECRET"}]}}'
BESIDE = b'{"data":{"items":[]},"data":{"items":[{"student":{"id":"kid"},"score":"SECRET"}]}}'
NOT_JSON = [b"", b"<p>SECRET</p>", page(row("kid"))[:-2], TWICE, BESIDE, b'{"data":{"items":NaN}}']
STRANGE: dict[str, bytes] = {
    "no id": page({"score": "SECRET"}),
    "id is null": page(row(None)),
    "id is empty": page(row("")),
    "id is a list": page(row(["kid"])),
    "id is an object": page(row({"id": "kid"})),
    "id is true": page(row(True)),
    "id is no whole number": page(row(7.5)),
    "id with a space": page(row("kid ")),
    "id with what cannot be seen": page(row("kid\u200b")),
    "id too long": page(row("k" * 201)),
    "a good row before it": page(row("kid"), {"score": "SECRET"}),
    "row is a text": page("SECRET"),
    "row is a list of rows": page([row("kid")]),
    "row is null": page(None),
    "two ids in two spellings": page({**row("kid"), "Student": {"id": "other"}}),
    "two ids below": page({"student": {"id": "kid", "ID": "other"}, "score": "SECRET"}),
    "another spelling alone": page({"STUDENT": {"id": "kid"}, "score": "SECRET"}),
    "a row of another within": page(row("kid", records2=[row("other", score="SECRET")])),
    "a row of another further within": page(row("kid", a={"b": [[row("other")]]})),
    "another within, spelt otherwise": page(row("kid", a={"Student": {"id": "kid"}})),
    "another within, without the inner name": page(
        row("kid", a={"student": "other", "score": "SECRET"})
    ),
    "another within, in a list": page(row("kid", a=[{"student": [{"id": "other"}]}])),
    "another within, no text": page(row("kid", a={"student": {"id": ["kid"]}})),
    "too deep": page(row("kid", a=json.loads("[" * 70 + "]" * 70))),
    "too many rows": page(*([{"student": {"id": "kid"}}] * 21)),
    "no rows": b'{"data":{}}',
    "rows are an object": b'{"data":{"items":{"student":{"id":"kid"},"score":"SECRET"}}}',
    "the way is a list": json.dumps({"data": [{"items": [row("kid")]}]}).encode(),
    "the way is written otherwise": json.dumps({"Data": {"items": [row("kid")]}}).encode(),
    "two ways": json.dumps({"data": {"items": []}, "DATA": {"items": [row("kid")]}}).encode(),
    "the whole is the list": json.dumps([row("kid")]).encode(),
    "null": b"null",
}


@pytest.mark.parametrize("body", NOT_JSON, ids=range(len(NOT_JSON)))
def test_what_is_no_json_with_one_reading_refuses_all(body: bytes, gateway: Standing) -> None:
    upstream, client, point = gateway
    upstream.says = answer(body)
    found = ask(client, "/results")
    assert found.status_code == 502
    assert SECRET not in found.data
    assert point.asked == []


@pytest.mark.parametrize("why", STRANGE)
def test_an_answer_of_another_shape_is_refused_whole(why: str, gateway: Standing) -> None:
    """Nobody can say whose it is, so nobody is asked about, and nothing of it leaves."""
    upstream, client, point = gateway
    upstream.says = answer(STRANGE[why])
    found = ask(client, "/results")
    assert (found.status_code, code(found)) == (403, "obligation_not_carried_out")
    assert SECRET not in found.data
    assert point.asked == []


def test_whoever_wrote_the_routes_reads_why_in_the_log(
    gateway: Standing, caplog: pytest.LogCaptureFixture
) -> None:
    """What is wrong, and nothing of whom it is about."""
    upstream, client, _ = gateway
    upstream.says = answer(page(row("kid", a=row("other"))))
    ask(client, "/results")
    (line,) = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert "A row holds what may be the id of another person." in line
    assert "other" not in line.replace("another", "")


@pytest.mark.parametrize(
    ("status", "told"),
    [
        ("204 No Content", 502), ("302 Found", 502), ("206 Partial Content", 502),
        ("304 Not Modified", 502), ("226 IM Used", 502), ("201 Created", 502),
        ("404 Not Found", 404), ("500 Oops", 500),
    ],
)  # fmt: skip
def test_another_status_has_no_list(status: str, told: int, gateway: Standing) -> None:
    upstream, client, _ = gateway
    upstream.says = answer(b"SECRET", "Location: /SECRET", "Connection: close", status=status)
    found = ask(client, "/results")
    assert found.status_code == told
    assert SECRET not in found.data + str(found.headers).encode()


@pytest.mark.parametrize("kind", ["text/html", "application/jsonl", "text/csv"])
def test_a_body_of_another_type_is_refused(kind: str, gateway: Standing) -> None:
    upstream, client, _ = gateway
    upstream.says = answer(page(row("kid"))).replace(b"application/json", kind.encode())
    assert code(ask(client, "/results")) == "obligation_not_carried_out"


def test_a_point_that_fails_leaves_no_list_that_is_shorter(gateway: Standing) -> None:
    upstream, client, point = gateway
    point.permits["late"] = Answer.refused(TIMEOUT)
    upstream.says = answer(page(row("kid"), row("late")))
    assert ask(client, "/results").status_code == 503
    point.permits["late"] = Answer.refused(UNKNOWN_OBLIGATION)
    assert code(ask(client, "/results")) == "obligation_not_carried_out"
    point.permits["late"] = permit("score", pseudonymise=True)  # the route does not say how
    assert code(ask(client, "/results")) == "obligation_not_carried_out"


def test_a_row_of_a_class_that_is_not_permitted_is_left_out(gateway: Standing) -> None:
    upstream, client, point = gateway
    point.permits["kid"] = permit("score", classes=frozenset({"1"}))
    said = [row("kid", **{"class": name}) for name in ("1", "2")]
    upstream.says = answer(page(*said, row("kid")))
    (kept,) = items(client)
    assert kept == {"student": {"id": "kid"}, "score": "5"}


def test_a_persons_own_records_may_have_ids(gateway: Standing) -> None:
    """What a route says is the person's own is filtered by that person's permit, as the rest."""
    upstream, client, _ = gateway
    records = [{"student": {"id": "record-1"}, "score": "9", "note": "SECRET"}]
    upstream.says = answer(page(row("kid", records=records, friend={"student": {"id": "kid"}})))
    (kept,) = items(client)
    assert kept["records"] == [{"student": {"id": "record-1"}, "score": "9"}]


def test_a_list_that_is_the_whole_answer(gateway: Standing) -> None:
    upstream, client, _ = gateway
    said: list[dict[str, Any]] = [
        {"id": "all", "note": "kept", "friends": []},
        {"id": "other", "note": "SECRET"},
    ]
    upstream.says = answer(json.dumps(said).encode())
    assert ask(client, "/plain").json == [said[0]]
    said[0]["friends"] = [{"id": "other", "note": "SECRET"}]
    upstream.says = answer(json.dumps(said).encode())
    assert code(ask(client, "/plain")) == "obligation_not_carried_out"


def test_an_id_beside_the_rows_does_not_leave(gateway: Standing) -> None:
    """A name that is kept in a row, since it says whose it is, is not kept around the rows."""
    upstream, client, _ = gateway
    upstream.says = answer(page(row("kid"), student={"id": "other"}, next={"student": "other"}))
    assert b"other" not in ask(client, "/results").data


LIST = 'list = { rows = "/a", person = "/id" }'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('methods = ["GET"]', 'methods = ["GET", "POST"]', "known once it was asked"),
        ('methods = ["GET"]', 'methods = ["GET", "HEAD"]', "known once it was asked"),
        (LIST, f'{LIST}\nperson = {{ claim = "sub" }}', "not both"),
        (LIST, f'{LIST}\ncarries = ["fields"]', "not told the permits"),
        (LIST, f'{LIST}\npublic = "news"', "a public route asks nothing"),
        (LIST, 'list = { rows = "a", person = "/id" }', "written as in"),
        (LIST, 'list = { rows = "/a", person = "" }', "not its person"),
        (LIST, 'list = { rows = "/a", person = "/id", most = 1001 }', "less than or equal to 1000"),
        (LIST, "", "person is missing"),
    ],
)
def test_a_list_that_could_not_be_kept_does_not_start(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    route = f'[[route]]\npath = "/a"\nmethods = ["GET"]\naction = "read"\ncategory = "x"\n{LIST}\n'
    with (
        pytest.raises(RoutesError, match=said),
        standing(tmp_path, point=Point(), routes=route.replace(old, new)),
    ):
        pass


@pytest.mark.parametrize(
    ("text", "way"),
    [
        ("", ()),
        ("/a", ("a",)),
        ("/a/b c", ("a", "b c")),
        ("/a~1b/~0", ("a/b", "~")),
        ("/~01", ("~1",)),
    ],
)
def test_a_place_is_written_as_rfc_6901_has_it(text: str, way: pointer.Way) -> None:
    assert pointer.read(text) == way


@pytest.mark.parametrize("text", ["a", "/", "/a/", "//a", "/a~", "/a~2", "a/b"])
def test_what_is_no_place_is_told(text: str) -> None:
    with pytest.raises(ValueError, match="written as in"):
        pointer.read(text)
