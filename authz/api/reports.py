"""``GET /api/v1/reports/…``: who used whose data, a breach, unused rights (N-30, N-50, N-41)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flask import Flask, Response

from authz.api import asked, exchange
from authz.api.context import service
from authz.service.reports.access_of import access_of
from authz.service.reports.asking import Asker
from authz.service.reports.breach import Asked, breach
from authz.service.reports.cells import Reader
from authz.service.reports.document import Report
from authz.service.reports.output import FORMS
from authz.service.reports.page import policy
from authz.service.reports.unused import unused
from authz.vocabulary import Scope

ACCESS_OF: Final = "/api/v1/reports/access-of/<path:person>"
BREACH: Final = "/api/v1/reports/breach"
UNUSED: Final = "/api/v1/reports/unused"
_FORM: Final = {"format": asked.word(*FORMS), "language": asked.word("th", "en")}
_SPAN: Final = {"since": asked.moment, "until": asked.moment}
PARAMETERS: Final[Mapping[str, Mapping[str, Callable[[str, str], Any]]]] = {
    "report_access_of": {"for": asked.text, **_SPAN, **_FORM},
    "report_breach": {
        **dict.fromkeys(("token", "account", "application", "rule", "incident"), asked.text),
        **_SPAN,
        **_FORM,
    },
    "report_unused": {"days": asked.number, **_FORM},
}
DAYS: Final = 90


def register(app: Flask) -> None:
    """Add the routes."""
    app.add_url_rule(ACCESS_OF, "report_access_of", _access_of, methods=["GET"])
    app.add_url_rule(BREACH, "report_breach", _breach, methods=["GET"])
    app.add_url_rule(UNUSED, "report_unused", _unused, methods=["GET"])


def _access_of(person: str) -> Response:
    by, wanted, formed = _asked("report_access_of")
    here = service()
    by = Asker(by.name, by.type, wanted.pop("for", None), by.request_id)
    staff = here.settings.report_staff
    return formed(access_of(here.point, asked.text(person, "person"), by=by, staff=staff, **wanted))


def _breach() -> Response:
    by, wanted, formed = _asked("report_breach")
    return formed(breach(service().point, Asked(**wanted), by=by))


def _unused() -> Response:
    by, wanted, formed = _asked("report_unused")
    return formed(unused(service().point, wanted.get("days", DAYS), by=by))


def _asked(name: str) -> tuple[Asker, dict[str, Any], Callable[[Report], Response]]:
    """Who asks for what, and how the report is to leave."""
    caller = asked.caller(Scope.AUDIT_READ)
    wanted = asked.query(PARAMETERS[name])
    form = wanted.pop("format", "json")
    language = wanted.pop("language", exchange.language())

    def formed(report: Report) -> Response:
        write, kind = FORMS[form]
        parts = write(report, Reader(language, service().settings.local))
        response = Response(parts, mimetype=None, content_type=kind)
        response.headers["Content-Language"] = language
        response.headers["Vary"] = "Accept-Language"
        if form == "html":
            response.headers["Content-Security-Policy"] = policy()
        return response

    return Asker(caller.client, "client", request_id=exchange.request_id()), wanted, formed
