"""The screens as an application: cookies, guards, headers, errors, and the routes (3.2).

Rules of every answer: no script or style that is not a file of ours, no frame, no cache of a
page with people in it; a form without its token is refused; a change is a POST.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, render_template, request, url_for
from flask.sessions import SecureCookieSessionInterface
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_login import AnonymousUserMixin
from flask_wtf.csrf import CSRFError, CSRFProtect, generate_csrf
from markupsafe import Markup
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

from authz.admin import days, emergency, languages, opening, parts, places, signed_in, words
from authz.admin.bodies import BUSY, Bodies
from authz.admin.context import NAME, Console, here
from authz.admin.screens import SCREENS
from authz.config.parties import LOOPBACK
from authz.errors import AuthzError, http_status
from authz.service import console_key

ROOT: Final = "/admin"
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
BROKEN: Final = 500
_SORRY: Final = (
    _l("The service cannot answer at this moment. Nothing was changed."),
    _l("Try again in a minute. If it stays so, tell whoever runs the service the number below."),
)
YEAR: Final = 31_536_000
ANY: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104 (addresses that name this machine)


class Cookies(SecureCookieSessionInterface):
    """Secure cookies under a name that only a secure answer for all paths may set (N-40).

    A server on this machine may be tried without TLS: then the cookie is a plain one. A proxy
    may name this machine as the host too, so the public URL and the proxies are asked as well.
    """

    def _plain(self) -> bool:
        settings = here().settings
        ours = urlsplit(settings.public_url).hostname in LOOPBACK | ANY and not settings.proxies
        return ours and not request.is_secure and urlsplit(request.root_url).hostname in LOOPBACK

    def get_cookie_name(self, app: Flask) -> str:  # noqa: ARG002 (asks the request)
        """``__Host-`` where the browser can hold us to it."""
        return "authz" if self._plain() else "__Host-authz"

    def get_cookie_secure(self, app: Flask) -> bool:  # noqa: ARG002 (asks the request)
        """Always, but on this machine itself."""
        return not self._plain()


def create_admin(console: Console) -> Flask:
    """The application of the screens; SettingError where its key cannot be used."""
    app = Flask("authz.admin", static_folder=opening.FILES, static_url_path="/static")
    app.config.update(
        SECRET_KEY=console_key.cookie_key(console.settings.key_folder),
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_PATH="/",
        APPLICATION_ROOT=ROOT,
        MAX_CONTENT_LENGTH=console.settings.max_body_bytes,
        SEND_FILE_MAX_AGE_DEFAULT=YEAR,
        WTF_CSRF_TIME_LIMIT=None,
        PROVIDE_AUTOMATIC_OPTIONS=False,
        TEMPLATES_AUTO_RELOAD=False,
    )
    app.extensions[NAME] = console
    app.session_interface = Cookies()
    app.jinja_options = {"autoescape": True, "trim_blocks": True, "lstrip_blocks": True}
    if console.settings.proxies:
        count = console.settings.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]  # as Flask says
    app.wsgi_app = Bodies(  # type: ignore[method-assign]  # as Flask says
        app.wsgi_app, threads=console.settings.threads, limit=console.settings.max_body_bytes
    )
    app.before_request(_begin)
    CSRFProtect(app)
    languages.register(app)
    signed_in.register(app)
    opening.register(app, SCREENS)
    places.register(app)
    parts.register(app)
    emergency.register(app)
    words.register(app)
    days.register(app)
    app.context_processor(lambda: {"csrf": _csrf, "asset": _asset, "request_id": g.request_id})
    app.after_request(_finish)
    app.register_error_handler(CSRFError, _stale)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(AuthzError, _ours)
    return app


def _begin() -> None:
    g.request_id = signed_in.request_id()
    if BUSY in request.environ:
        abort(HTTPStatus.SERVICE_UNAVAILABLE)
    given = (request.path, *request.args.values(), *request.form.values())
    if any("\0" in each for each in given):  # no text of a person, and none that a store takes
        abort(400)


def _csrf() -> Markup:
    """The hidden member that every form carries."""
    return Markup('<input type="hidden" name="csrf_token" value="{}">').format(generate_csrf())


def _asset(name: str) -> str:
    """The address of a file of ours; it changes with the version, and is kept for a year."""
    return url_for("static", filename=name, v=opening.version())


def _finish(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if current_app.session_interface.get_cookie_secure(current_app):
        response.headers["Strict-Transport-Security"] = f"max-age={YEAR}; includeSubDomains"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
        response.headers["Vary"] = "Cookie, Accept-Language, HX-Request, HX-Target"
        response.headers["X-Request-ID"] = g.get("request_id", "")
    return response


def _page(status: int, title: str, text: str, hint: str = "") -> tuple[str, int]:
    if status >= BROKEN:  # nothing is asked of a store that may be what is broken
        g._login_user = AnonymousUserMixin()  # noqa: SLF001 (where Flask-Login keeps it)
    return render_template("error.html", title=title, text=text, hint=hint), status


def _stale(_error: CSRFError) -> tuple[str, int]:
    hint = _("Go back, load the page again and send it once more.")
    if not request.is_secure and current_app.session_interface.get_cookie_secure(current_app):
        hint = _("This address is not encrypted. Signing in works by https only.")
    return _page(
        400,
        _("The form is out of date"),
        _("It was opened too long ago, or in another session. Nothing was changed."),
        hint,
    )


def _http(error: HTTPException) -> tuple[str, int] | HTTPException:
    """What went wrong, in words for people; a view may say its own with ``abort(403, text)``."""
    status = error.code or BROKEN
    if status < HTTPStatus.BAD_REQUEST:  # a redirect of the router
        return error
    said = error.description if error.description != type(error).description else None
    if status == HTTPStatus.NOT_FOUND:
        return _page(
            status,
            _("Not found"),
            said or _("There is no such page, or it is not for you."),
            _("Whoever runs your school's accounts can tell you more."),
        )
    if status == HTTPStatus.FORBIDDEN:
        return _page(
            status, _("Not for you"), said or _("Your role does not open this place of work.")
        )
    if status >= BROKEN:
        return _page(status, _("That did not work"), _SORRY[0], _SORRY[1])
    return _page(
        status, _("That did not work"), said or _("The request could not be read as it was sent.")
    )


def _ours(error: AuthzError) -> tuple[str, int]:
    """One of our own errors; of a broken service only that it is broken, the rest is logged."""
    status = http_status(error)
    if status >= BROKEN:
        current_app.logger.error("request %s: %s: %s", g.request_id, error.code, error.message)
        return _page(status, _("That did not work"), _SORRY[0], _SORRY[1])
    return _page(status, _("That did not work"), error.message, error.hint)


def mounted(api: Any, admin: Flask) -> Any:
    """Both applications as one (PEP 3333): the screens under ``/admin``, the rest as it is."""
    from werkzeug.middleware.dispatcher import DispatcherMiddleware  # noqa: PLC0415 (only where it is mounted)

    return DispatcherMiddleware(api, {ROOT: admin.wsgi_app})
