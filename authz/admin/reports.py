"""Reports to take along: who used a person's data, and the rights that nobody uses (N-30, N-41)."""

from __future__ import annotations

from collections.abc import Callable

from flask import Response, abort, g
from flask.typing import ResponseReturnValue
from flask_login import current_user

from authz.admin.context import here
from authz.admin.languages import spoken
from authz.admin.opening import Screen
from authz.service.idle import DAYS
from authz.service.reports import page
from authz.service.reports.access_of import access_of
from authz.service.reports.asking import USER, Asker
from authz.service.reports.cells import Reader
from authz.service.reports.document import Report
from authz.service.reports.output import FORMS
from authz.service.reports.unused import unused


def of_person(form: str, person: str) -> ResponseReturnValue:
    """Who used this person's data; the decision about the person has opened it."""
    console = here()
    staff = console.settings.report_staff
    return _file(form, lambda: access_of(console.point, person, by=_by(), staff=staff))


def of_rights(form: str) -> ResponseReturnValue:
    """The rights that nobody uses, of the whole platform."""
    return _file(form, lambda: unused(here().point, DAYS, by=_by()))


def _by() -> Asker:
    return Asker(current_user.person, USER, request_id=g.request_id)


def _file(form: str, made: Callable[[], Report]) -> Response:
    """The report in that form; a form that is none is not found, before anything is recorded."""
    if form not in FORMS:
        abort(404)
    write, kind = FORMS[form]
    report = made()
    response = Response(write(report, Reader(spoken(), here().settings.local)), content_type=kind)
    if form == "html":
        response.headers["Content-Security-Policy"] = page.policy()
    else:
        response.headers["Content-Disposition"] = f'attachment; filename="{report.id}.{form}"'
    return response


SCREENS = (
    Screen(
        path="/reports/access-of/<form>/<path:person>",
        endpoint="report_of_person",
        view=of_person,
        category="usage",
        person="person",
    ),
    Screen(
        path="/reports/unused/<form>",
        endpoint="report_of_rights",
        view=of_rights,
        category="reports",
    ),
)
