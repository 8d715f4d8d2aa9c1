"""What every exchange has, whatever it is about: a request id, a language, safe headers.

**Request ids** (AuthZEN 10.1.3). An ``X-Request-ID`` is echoed byte for byte, on errors
too, and stands in the audit record. One that is absent, longer than 200 bytes, or that holds
anything but printable ASCII and tabs is replaced by one of our own: the server hands on no
other bytes (Granian gives an empty value for them), so they could not be given back.

**Languages.** Sentences are Thai or English, as ``Accept-Language`` wants them, else English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final
from uuid import uuid4

from flask import Flask, Response, g, request

LANGUAGES: Final = ("en", "th")
LONGEST_ID: Final = 200
REQUEST_ID: Final = "X-Request-ID"
DECISION_ID: Final = "X-Decision-Id"
_STRANGE: Final = re.compile(r"[^\t\x20-\x7e]")
_SAFE: Final = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
}


def register(app: Flask) -> None:
    """Put the headers on every answer of the application."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    sent = request.headers.get(REQUEST_ID, "")
    good = 0 < len(sent) <= LONGEST_ID and not _STRANGE.search(sent)
    g.request_id = sent if good else uuid4().hex


def _end(response: Response) -> Response:
    response.headers[REQUEST_ID] = g.request_id
    for name, value in _SAFE.items():
        response.headers.setdefault(name, value)
    return response


def request_id() -> str:
    """The id of this request: the caller's, or our own."""
    return str(g.request_id)


def language() -> str:
    """``th`` or ``en``, whichever the caller likes better."""
    if not request.headers.get("Accept-Language"):
        return LANGUAGES[0]
    return request.accept_languages.best_match(LANGUAGES, LANGUAGES[0])


def answer(
    body: Mapping[str, Any],
    status: int = 200,
    *,
    mimetype: str = "application/json",
    spoken: str | None = None,
) -> Response:
    """A JSON answer in UTF-8, its members in their order; ``spoken`` is its language, if any."""
    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
    response = Response(text.encode(), status, content_type=mimetype)
    if spoken is not None:
        response.headers["Content-Language"] = spoken
        response.headers["Vary"] = "Accept-Language"
    return response
