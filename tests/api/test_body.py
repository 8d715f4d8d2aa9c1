"""The JSON reader: strict, bounded, and never a 500; item numbers of ``reference/authzen.md``."""

from __future__ import annotations

import io
import json
import sys
import time
from contextlib import suppress
from typing import Any

import pytest
from flask import Request
from hypothesis import example, given
from hypothesis import strategies as st
from werkzeug.test import EnvironBuilder

from authz.api import body
from authz.arriving import Arriving
from authz.errors import MalformedError, TooLargeError
from tests.api.conftest import EVALUATION, EVALUATIONS, Client, question

DEPTH = 32
LIMIT = 1 << 20
MUCH = 2.0
"""Seconds of the processor's work."""


def _refused(data: bytes, depth: int = DEPTH) -> MalformedError:
    with pytest.raises(MalformedError) as caught:
        body.parse(data, depth)
    return caught.value


@pytest.mark.parametrize(
    ("data", "where"),
    [
        (b'{"a":1,"a":1}', "a"),
        (b'{"a":{"b":[0,{"c":1,"d":2,"c":3}]}}', "a.b[1].c"),
        (b'{"a":NaN}', "a"),
        (b'{"a":[Infinity]}', "a[0]"),
        (b'{"a":-Infinity}', "a"),
        (b'{"a":1e400}', "a"),
        (b'{"a":{"b":-1e999}}', "a.b"),
        (b'{"a":' + b"9" * 400 + b"}", "a"),
        (b'{"a":' + b"9" * 309 + b"}", "a"),
        (b'{"a":"\\ud800"}', "a"),
        (b'{"a":["\\udc00x"]}', "a[0]"),
        (b'{"a":{"\\ud83d":1}}', "a"),
        (b'{"\\ud83d\\ud83d":1}', "body"),
        (b'{"a":1,"a":NaN}', "a"),
    ],
)
def test_what_is_no_i_json_is_named(data: bytes, where: str) -> None:
    """Item 19."""
    assert _refused(data).where == where


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b" ",
        b"{",
        b"}",
        b"[1]",
        b'"x"',
        b"1",
        b"null",
        b"true",
        b"{}x",
        b"{} {}",
        b"{'a':1}",
        b"{a:1}",
        b'{"a":01}',
        b'{"a":+1}',
        b'{"a":"\x01"}',
        b'{"a":"\\x"}',
        b"\xef\xbb\xbf{}",
        b'{"a":"\xff"}',
        b"\xff\xfe{\x00}\x00",
        b'{"a":"\xed\xa0\x80"}',
        b'{"a":/**/1}',
        b'{"a":1,}',
        b'{"a":"',
        b'{"a":"\\',
    ],
)
def test_what_is_no_json_object_is_refused(data: bytes) -> None:
    """Items 14, 19, 21."""
    assert _refused(data).where


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":"\\ud83d\\ude00"}',
        '{"ก":"\U0001f600"}'.encode(),
        b'{"a":"\\\\ud800"}',
        b'{"a":1.7976931348623157e308}',
        b'{"a":' + str(int(sys.float_info.max)).encode() + b"}",
        b'{"a":1e-400,"b":-0.0,"c":null}',
        b' \r\n\t{"a" : [ ] } ',
        b'{"a":"[[[[{{{{\\"]]"}',
        b'{"":{"":1}}',
    ],
)
def test_what_is_json_is_read_as_json_is(data: bytes) -> None:
    """Item 10."""
    assert body.parse(data, DEPTH) == json.loads(data)


@pytest.mark.parametrize(("opening", "closing"), [(b"[", b"]"), (b'{"a":', b"}")])
def test_depth_is_counted_exactly(opening: bytes, closing: bytes) -> None:
    """Item 30; issue 2, "Bad input": deeper than 32 is 400."""
    inner = b"" if opening == b"[" else b"1"
    for depth, good in ((DEPTH - 1, True), (DEPTH, False), (DEPTH * 1000, False)):
        data = b'{"x":' + opening * depth + inner + closing * depth + b"}"
        if good:
            assert body.parse(data, DEPTH)
        else:
            assert "deep" in _refused(data).message


def test_width_is_not_depth() -> None:
    wide = {"a": [[], {}, [[]]] * 1000, "b": "[" * 1000}
    assert body.parse(json.dumps(wide).encode(), 4) == wide


