"""``/openapi.json``, and ``/docs``: the same document as a page, made here (4.3).

The page loads nothing and runs nothing: its style is in it, and the policy of its headers
allows that style by its hash and no more.
"""

from __future__ import annotations

import json
from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, render_template, request

from authz.api import exchange, openapi
from authz.api.context import service

STYLE: Final = Path(__file__).with_name("templates") / "docs.css"


def register(app: Flask) -> None:
    """Add the two routes."""
    app.add_url_rule("/openapi.json", "openapi", _openapi, methods=["GET"])
    app.add_url_rule("/docs", "docs", _docs, methods=["GET"])
    app.jinja_env.filters["json"] = _json


def _openapi() -> Response:
    spoken = exchange.language()
    return exchange.answer(openapi.document(service().settings, spoken), spoken=spoken)


def _docs() -> Response:
    wanted = request.args.get("lang", "")
    spoken = wanted if wanted in exchange.LANGUAGES else exchange.language()
    document = openapi.document(service().settings, spoken)
    style, digest = _style()
    response = Response(render_template("docs.html", doc=document, lang=spoken, style=style))
    response.headers["Content-Language"] = spoken
    response.headers["Vary"] = "Accept-Language"
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    )
    return response


@cache
def _style() -> tuple[str, str]:
    """The style of the page, and its hash for the page's security policy."""
    text = STYLE.read_text(encoding="utf-8").strip()
    return text, b64encode(sha256(text.encode()).digest()).decode()


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)
