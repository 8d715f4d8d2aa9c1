"""Receives a request's body: of JSON, within its size, whole; then it is read strictly.

What JSON is taken is said by :mod:`authz.decision.strict`. Limits of size and depth (AuthZEN
11.7) are checked before anything is built: 413 or 400. How many are read at a time, of one
caller and of all, is bounded (:mod:`authz.arriving`): 429.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Request
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import parse_options_header
from werkzeug.wsgi import get_content_length, get_input_stream

from authz.api.context import Service
from authz.arriving import Arriving
from authz.decision.strict import WHOLE, parse
from authz.errors import MalformedError, TooLargeError, TooManyError

__all__ = ["parse", "read", "receive"]

JSON: Final = "application/json"
AGAIN_SECONDS: Final = 5
"""How soon whoever found no place may try again."""
_LENGTH: Final = 20
"""Digits of a length that is read as it stands."""


def read(request: Request, caller: str, here: Service) -> dict[str, Any]:
    """The JSON object of a body of this caller; MalformedError, TooLargeError, TooManyError."""
    data = receive(request.environ, caller, here.settings.max_body_bytes, here.arriving)
    return parse(data, here.settings.max_depth)


def receive(environ: dict[str, Any], caller: str, limit: int, arriving: Arriving) -> bytes:
    """The bytes of a body that says to be JSON, of a request as WSGI has it."""
    kind = environ.get("CONTENT_TYPE", "")
    if kind != JSON and parse_options_header(kind)[0].lower() != JSON:
        raise MalformedError("The content type must be application/json.", where="Content-Type")
    return _bytes(environ, caller, limit, arriving)


def _bytes(environ: dict[str, Any], caller: str, limit: int, arriving: Arriving) -> bytes:
    """The body, of which no more than the limit and one byte is ever read.

    One that was cut off is refused here: a server may hand on what it got of it.
    """
    said = environ.get("CONTENT_LENGTH", "")
    plain = said.isascii() and said.isdecimal() and len(said) < _LENGTH
    plain = plain and "HTTP_TRANSFER_ENCODING" not in environ
    length = int(said) if plain else get_content_length(environ) or 0
    if length > limit:
        raise _too_large(limit)
    # nearly every request says its length: the library's way costs five times as much
    reading, most = (_said, length) if plain else (_to_its_end, limit + 1)
    data = arriving.read(caller, reading, environ, most)
    if data is None:
        raise TooManyError("Too many bodies are on their way.", wait=AGAIN_SECONDS)
    if len(data) < length:
        raise _short()
    if len(data) > limit:
        raise _too_large(limit)
    return data


def _said(environ: dict[str, Any], length: int) -> bytes:
    """So many bytes, or fewer where no more come."""
    stream = environ["wsgi.input"]
    data: bytes = stream.read(length)
    while len(data) < length:
        more = stream.read(length - len(data))
        if not more:
            break
        data += more
    return data


def _to_its_end(environ: dict[str, Any], most: int) -> bytes:
    """What comes, but no more than this."""
    try:
        return get_input_stream(environ).read(most)
    except ClientDisconnected as error:
        raise _short() from error


def _short() -> MalformedError:
    return MalformedError("The body is shorter than it says.", where=WHOLE)


def _too_large(limit: int) -> TooLargeError:
    return TooLargeError("The body is too large.", where=WHOLE, hint=f"At most {limit} bytes.")
