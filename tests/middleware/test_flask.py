"""Flask: nothing undeclared starts, and nothing undecided leaves."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Blueprint, Flask, Response, abort, g, jsonify, render_template_string, request
from flask.testing import FlaskClient
from flask.views import MethodView
from flask_login import LoginManager, UserMixin, login_user
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from authz.errors import DeclarationError, RefusedError
from authz.middleware import Guard, Identity, Needs, Shape
from authz.middleware.flask import Authz, flask_login, needs, permitted, public
from tests.middleware.points import CountingPoint
from tests.middleware.site import KID, MUM, OTHER

READ: dict[str, Any] = {"person": "student", "purpose": "service"}
RECORD = {"assessment": "maths", "score": 12, "comment": "late"}
View = Callable[..., Any]


def signed_in() -> Identity | None:
    name = request.headers.get("X-Test-User")
    return Identity(name) if name else None


def site(point: CountingPoint | None = None) -> tuple[Flask, Authz]:
    app = Flask(__name__, static_folder=None)
    app.testing = True
    return app, Authz(Guard(point or CountingPoint()), signed_in)


def reading(**more: Any) -> Callable[[View], View]:
    return needs("read", "assessment_result", **{**READ, **more})


def client(app: Flask, who: str = MUM) -> FlaskClient:
    made = app.test_client()
    made.environ_base["HTTP_X_TEST_USER"] = who
    return made


def one_view(view: View, point: CountingPoint | None = None, **more: Any) -> FlaskClient:
    """A site with one route, ``/<student>``."""
    app, authz = site(point)
    app.get("/<student>")(reading(**more)(view))
    authz.init_app(app).check()
    return client(app)


def test_it_does_not_start_with_a_route_that_declares_nothing() -> None:
    app, authz = site()

    @app.get("/students/<student>/results")
    def results(student: str) -> str:
        return student

    installed = authz.init_app(app)
    with pytest.raises(DeclarationError, match=r"/students/<student>/results .*'results'"):
        installed.check()
    with pytest.raises(DeclarationError):
        client(app).get("/authz/may")


def test_a_declaration_above_the_route_is_none() -> None:
    """There the route is of the bare view, which nothing holds back."""
    app, authz = site()

    @public("above is wrong")
    @app.get("/")
    def front() -> str:
        return ""

    with pytest.raises(DeclarationError, match="under each route's own decorator"):
        authz.init_app(app).check()


def test_static_files_are_declared_by_their_endpoint() -> None:
    app = Flask(__name__)
    authz = Authz(Guard(CountingPoint()), signed_in)
    with pytest.raises(DeclarationError, match="static"):
        authz.init_app(app).check()
    authz.public("static", why="style sheets")
    app.extensions["authz.middleware"].check()


def test_a_declaration_by_endpoint_is_for_one_method() -> None:
    """Else a DELETE would be decided as the reading that the endpoint declares."""
    app, authz = site()
    app.add_url_rule("/<student>", "results", lambda student: student, methods=["GET", "DELETE"])
    read = Needs("read", "assessment_result", "student")
    with pytest.raises(DeclarationError, match="one declaration for DELETE and GET"):
        authz.declare("results", read).init_app(app).check()


def test_what_is_no_route_answers_with_no_data() -> None:
    """Neither a handler of missing pages nor a hook is a way round the declarations."""
    app, authz = site()

    @app.errorhandler(404)
    def anything(_error: Exception) -> Any:
        return jsonify(RECORD) if request.args else ("maths", 404)

    app.get("/<student>")(reading()(lambda student: RECORD))
    authz.init_app(app).check()

    @app.before_request
    def hook() -> Any:
        return jsonify(RECORD) if request.method == "OPTIONS" else None

    found = client(app).get("/no/where?x")
    assert (found.status_code, b"maths" in found.data) == (403, False)
    assert client(app).get("/no/where").status_code == 404
    assert client(app).options(f"/{KID}").data == b""


def test_an_endpoint_that_is_not_there_is_no_declaration() -> None:
    app, authz = site()
    authz.public("statik", why="style sheets")
    with pytest.raises(DeclarationError, match="statik"):
        authz.init_app(app).check()


def test_several_methods_need_a_declaration_each() -> None:
    app, authz = site()

    @app.route("/<student>", methods=["GET", "POST"])
    @reading()
    def both(student: str) -> str:
        return student

    with pytest.raises(DeclarationError, match=r"methods=…"):
        authz.init_app(app).check()


def test_a_blueprint_and_a_class_declare_by_view_and_by_method() -> None:
    class Results(MethodView):
        @reading()
        def get(self, student: str) -> Response:
            return jsonify(RECORD)

        @needs("update", "assessment_result", person="student")
        def post(self, student: str) -> str:
            return "changed"

    app, authz = site()
    print_ = Blueprint("marks", __name__, url_prefix="/marks")
    print_.add_url_rule("/<student>", view_func=Results.as_view("results"))
    app.register_blueprint(print_)
    authz.init_app(app).check()
    assert client(app).get(f"/marks/{KID}").json == {"assessment": "maths", "score": 12}
    assert client(app).head(f"/marks/{KID}").status_code == 200
    assert client(app).post(f"/marks/{KID}").status_code == 403
    assert client(app).head(f"/marks/{OTHER}").status_code == 403
    allowed = client(app, "").options(f"/marks/{OTHER}")
    assert allowed.status_code == 200
    assert set(allowed.allow) == {"GET", "HEAD", "OPTIONS", "POST"}


def test_a_class_with_a_method_that_declares_nothing_does_not_start() -> None:
    class Results(MethodView):
        @reading()
        def get(self, student: str) -> str:
            return student

        def delete(self, student: str) -> str:
            return student

    app, authz = site()
    app.add_url_rule("/<student>", view_func=Results.as_view("results"))
    with pytest.raises(DeclarationError, match="DELETE declares nothing"):
        authz.init_app(app).check()


def test_a_route_that_comes_later_is_refused() -> None:
    app, authz = site()
    authz.init_app(app).check()
    app.view_functions["late"] = lambda student: student
    app.url_map.add(app.url_rule_class("/late/<student>", endpoint="late", methods=["GET"]))
    answer = client(app).get("/late/kid")
    assert answer.status_code == 500
    assert b"kid" not in answer.data


def test_a_mounted_application_that_nothing_guards_does_not_start() -> None:
    app, authz = site()
    other = Flask("other")
    installed = authz.init_app(app)
    mounts = DispatcherMiddleware(app.wsgi_app, {"/other": other})
    app.wsgi_app = mounts  # type: ignore[method-assign]
    with pytest.raises(DeclarationError, match="/other"):
        installed.check()


def test_a_declared_view_does_not_run_without_the_extension() -> None:
    app, _ = site()

    @app.get("/<student>")
    @reading()
    def results(student: str) -> str:
        return student

    with pytest.raises(DeclarationError, match="nothing guards"):
        client(app).get(f"/{KID}")


def test_one_view_does_not_lead_into_another() -> None:
    app, authz = site()

    @app.get("/<student>")
    @reading()
    def results(student: str) -> Response:
        return jsonify(RECORD)

    @app.get("/")
    @public("a way round")
    def front() -> Any:
        return results(OTHER)

    authz.init_app(app).check()
    app.testing = False
    answer = client(app).get("/")
    assert answer.status_code == 500
    assert b"maths" not in answer.data


def test_who_is_not_signed_in_is_asked_to_and_the_point_is_not_asked() -> None:
    point = CountingPoint()
    found = one_view(lambda student: student, point)
    found.environ_base.pop("HTTP_X_TEST_USER")
    answer = found.get(f"/{KID}", headers={"Accept-Language": "th"})
    assert answer.status_code == 401
    assert answer.get_json(force=True)["title"] == "โปรดลงชื่อเข้าใช้ก่อน"
    assert point.asked == []


def test_a_request_costs_one_call_of_the_point() -> None:
    point = CountingPoint()
    answer = one_view(lambda student: jsonify(RECORD), point).get(f"/{KID}")
    assert answer.status_code == 200
    assert [len(batch) for batch in point.asked] == [1]


def test_a_point_that_is_away_is_said() -> None:
    point = CountingPoint()
    point.down = True
    answer = one_view(lambda student: student, point).get(f"/{KID}")
    assert answer.status_code == 503
    assert answer.headers["Cache-Control"] == "no-store"


def test_a_browser_gets_a_page_and_an_application_its_own() -> None:
    app, authz = site()

    @app.get("/<student>")
    @reading()
    def results(student: str) -> str:
        return student

    authz.init_app(app).check()
    page = client(app).get(f"/{OTHER}", headers={"Accept": "text/html"})
    assert page.mimetype == "text/html"

    app, authz = site()
    app.get("/<student>")(results)
    authz.init_app(app).check()
    app.register_error_handler(RefusedError, lambda _error: ("our own words", 403))
    own = client(app).get(f"/{OTHER}")
    assert own.text == "our own words"
    assert own.headers["Cache-Control"] == "no-store"


def test_html_with_limited_fields_is_refused_unless_the_view_carries_them_out() -> None:
    answer = one_view(lambda student: f"<p>{RECORD}</p>").get(f"/{KID}")
    assert answer.status_code == 403
    assert b"late" not in answer.data

    def by_hand(student: str) -> str:
        assert permitted().may("score")
        return f"<p>{permitted().filter(RECORD)}</p>"

    page = one_view(by_hand, carries=["fields"]).get(f"/{KID}")
    assert page.status_code == 200
    assert "late" not in page.text


def test_a_stream_of_json_is_filtered_and_of_anything_else_refused() -> None:
    closed = []

    def pieces(kind: str) -> Response:
        def made() -> Iterator[str]:
            try:
                yield '[{"score": 1, "comm'
                yield 'ent": "late"}]'
            finally:
                closed.append(kind)

        return Response(made(), mimetype=kind)

    json_answer = one_view(lambda student: pieces("application/json")).get(f"/{KID}")
    assert json_answer.get_json() == [{"score": 1}]
    csv = one_view(lambda student: pieces("text/csv")).get(f"/{KID}")
    assert csv.status_code == 403
    assert b"late" not in csv.data
    assert closed == ["application/json"]


def test_answers_of_error_handlers_are_settled_too() -> None:
    app, authz = site()

    @app.get("/<student>")
    @reading()
    def results(student: str) -> str:
        if student == KID and request.args:
            abort(404)
        raise ValueError(RECORD)

    @app.errorhandler(ValueError)
    def failed(error: ValueError) -> Any:
        return jsonify(error.args[0]), 418

    authz.init_app(app).check()
    told = client(app).get(f"/{KID}")
    assert (told.status_code, told.get_json()) == (418, {"assessment": "maths", "score": 12})
    missing = client(app).get(f"/{KID}?missing=1")
    assert (missing.status_code, missing.data) == (404, b"")


def test_what_another_hook_answers_comes_after_the_decision() -> None:
    app, authz = site()

    @app.before_request
    def cached() -> str:
        return json.dumps(RECORD)

    @app.get("/<student>")
    @reading()
    def results(student: str) -> str:
        return student

    authz.init_app(app).check()
    assert client(app).get(f"/{OTHER}").status_code == 403
    assert client(app).get(f"/{KID}").status_code == 403


def test_values_come_from_preprocessed_arguments_and_numbers_are_written() -> None:
    point = CountingPoint()
    app, authz = site(point)

    @app.url_value_preprocessor
    def language(_endpoint: str | None, values: dict[str, Any] | None) -> None:
        g.language = (values or {}).pop("language", None)

    @app.get("/<language>/<int:student>")
    @reading()
    def results(student: int) -> str:
        return str(student)

    authz.init_app(app).check()
    assert client(app).get("/th/12").status_code == 403
    assert point.asked[0][0].person == "12"


def test_flask_login_says_who_is_signed_in() -> None:
    app = Flask(__name__, static_folder=None)
    app.secret_key = "a-test"
    logins = LoginManager(app)

    class User(UserMixin):  # type: ignore[misc] # it says no types
        id = MUM

    logins.user_loader(lambda name: User() if name == MUM else None)

    @app.post("/sign-in")
    @public("nobody is signed in yet")
    def sign_in() -> str:
        login_user(User())
        return ""

    @app.get("/<student>")
    @reading(shape=Shape())
    def results(student: str) -> Response:
        return jsonify(RECORD)

    Authz(Guard(CountingPoint()), flask_login).init_app(app).check()
    browser = app.test_client()
    assert browser.get(f"/{KID}").status_code == 401
    browser.post("/sign-in")
    assert browser.get(f"/{KID}").get_json() == {"assessment": "maths", "score": 12}


def test_a_page_asks_once_for_all_its_rows() -> None:
    point = CountingPoint()
    app, authz = site(point)

    @app.get("/")
    @public("names are of people who are shown by what they may see")
    def front() -> str:
        return render_template_string(
            "{{ may.ahead('read', 'assessment_result', students) }}"
            "{% for student in students %}"
            "{% if may('read', 'assessment_result', student) %}[{{ student }}]{% endif %}"
            "{% endfor %}",
            students=[KID, OTHER, *(f"S{number}" for number in range(48))],
        )

    authz.init_app(app).check()
    assert client(app).get("/").text == f"[{KID}]"
    assert [len(batch) for batch in point.asked] == [50]


def test_a_front_end_asks_for_whoever_is_signed_in_alone() -> None:
    point = CountingPoint()
    app, authz = site(point)
    authz.init_app(app).check()
    question = {"action": "read", "category": "assessment_result", "person": KID}
    asked = {"questions": [question, {**question, "person": OTHER}]}
    answer = client(app).post("/authz/may", json=asked)
    assert answer.get_json() == {"answers": [True, False]}
    assert answer.headers["Cache-Control"] == "no-store"
    assert len(point.asked) == 1
    assert client(app, "").post("/authz/may", json=asked).status_code == 401
    wrong: Any
    for wrong in (
        {"questions": [{**question, "subject": "head"}]},
        {**asked, "subject": {"id": "head"}},
        {"questions": [{"action": "read"}]},
        {"questions": question},
        [],
    ):
        assert client(app).post("/authz/may", json=wrong).status_code == 400
    as_form = client(app).post("/authz/may", data=json.dumps(asked), content_type="text/plain")
    assert as_form.status_code == 400
    many = client(app).post("/authz/may", json={"questions": [question] * 201})
    assert many.status_code == 413
    assert len(point.asked) == 1
