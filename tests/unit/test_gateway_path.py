"""One spelling of a path, one reading of a query: what has two is refused."""

from __future__ import annotations

import pytest

from authz.errors import MalformedError
from authz.middleware.gateway import path, query

TRICKS = [
    *("", "students", "*", "http://other/students"),
    *("//", "//students/mali", "/students//mali", "/students/mali//"),
    *("/.", "/..", "/students/../mali", "/students/./mali", "/students/mali/..", "/..;/students"),
    *("/students/mali.", "/students/mali...", "/students/..%2f", "/students/%2e%2e"),
    *("/students/mali;x=1", "/students;/mali", "/students/mali%00", "/students/100%"),
    *("/students\\mali", "/students/mali\x00", "/students/ma\nli", "/students/ma\x7fli"),
    *("/students/mali ", "/students/ mali", "/students/mali?", "/students/mali#"),
    "/" + "a" * 3000,
]


def _wsgi(text: str) -> str:
    """A path as PEP 3333 has it."""
    return text.encode().decode("latin-1")


@pytest.mark.parametrize("trick", TRICKS)
def test_a_path_with_two_readings_is_refused(trick: str) -> None:
    with pytest.raises(MalformedError):
        path.decoded(_wsgi(trick))


@pytest.mark.parametrize(
    "trick",
    [
        "/a/．．/b",
        "/a/％2e",
        "/a／b",
        "/a/b；c",
        "/a/b＼c",
        "/a/e\u0301",
        "/a/b\u200b",
        "/a/\u202eb",
    ],
)
def test_a_path_that_becomes_another_when_normalised_is_refused(trick: str) -> None:
    with pytest.raises(MalformedError):
        path.decoded(_wsgi(trick))


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(MalformedError):
        path.decoded("/students/\xff")


@pytest.mark.parametrize(
    "trick",
    [
        *("/students%2fmali", "/students%2Fmali", "/%73tudents/mali", "/students/%6Dali"),
        *("/students/%2e%2e/mali", "/students/%zz", "/students/mali%", "/students/มะลิ"),
        *("/students/%252e", "/students/%ff", "/students/ma li", '/students/"', "/students/{x}"),
        *("/students/mali?x=1", "/students/mali#x", "/students/%00", "/students/%5c", "/a%3bb"),
    ],
)
def test_a_written_path_that_is_no_canonical_one_is_refused(trick: str) -> None:
    with pytest.raises(MalformedError):
        path.written(trick)


@pytest.mark.parametrize(
    ("written", "segments"),
    [
        ("/", ()),
        ("/students/mali", ("students", "mali")),
        ("/students/mali/", ("students", "mali", "")),
        ("/students/%E0%B8%A1%E0%B8%B0", ("students", "มะ")),
        ("/students/%e0%b8%a1", ("students", "ม")),
        ("/a/b.json/~c/d%20e/f:g@h", ("a", "b.json", "~c", "d e", "f:g@h")),
        ("/.well-known/x", (".well-known", "x")),
    ],
)
def test_a_plain_path_is_read_the_same_in_both_ways(
    written: str, segments: tuple[str, ...]
) -> None:
    assert path.written(written) == segments
    assert path.decoded(_wsgi("/" + "/".join(segments))) == segments
    assert path.written(path.canonical(segments)) == segments


@pytest.mark.parametrize(
    "raw",
    [
        *("_method=DELETE", "a=1&_METHOD=PUT", "%5fmethod=PUT", "X-HTTP-Method-Override=PUT"),
        *(
            "[_method]=PUT",
            "%5B_method%5D=PUT",
            "[[_method]]=PUT",
            "[_method]x=PUT",
            "+_method=PUT",
        ),
        *("a%00=b", "student%00x=b", "a%0a=b", "%e2%80%8ba=b"),
        *("a=%zz", "a=%ff", "a= b", "a=\x00", "a=ก", 'a="', "a=<b>", "a=" + "b" * 9000),
    ],
)
def test_a_query_that_is_none_or_wants_another_method_is_refused(raw: str) -> None:
    with pytest.raises(MalformedError):
        query.pairs(raw)


@pytest.mark.parametrize(
    "raw",
    [
        *("student=a&student=b", "student=a&student=a", "student=a&Student=b", "Student=b"),
        *("student[]=b", "student=a&student[]=b", "student=a&student%5B0%5D=b", "student.=b"),
        *("student=a&[student]=b", "student=a&%5B%5Dstudent=b", "[student]=b"),
        *("student=a;student=b", "x=1;student=b", "student=a&+student=b", "stu_dent=b"),
    ],
)
def test_a_parameter_with_two_readings_is_refused(raw: str) -> None:
    with pytest.raises(MalformedError):
        query.single(raw, query.pairs(raw), ["student"])


def test_a_parameter_that_stands_there_once_is_read() -> None:
    raw = "page=2&student=%E0%B8%A1%20li&x="
    found = query.pairs(raw)
    assert found == [("page", "2"), ("student", "ม li"), ("x", "")]
    assert query.single(raw, found, ["student", "class"]) == {"student": "ม li"}