@pytest.mark.parametrize(
    "data",
    [
        b"[" * LIMIT,
        b"{" * LIMIT,
        b'{"a":' * (LIMIT // 5),
        b"[]" * (LIMIT // 2),
        b"[[]" * (LIMIT // 3),
        b'"' * LIMIT,
        b"[" * 40 + b'"\\"' * (LIMIT // 3),
        b'{"a":' + b"9" * (LIMIT - 10) + b"}",
        b'{"a":1e' + b"9" * (LIMIT - 10) + b"}",
        b'{"a":[' + b"1," * (LIMIT // 2 - 10) + b"1]}",
        b"{" + b",".join(b'"%d":0' % n for n in range(90_000)) + b',"89999":1}',
        b'{"a":"' + b"\\ud800" * (LIMIT // 6 - 10) + b'"}',
        b"\\" * LIMIT,
        b'{"' + b"a" * (LIMIT // 2) + b'":[' + b"0," * (LIMIT // 4 - 10) + b'"\\ud800"]}',
    ],
)
def test_hostile_bodies_cost_little(data: bytes) -> None:
    """Item 30: no body within the limit is much work, nor a recursion error.

    What the processor does for it is counted, not how long that takes: some hundredths of a
    second, where a step for each pair of members would be a minute and more.
    """
    begin = time.thread_time()
    with suppress(MalformedError):
        body.parse(data, DEPTH)
    assert time.thread_time() - begin < MUCH


@given(st.binary(max_size=200))
@example(b'{"a":1,"a":2}')
@example(b"[" * 100)
@example(b'"\\')
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with suppress(MalformedError):
        assert body.parse(data, DEPTH) == json.loads(data)


@given(
    st.recursive(
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_read_as_the_standard_library_does(value: Any) -> None:
    data = json.dumps({"value": value}).encode("utf-8", "surrogatepass")
    try:
        found = body.parse(data, 200)
    except MalformedError as error:
        found = {error.message: value}
    taken = ("value", "A surrogate stands alone.", "The number is too large.")
    assert found in [{each: value} for each in taken]


class _Endless(io.RawIOBase):
    """A body without an end; it counts what is read of it."""

    def __init__(self) -> None:
        self.given = 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        assert size >= 0, "no more than the limit is ever asked for"
        self.given += size
        return b" " * size


def _request(stream: object, length: str | None, terminated: bool = True) -> Request:
    environ = EnvironBuilder(method="POST", content_type="application/json").get_environ()
    environ["wsgi.input"] = stream
    environ["wsgi.input_terminated"] = terminated
    environ.pop("CONTENT_LENGTH", None)
    if length is not None:
        environ["CONTENT_LENGTH"] = length
    return Request(environ)


def test_no_more_than_the_limit_is_read() -> None:
    """Item 30: with a length that lies, and without any."""
    for length in (None, str(10**9), "9" * 30):
        endless = _Endless()
        with pytest.raises(TooLargeError):
            body.receive(_request(endless, length).environ, "tests", 1000, Arriving(4))
        assert endless.given <= 1001


@pytest.mark.parametrize("terminated", [True, False])
def test_a_body_shorter_than_its_length_is_malformed(terminated: bool) -> None:
    short = _request(io.BytesIO(b"{}"), "10", terminated)
    with pytest.raises(MalformedError):
        body.receive(short.environ, "tests", 1000, Arriving(4))


@pytest.mark.parametrize("endpoint", [EVALUATION, EVALUATIONS])
def test_over_the_limit_is_413(client: Client, endpoint: str) -> None:
    """Issue 2, "Bad input": over 1 MiB is 413; up to it is read."""
    whole = json.dumps(question()).encode()
    padding = b" " * (LIMIT - len(whole))
    assert client.post(endpoint, whole + padding).status_code == 200
    answer = client.post(endpoint, whole + padding + b" ")
    assert (answer.status_code, answer.json["code"]) == (413, "too_large")


def test_a_problem_names_the_field_in_thai_too(client: Client) -> None:
    """Issue 2, "Bad input"."""
    answer = client.post(EVALUATION, b'{"a":{"b":1,"b":2}}', accept_language="th")
    assert answer.status_code == 400
    assert answer.json["field"] == "a.b"
    assert answer.json["detail"] == "ระบุสมาชิกนี้ซ้ำ"


def test_who_asks_is_looked_at_before_what_they_send(client: Client) -> None:
    """Item 28: a body of nobody is not read."""
    assert client.post(EVALUATION, b"[" * 100, authorization=None).status_code == 401
