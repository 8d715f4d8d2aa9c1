"""The one spelling of a path: it is matched, and it alone is sent on.

A path is read once. What two programs could read differently is refused and never put right:
dot segments, empty segments, an encoded percent sign (so that nothing is decoded twice),
backslashes, ``;parameters``, trailing dots, control and invisible characters, characters that
become one of these when they are normalised, and text that is not in normal form C. What is
left has exactly one spelling, :func:`canonical`. Bytes are compared as they are: another case
is another path.

A WSGI server has decoded the path (PEP 3333), so ``%2f`` has become a slash before anything is
matched, and is sent on as one. :func:`written` reads a path as it was written, and refuses it.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final
from urllib.parse import quote, unquote_to_bytes

from authz.errors import MalformedError

LONGEST: Final = 2000
"""Characters of a path; more is no path of an application with data of people."""
_SAFE: Final = "-._~!$&'()*+,=:@"
_WRITTEN: Final = re.compile(r"(?:[\w.~!$&'()*+,=:@/-]|%[0-9A-Fa-f]{2})*", re.ASCII)
_NEEDLESS: Final = re.compile(
    r"%(?:2[dDeEfF]|3[0-9]|4[1-9a-fA-F]|5[0-9aAfF]|6[1-9a-fA-F]|7[0-9aAeE])"
)
"""An encoded slash, or a letter, digit, ``-``, ``.``, ``_`` or ``~`` that needs no encoding."""
_NEVER: Final = re.compile(r"[%\\;?#/\x00-\x1f\x7f-\x9f\ufffd]")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_~$&'()*+,=:@!-]+(?:\.[A-Za-z0-9_~-]+)*")
_HIDDEN: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
Segments = tuple[str, ...]
"""A path between its slashes; the last is empty where the path ends in a slash."""


@lru_cache(maxsize=4096)
def decoded(path_info: str) -> Segments:
    """The segments of a path as WSGI has it; MalformedError where it has two readings."""
    if path_info.isascii():
        return _segments(path_info)
    try:
        return _segments(path_info.encode("latin-1").decode())
    except UnicodeError as error:
        raise _strange("It is not UTF-8.") from error


def written(path: str) -> Segments:
    """The segments of a path as a request line has it, before anybody decoded it."""
    if not _WRITTEN.fullmatch(path) or _NEEDLESS.search(path):
        raise _strange("It is not written as such a path is.")
    try:
        return _segments(unquote_to_bytes(path).decode())
    except UnicodeError as error:
        raise _strange("It is not UTF-8.") from error


@lru_cache(maxsize=4096)
def canonical(segments: Segments) -> str:
    """The one spelling of these segments, which is what an upstream is sent."""
    return "/" + "/".join(quote(segment, safe=_SAFE) for segment in segments)


def is_segment(text: str) -> bool:
    """Whether this can stand between two slashes and be read in one way only."""
    if _PLAIN.fullmatch(text):
        return True
    if not text or not unicodedata.is_normalized("NFC", text):
        return False
    if any(unicodedata.category(each) in _HIDDEN for each in text):
        return False
    return all(_one_reading(each) for each in (text, unicodedata.normalize("NFKC", text)))


def _one_reading(text: str) -> bool:
    return not (_NEVER.search(text) or text.endswith(".") or text != text.strip())


def _segments(path: str) -> Segments:
    if not path.startswith("/") or len(path) > LONGEST:
        raise _strange("It must begin with a slash, and be no longer than a path is.")
    if path == "/":
        return ()
    found = tuple(path[1:].split("/"))
    last = len(found) - 1
    for place, segment in enumerate(found):
        if not is_segment(segment) and (segment or place != last):
            raise _strange("It can be read in more than one way.")
    return found


def _strange(message: str) -> MalformedError:
    return MalformedError(message, where="path")
