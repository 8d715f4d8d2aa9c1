"""Errors as problem documents (RFC 9457): a stable code, a sentence in Thai or English.

No error carries a decision, a stack trace, or anything of the store. 401 and 403 speak about
the caller, never about the subject of a question (AuthZEN 10.1.2).
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Iterator
from typing import Any, Final

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from authz.api import exchange
from authz.api.sentences import THAI, TITLES
from authz.errors import (
    AuthzError,
    ForbiddenError,
    MalformedError,
    NotFoundError,
    TooLargeError,
    UnauthenticatedError,
    http_status,
)
from authz.service.tokens import challenge

PROBLEM: Final = "application/problem+json"
SERVER_ERROR: Final = 500
UNAVAILABLE: Final = 503
_HTTP_CODES: Final = {
    400: MalformedError.code,
    404: NotFoundError.code,
    405: "method_not_allowed",
    413: TooLargeError.code,
}
_log = logging.getLogger(__name__)


def register(app: Flask) -> None:
    """Let the application answer every error with a problem document."""
    app.register_error_handler(AuthzError, _own)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unexpected)


def document(
    status: int, code: str, detail: str = "", *, field: str = "", hint: str = ""
) -> Response:
    """A problem document in the caller's language."""
    spoken = exchange.language()
    thai = spoken == "th"
    title = TITLES.get(code, TITLES[AuthzError.code])[spoken]
    said = (THAI.get(detail, detail) if thai else detail) + (f" {hint}" if hint else "")
    members: dict[str, Any] = {
        "type": f"urn:authz:error:{code}",
        "title": title,
        "status": status,
        "detail": said or title,
        "code": code,
        "field": field,
    }
    kept = {name: value for name, value in members.items() if value}
    response = exchange.answer(kept, status, mimetype=PROBLEM, spoken=spoken)
    if status == UNAVAILABLE:
        response.headers["Retry-After"] = "5"
    return response


def _own(error: AuthzError) -> Response:
    status = http_status(error)
    if status >= SERVER_ERROR and status != UNAVAILABLE:
        return _unexpected(error)
    if status == UNAVAILABLE:
        _log.error("request %s: %s: %s", exchange.request_id(), error.code, error.message)
        return document(status, error.code)
    field = error.where if isinstance(error, MalformedError | TooLargeError) else ""
    response = document(status, error.code, error.message, field=field, hint=error.hint)
    if isinstance(error, UnauthenticatedError | ForbiddenError):
        response.headers["WWW-Authenticate"] = challenge(error)
    return response


def _http(error: HTTPException) -> Response:
    status = error.code or SERVER_ERROR
    if status >= SERVER_ERROR:
        return _unexpected(error)
    response = document(status, _HTTP_CODES.get(status, MalformedError.code))
    for name, value in error.get_headers(request.environ):
        if name == "Allow":
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    """A mistake of ours: logged with its stack, told to nobody.

    The messages of exceptions are left out of the log: they may quote a body, a token or the
    parameters of a statement (E-01).
    """
    _log.error("request %s failed\n%s", exchange.request_id(), "".join(_stack(error)))
    return document(SERVER_ERROR, AuthzError.code, hint=f"({exchange.REQUEST_ID})")


def _stack(error: BaseException | None) -> Iterator[str]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield f"{type(error).__module__}.{type(error).__qualname__}\n"
        yield from traceback.format_tb(error.__traceback__)
        error = error.__cause__ or error.__context__
