"""A site that asks nobody: whoever reaches it sees everything."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask, Response, request
from school.point import HOST
from school.results import RESULTS
from werkzeug.serving import make_server


def create_app(*, keeps_fields: bool = False) -> Flask:
    """The site; ``keeps_fields`` has it show only what ``X-Authz-Fields`` allows."""
    app = Flask(__name__, static_folder=None)

    @app.get("/students/<student>/results")
    def results(student: str) -> Response:
        rows = RESULTS[student]
        if keeps_fields:
            allowed = request.headers.get("X-Authz-Fields", "").split(",")
            rows = [{name: row[name] for name in row if name in allowed} for row in rows]
        told = {"student": student, "results": rows}
        return Response(json.dumps(told, ensure_ascii=False), mimetype="application/json")

    return app


@contextmanager
def serving(app: Flask) -> Iterator[int]:
    """The site on a port of its own."""
    server = make_server(HOST, 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.port
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
