"""An exchange (:mod:`authz.api.plain`) in Flask: its id, its language, its headers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from flask import Flask, Response, g, request

from authz.api import plain
from authz.api.plain import DECISION_ID, JSON, LANGUAGES, REQUEST_ID

__all__ = [
    "DECISION_ID",
    "LANGUAGES",
    "REQUEST_ID",
    "answer",
    "here",
    "language",
    "register",
    "request_id",
    "respond",
]


def register(app: Flask) -> None:
    """Put the headers on every answer of the application."""
    app.before_request(_begin)
    app.after_request(_end)


def _begin() -> None:
    g.exchange = plain.begin(request.environ)


def _end(response: Response) -> Response:
    response.headers[REQUEST_ID] = request_id()
    for name, value in plain.SAFE.items():
        response.headers.setdefault(name, value)
    return response


def here() -> plain.Exchange:
    """The exchange that Flask is in."""
    return cast("plain.Exchange", g.exchange)


def request_id() -> str:
    """The id of this request: the caller's, or our own."""
    return here().request_id


def language() -> str:
    """``th`` or ``en``, whichever the caller likes better."""
    return here().language


def respond(made: plain.Answer) -> Response:
    """The answer as Flask wants it."""
    return Response(made.body, made.status, made.headers)


def answer(
    body: Mapping[str, Any], status: int = 200, *, mimetype: str = JSON, spoken: str | None = None
) -> Response:
    """A JSON answer in UTF-8, its members in their order; ``spoken`` is its language, if any."""
    return respond(plain.answer(body, status, mimetype=mimetype, spoken=spoken))
