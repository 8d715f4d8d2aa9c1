"""What does nothing, on the same server: the floors of the HTTP measurements."""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Flask, request

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
