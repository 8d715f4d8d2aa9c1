"""One exchange without a framework: who asks by which id, in which language, and the answer.

The decision endpoints speak WSGI themselves (:mod:`authz.api.front`), everything else is
Flask; both begin and end an exchange here, so that no caller can tell one from the other.

**Request ids** (AuthZEN 10.1.3). An ``X-Request-ID`` is echoed byte for byte, on errors
too, and stands in the audit record. One that is absent, longer than 8 KiB, or that holds
anything but printable ASCII and tabs is replaced by one of our own: the server hands on no
other bytes (Granian gives an empty value for them), so they could not be given back.

**Languages.** Sentences are Thai or English, as ``Accept-Language`` wants them, else English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http import HTTPStatus
from random import getrandbits
from typing import Any, Final

from werkzeug.datastructures import LanguageAccept
from werkzeug.http import parse_accept_header

from authz import clock

LANGUAGES: Final = ("en", "th")
WISHES: Final = 1000
"""Characters of an ``Accept-Language`` that is read: a long one costs a second, and is kept."""
LONGEST_ID: Final = 8192
"""What proxies take of one header; whatever comes through them is given back (10.1.3)."""
REQUEST_ID: Final = "X-Request-ID"
DECISION_ID: Final = "X-Decision-Id"
REVISION: Final = "X-Authz-Revision"
JSON: Final = "application/json"
SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}
_SAFE: Final = tuple(SAFE.items())
STATUS: Final = {each.value: f"{each.value} {each.phrase.upper()}" for each in HTTPStatus}
_STRANGE: Final = re.compile(r"[^\t\x20-\x7e]")
_encode: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Environ = dict[str, Any]
"""A request as WSGI has it (PEP 3333)."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What is known of a request before anything of it is believed."""

    request_id: str
    language: str


@dataclass(slots=True)
class Answer:
    """What goes back, but for the headers that every answer has."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)


def begin(environ: Environ) -> Exchange:
    """The exchange that this request begins."""
    sent = environ.get("HTTP_X_REQUEST_ID", "")
    good = 0 < len(sent) <= LONGEST_ID and not _STRANGE.search(sent)
    wanted = environ.get("HTTP_ACCEPT_LANGUAGE", "")
    spoken = _language(wanted) if len(wanted) <= WISHES else LANGUAGES[0]
    return Exchange(sent if good else own_id(), spoken)


def own_id() -> str:
    """A request id of our own: half the time, half chance.

    Ids of the same hour lie side by side in the trail's index, which is written with every
    record: ids of chance alone would each touch a page of their own.
    """
    chance = getrandbits(64)
    return f"{clock.microseconds():016x}{chance:016x}"


@lru_cache(maxsize=256)
def _language(accepted: str) -> str:
    """``th`` or ``en``, whichever the caller likes better."""
    if not accepted:
        return LANGUAGES[0]
    return parse_accept_header(accepted, LanguageAccept).best_match(LANGUAGES, LANGUAGES[0])


def answer(
    body: Mapping[str, Any], status: int = 200, *, mimetype: str = JSON, spoken: str | None = None
) -> Answer:
    """A JSON answer in UTF-8, its members in their order; ``spoken`` is its language, if any."""
    return spelt(encode(body), status, mimetype=mimetype, spoken=spoken)


def spelt(
    body: bytes, status: int = 200, *, mimetype: str = JSON, spoken: str | None = None
) -> Answer:
    """The same of JSON that is spelt already."""
    headers = {"Content-Type": mimetype}
    if spoken is not None:
        headers["Content-Language"] = spoken
        headers["Vary"] = "Accept-Language"
    return Answer(status, body, headers)


def encode(body: Mapping[str, Any]) -> bytes:
    """JSON in UTF-8, its members in their order."""
    return _encode(body).encode()


def headers(asked: Exchange, made: Answer) -> list[tuple[str, str]]:
    """All headers of the answer."""
    return [
        *_SAFE,
        *made.headers.items(),
        ("Content-Length", str(len(made.body))),
        (REQUEST_ID, asked.request_id),
    ]
