"""Receives a request's body: of JSON, within its size, whole; then it is read strictly.

What JSON is taken is said by :mod:`authz.decision.strict`. Limits of size and depth (AuthZEN
11.7) are checked before anything is built: 413 or 400.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Request
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import parse_options_header
from werkzeug.wsgi import get_content_length, get_input_stream

from authz.decision.strict import WHOLE, parse
from authz.errors import MalformedError, TooLargeError

__all__ = ["parse", "read", "receive"]

JSON: Final = "application/json"
_LENGTH: Final = 20
"""Digits of a length that is read as it stands."""


def read(request: Request, limit: int, depth: int) -> dict[str, Any]:
    """The JSON object of a request's body; MalformedError or TooLargeError."""
    return parse(receive(request.environ, limit), depth)


def receive(environ: dict[str, Any], limit: int) -> bytes:
    """The bytes of a body that says to be JSON, of a request as WSGI has it."""
    kind = environ.get("CONTENT_TYPE", "")
    if kind != JSON and parse_options_header(kind)[0].lower() != JSON:
        raise MalformedError("The content type must be application/json.", where="Content-Type")
    return _bytes(environ, limit)


def _bytes(environ: dict[str, Any], limit: int) -> bytes:
    """The body, of which no more than the limit and one byte is ever read.

    One that was cut off is refused here: a server may hand on what it got of it.
    """
    short = MalformedError("The body is shorter than it says.", where=WHOLE)
    said = environ.get("CONTENT_LENGTH", "")
    plain = said.isascii() and said.isdecimal() and len(said) < _LENGTH
    plain = plain and "HTTP_TRANSFER_ENCODING" not in environ
    length = int(said) if plain else get_content_length(environ) or 0
    if length > limit:
        raise _too_large(limit)
    if plain:  # as nearly every request is: the library's way costs five times as much
        stream = environ["wsgi.input"]
        data: bytes = stream.read(length)
        while len(data) < length:
            more = stream.read(length - len(data))
            if not more:
                raise short
            data += more
        return data
    try:
        data = get_input_stream(environ).read(limit + 1)
    except ClientDisconnected as error:
        raise short from error
    if len(data) < length:
        raise short
    if len(data) > limit:
        raise _too_large(limit)
    return data


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError("The body is too large.", where=WHOLE, hint=f"At most {limit} bytes.")
