"""Flask: each route says what it uses, and is decided before anything of it runs.

::

    authz = Authz(Guard(point), identity=flask_login)

    @app.get("/students/<student>/results")
    @needs("read", "assessment_result", person="student", purpose="service")
    def results(student): ...

    authz.init_app(app).check()

The decision is the first thing after routing; what leaves is settled around the whole
application, so that error handlers, streams and files are settled too.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self
from wsgiref.types import WSGIApplication

from flask import Flask, Response, request
from werkzeug.routing import Rule

from authz.errors import AuthzError, DeclarationError
from authz.middleware import frontend, marks
from authz.middleware.declare import Declaration, Needs, Public
from authz.middleware.exchange import ANSWERED, UNROUTED, Exchange, current, permitted
from authz.middleware.guard import Guard
from authz.middleware.identity import Identity
from authz.middleware.marks import declared, needs, public
from authz.middleware.pages import Page
from authz.middleware.telling import Reply, told
from authz.middleware.wsgi import Guarded, Settled, unconditional, values_of

__all__ = ["Authz", "declared", "flask_login", "needs", "permitted", "public"]
_log = logging.getLogger("authz.middleware")
NAME = "authz.middleware"
MAY = "authz.may"


class Authz:
    """The extension: one for an application, or one for several of the same sign-in."""

    def __init__(self, guard: Guard, identity: Callable[[], Identity | None]) -> None:
        """``identity`` says who is signed in to the request that runs; None where nobody is."""
        self._guard = guard
        self._identity = identity
        self._declared: dict[str, Declaration] = {}

    def public(self, endpoint: str, why: str) -> Self:
        """Declare a route public that has no view of ours, by its endpoint: ``static``."""
        return self.declare(endpoint, Public(why))

    def declare(self, endpoint: str, declaration: Declaration) -> Self:
        """Declare a route by its endpoint, where its view cannot carry a decorator."""
        self._declared[endpoint] = declaration
        return self

    def init_app(self, app: Flask, *, may: str | None = "/authz/may") -> Installed:
        """Guard the application; ``may`` is the path at which its pages ask, None for none."""
        if NAME in app.extensions:
            raise DeclarationError("The application is guarded already.")
        installed = Installed(app, self._guard, self._identity, self._declared)
        app.extensions[NAME] = installed
        if may is not None:
            app.add_url_rule(may, MAY, installed.answer_may, methods=["POST"])
        app.before_request_funcs.setdefault(None, []).insert(0, installed.decide)
        app.register_error_handler(AuthzError, installed.tell)
        app.context_processor(lambda: {"may": installed.page()})
        inner: WSGIApplication = app.wsgi_app
        app.wsgi_app = Settled(inner, installed.once)  # type: ignore[method-assign]
        return installed


class Installed:
    """The extension in one application."""

    def __init__(
        self,
        app: Flask,
        guard: Guard,
        identity: Callable[[], Identity | None],
        declarations: Mapping[str, Declaration],
    ) -> None:
        self._app = app
        self._guard = guard
        self._identity = identity
        self._declared = declarations
        self._checked = False
        self._chosen: dict[tuple[object, str], Declaration | None] = {}

    def check(self) -> None:
        """DeclarationError that names each route without a right declaration.

        It is called before the first request too, and until it passes no request is answered.
        """
        marks.require([*self._faults(), *_mounted(self._app)])
        self._checked = True

    def once(self) -> None:
        """The check, unless it has passed already."""
        if not self._checked:
            self.check()

    def decide(self) -> None:
        """Decide the request that was routed; AuthzError where its view must not run."""
        exchange = current()
        try:
            self._decide(exchange)
        except AuthzError as error:
            exchange.refuse(error)
            if isinstance(error, DeclarationError):
                _log.error("%s", error)
            raise

    def tell(self, error: AuthzError) -> Response:
        """The answer of a refusal; an error handler of the application's own goes before it."""
        current().refuse(error)
        return _response(told(error, *_wishes()))

    def who(self) -> Identity | None:
        """Who is signed in, asked once in a request."""
        exchange = current()
        if exchange.who is None:
            exchange.who = self._identity()
        return exchange.who

    def page(self) -> Page:
        """What the templates of this request ask by ``may(…)``."""
        return Page(self._guard, self.who)

    def answer_may(self) -> Response:
        """The endpoint of single-page applications."""
        data = request.get_data()
        kind = request.mimetype
        reply = frontend.answer(self._guard, self.who, kind, data, _wishes())
        return _response(reply)

    def _decide(self, exchange: Exchange) -> None:
        rule = request.url_rule
        if rule is None:
            exchange.open(UNROUTED)
            return
        exchange.route = rule.rule
        declaration = self._of(rule, request.method)
        if declaration is None:
            raise DeclarationError("The route declares nothing.", where=rule.rule)
        if not isinstance(declaration, Needs):
            exchange.open(declaration)
            return
        values = values_of(request.environ, request.view_args or {}, request.get_data)
        exchange.open(declaration, self._guard.ask(declaration, values, self.who()))
        unconditional(exchange, request.environ)

    def _of(self, rule: Rule, method: str) -> Declaration | None:
        if method == "OPTIONS" and _automatic(rule):
            return ANSWERED
        if rule.endpoint == MAY:
            return ANSWERED
        view = self._app.view_functions.get(rule.endpoint)
        named = self._declared.get(rule.endpoint)
        if named is not None:
            return named
        if (view, method) not in self._chosen:
            self._chosen[view, method] = marks.chosen(view, method)
        return self._chosen[view, method]

    def _faults(self) -> Iterator[str]:
        rules = list(self._app.url_map.iter_rules())
        unknown = self._declared.keys() - {rule.endpoint for rule in rules}
        yield from (f"no route has the endpoint {name!r}" for name in sorted(unknown))
        for rule in rules:
            automatic = {"OPTIONS"} if _automatic(rule) else set()
            methods = (rule.methods or set()) - automatic
            if rule.endpoint == MAY:
                continue
            named = self._declared.get(rule.endpoint)
            view = self._app.view_functions.get(rule.endpoint)
            wrong = marks.faults_named(named, methods) if named else marks.faults(view, methods)
            for fault in wrong:
                yield f"{rule.rule} (endpoint {rule.endpoint!r}): {fault}"


def flask_login() -> Identity | None:
    """Who is signed in by Flask-Login: the id of ``current_user``."""
    from flask_login import current_user  # noqa: PLC0415 (only where it is used)

    if not current_user or not current_user.is_authenticated:
        return None
    ident = current_user.get_id()
    return Identity(ident) if isinstance(ident, str) and ident else None


def _automatic(rule: Rule) -> bool:
    """Whether Flask answers OPTIONS of this route by itself, as it does for most."""
    return bool(getattr(rule, "provide_automatic_options", False))


def _wishes() -> tuple[str, str]:
    return request.headers.get("Accept", ""), request.headers.get("Accept-Language", "")


def _response(reply: Reply) -> Response:
    return Response(reply.body, reply.status, reply.headers)


def _mounted(app: Flask) -> Iterator[str]:
    """Applications mounted beside this one, as by DispatcherMiddleware, that nothing guards."""
    layer: Any = app.wsgi_app
    while layer is not None and not inspect.ismethod(layer):
        for place, other in getattr(layer, "mounts", {}).items():
            guarded = isinstance(other, Guarded | Settled) or (
                isinstance(other, Flask) and NAME in other.extensions
            )
            if not guarded:
                yield f"{place} (mounted): nothing guards what is mounted there"
        layer = getattr(layer, "app", None) or getattr(layer, "_app", None)
