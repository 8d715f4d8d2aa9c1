"""A results site in Flask. The lines about rights are those with ``authz`` or a declaration."""

from __future__ import annotations

import secrets

from flask import Flask, redirect, render_template, request
from flask_login import LoginManager, UserMixin, login_user
from school.results import PEOPLE, RESULTS
from werkzeug.wrappers import Response

from authz.middleware import Guard, Point
from authz.middleware.flask import Authz, flask_login, needs, permitted, public


class Person(UserMixin):  # type: ignore[misc] # it says no types
    """Whoever is signed in."""

    def __init__(self, ident: str) -> None:
        self.id = ident


def create_app(point: Point) -> Flask:
    """The site, which does not start while a route declares nothing."""
    app = Flask(__name__, static_folder=None)
    app.secret_key = secrets.token_bytes(32)
    LoginManager(app).user_loader(Person)
    authz = Authz(Guard(point), identity=flask_login)

    @app.get("/")
    @public("it lists names of links that each ask for themselves")
    def front() -> str:
        return render_template("front.html", people=PEOPLE)

    @app.post("/sign-in")
    @public("nobody is signed in yet")
    def sign_in() -> Response:
        login_user(Person(request.form["name"]))  # a real site asks for a password
        return redirect("/")

    @app.get("/students/<student>/results")
    @needs("read", "assessment_result", person="student", purpose="service", carries=["fields"])
    def results(student: str) -> str:
        rows = permitted().filter(RESULTS[student])
        return render_template("results.html", name=PEOPLE[student], rows=rows)

    authz.init_app(app).check()
    return app
