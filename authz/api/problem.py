"""Errors as problem documents (RFC 9457): a stable code, a sentence in Thai or English.

No error carries a decision, a stack trace, or anything of the store. 401 and 403 speak about
the caller, never about the subject of a question (AuthZEN 10.1.2).
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from typing import Any, Final

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from authz.api import exchange, plain
from authz.api.exchange import respond
from authz.api.plain import Answer, Exchange
from authz.api.sentences import THAI, TITLES
from authz.errors import (
    AuthzError,
    ForbiddenError,
    KeysError,
    MalformedError,
    MethodNotAllowedError,
    NotFoundError,
    TooLargeError,
    TooManyError,
    UnauthenticatedError,
    http_status,
)
from authz.measures import PROBLEMS
from authz.service.tokens import challenge

PROBLEM: Final = "application/problem+json"
SERVER_ERROR: Final = 500
UNAVAILABLE: Final = 503
_HTTP_CODES: Final = {
    400: MalformedError.code,
    404: NotFoundError.code,
    405: MethodNotAllowedError.code,
    413: TooLargeError.code,
}
_log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Let the application answer every error with a problem document."""
    for kind in (AuthzError, HTTPException, Exception):
        app.register_error_handler(kind, lambda error: respond(of(error, exchange.here())))


def document(
    status: int, code: str, detail: str = "", *, field: str = "", hint: str = ""
) -> Response:
    """A problem document in the language of the caller that Flask answers."""
    return respond(_document(exchange.here(), status, code, detail, field=field, hint=hint))


def of(error: Exception, asked: Exchange) -> Answer:
    """What this error is told as."""
    if isinstance(error, AuthzError):
        return _own(error, asked)
    if isinstance(error, HTTPException):
        return _http(error, asked)
    return _unexpected(error, asked)


def _document(
    asked: Exchange, status: int, code: str, detail: str = "", *, field: str = "", hint: str = ""
) -> Answer:
    PROBLEMS.add(str(status), code)
    spoken = asked.language
    title = TITLES.get(code, TITLES[AuthzError.code])[spoken]
    said = (THAI.get(detail, detail) if spoken == "th" else detail) + (f" {hint}" if hint else "")
    members: dict[str, Any] = {
        "type": f"urn:authz:error:{code}",
        "title": title,
        "status": status,
        "detail": said or title,
        "code": code,
        "field": field,
    }
    kept = {name: value for name, value in members.items() if value}
    made = plain.answer(kept, status, mimetype=PROBLEM, spoken=spoken)
    if status == UNAVAILABLE:
        made.headers["Retry-After"] = "5"
    return made


def _own(error: AuthzError, asked: Exchange) -> Answer:
    status = http_status(error)
    if status >= SERVER_ERROR and status != UNAVAILABLE:
        return _unexpected(error, asked)
    if status == UNAVAILABLE:
        if not isinstance(error, KeysError):  # told once, by what reads the keys
            _log.error("request %s: %s: %s", asked.request_id, error.code, error.message)
        return _document(asked, status, error.code)
    field = error.where if isinstance(error, MalformedError | TooLargeError) else ""
    made = _document(asked, status, error.code, error.message, field=field, hint=error.hint)
    if isinstance(error, TooManyError):
        made.headers["Retry-After"] = str(error.wait)
    if isinstance(error, UnauthenticatedError | ForbiddenError):
        made.headers["WWW-Authenticate"] = challenge(error)
    return made


def _http(error: HTTPException, asked: Exchange) -> Answer:
    status = error.code or SERVER_ERROR
    if status >= SERVER_ERROR:
        return _unexpected(error, asked)
    made = _document(asked, status, _HTTP_CODES.get(status, MalformedError.code))
    made.headers.update((name, value) for name, value in error.get_headers() if name == "Allow")
    return made


def _unexpected(error: Exception, asked: Exchange) -> Answer:
    """A mistake of ours: logged with its stack, told to nobody.

    The messages of exceptions are left out of the log: they may quote a body, a token or the
    parameters of a statement (E-01).
    """
    _log.error("request %s failed\n%s", asked.request_id, "".join(_stack(error)))
    return _document(asked, SERVER_ERROR, AuthzError.code, hint=f"({plain.REQUEST_ID})")


def _stack(error: BaseException | None) -> Iterator[str]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield f"{type(error).__module__}.{type(error).__qualname__}\n"
        yield from traceback.format_tb(error.__traceback__)
        error = error.__cause__ or error.__context__
