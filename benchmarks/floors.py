"""What does less, on the same server: the floors of the HTTP measurements."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from flask import Flask, request

from authz.audit import log
from authz.audit.chain import MAIN
from authz.audit.log import Receipt
from benchmarks.client import EVALUATION


@cache
def flask() -> Flask:
    """The view that does nothing: it reads the body, and says yes."""
    app = Flask(__name__)

    @app.post(EVALUATION)
    def evaluation() -> dict[str, bool]:
        request.get_data()
        return {"decision": True}

    return app


@cache
def bare() -> Any:
    """The callable that does nothing, without a framework."""

    def evaluation(environ: Any, start: Any) -> list[bytes]:
        environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        answer = b'{"decision":true}'
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(answer)))]
        start("200 OK", headers)
        return [answer]

    return evaluation


def untold() -> Any:
    """Our application with a trail that drops every record: what the trail costs beside it.

    The product has no switch for it; here the function that records is another one.
    """
    from app import create_app  # noqa: PLC0415 (only where it is served)

    def drop(_store: Any, bodies: Sequence[bytes], *_: Any) -> list[Receipt]:
        return [Receipt(MAIN, number, b"") for number, _ in enumerate(bodies)]

    log.record_spelt = drop  # type: ignore[assignment]  # it forgets the names of what it drops
    return create_app()
