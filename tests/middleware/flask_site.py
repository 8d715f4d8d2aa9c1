"""The site as a Flask application, declared route by route."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from flask import Flask, Response, jsonify, request, send_file

from authz.middleware import Guard, Identity
from authz.middleware.flask import Authz, declared, public
from tests.middleware import site
from tests.middleware.points import CountingPoint
from tests.middleware.signing import bearer


def identity() -> Identity | None:
    return bearer().identity(request.headers.get("Authorization", ""))


def views(app: Flask) -> None:
    """The routes of the site."""

    @app.get("/")
    @public("the front page is about nobody")
    def front() -> str:
        return "<h1>Results</h1>"

    @app.route("/students/<student>/results", methods=["GET"])
    @declared(site.READ)
    def results(student: str) -> Response:
        answer = jsonify(site.results(student))
        answer.add_etag()
        answer.make_conditional(request)
        return answer

    @app.route("/students/<student>/results", methods=["POST", "DELETE"])
    @declared(site.WRITE, methods=["POST"])
    @declared(site.WRITE, methods=["DELETE"])
    def change(student: str) -> bytes:
        return site.CHANGED + student.encode()

    @app.get("/students/<student>/report")
    @declared(site.BY_HAND)
    def report(student: str) -> Response:
        data = BytesIO(site.report(student))
        return send_file(data, "text/plain", conditional=True, etag=f"{student}-1")

    @app.get("/students/<student>/page")
    @declared(site.READ)
    def page(student: str) -> str:
        return site.page(student)

    @app.get("/results")
    @declared(site.BY_QUERY)
    def by_query() -> Any:
        return jsonify(site.results(request.args.getlist("student")[-1]))

    @app.post("/lookup")
    @declared(site.BY_JSON)
    def lookup() -> Any:
        return jsonify(site.results(request.get_json()["student"]))


def create(point: CountingPoint) -> Flask:
    app = Flask(__name__, static_folder=None)
    views(app)
    Authz(Guard(point), identity).init_app(app).check()
    return app
