"""The breach report of an incident: who is concerned, and the draft of its notice (E-07)."""

from __future__ import annotations

from itertools import islice
from typing import Any, Final

from flask import Response, abort, flash, g, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from authz.admin import changes, names
from authz.admin.context import here
from authz.admin.languages import spoken
from authz.admin.opening import Screen, allowed
from authz.errors import AuthzError, MalformedError, NotFoundError
from authz.privacy.incidents import Incident
from authz.service import incident_register, incidents
from authz.service.reports.asking import Asker
from authz.service.reports.breach import Asked, breach
from authz.service.reports.cells import Reader
from authz.service.reports.document import Report
from authz.service.reports.output import FORMS
from authz.service.reports.page import policy

ASKED: Final = ("token", "account", "application", "rule", "since", "until")
SHOWN: Final = 50
MOST: Final = 5000
"""People that a form adds to an incident; more are added from the command line."""


def show(incident: str) -> ResponseReturnValue:
    """The form, and what it found."""
    asked, status = _asked(), 200
    found = _incident(incident)
    try:
        made = _made(incident, asked) if any(asked.values()) else None
    except NotFoundError:
        flash(_("There is no token of this id."), "bad")
        made, status = None, 400
    except MalformedError:
        flash(_("Say what was stolen or misused, and days as year-month-day."), "bad")
        made, status = None, 400
    shown = _shown(made) if made else {}
    return render_template(
        "incident_breach.html",
        found=found,
        asked=asked,
        made=made,
        reader=_reader(),
        may=allowed("breach", "update"),
        forms=("pdf", "html", "csv", "json"),
        **shown,
    ), status


def _incident(ident: str) -> Incident:
    """The incident; not found where there is none."""
    try:
        return incident_register.get(here().store, ident)
    except NotFoundError:
        return abort(404)


def _asked() -> dict[str, str]:
    return {name: request.values.get(name, "").strip() for name in ASKED}


def _made(ident: str, asked: dict[str, str]) -> Report:
    """The report of what was asked; MalformedError of a day that is none."""
    given: dict[str, Any] = {name: value or None for name, value in asked.items()}
    given |= {name: changes.day_of(asked[name]) for name in ("since", "until")}
    by = Asker(changes.me(), "user", request_id=g.request_id)
    return breach(here().point, Asked(**given, incident=ident), by=by)


def _shown(made: Report) -> dict[str, Any]:
    """The first rows of the people, with their names, and how many there are."""
    table = next(each for each in made.tables if each.id == "people")
    rows = list(islice(table.rows, SHOWN))
    return {
        "tables": [each for each in made.tables if each.id != "people"],
        "people": rows,
        "number": getattr(table.rows, "count", len(rows)),
        "most": MOST,
        "names": names.people(row[0] for row in rows),
    }


def _reader() -> Reader:
    return Reader(spoken(), here().settings.local)


def download(incident: str, form: str) -> ResponseReturnValue:
    """The same as a file, or as a page to print."""
    if form not in FORMS:
        abort(404)
    _incident(incident)
    try:
        made = _made(incident, _asked())
    except AuthzError:
        abort(404)
    write, kind = FORMS[form]
    reply = Response(b"".join(write(made, _reader())), content_type=kind)
    if form == "html":
        reply.headers["Content-Security-Policy"] = policy()
    else:
        reply.headers["Content-Disposition"] = f"attachment; filename=breach.{form}"
    return reply


def add_people(incident: str) -> ResponseReturnValue:
    """Put the people of the report on the incident, so that whoever handles it may see them."""
    changes.done(lambda: _add(incident), _("The people of the report are on the incident."))
    return redirect(url_for("incident", incident=incident))


def _add(ident: str) -> None:
    made = _made(ident, _asked())
    table = next(each for each in made.tables if each.id == "people")
    people = [str(row[0]) for row in islice(table.rows, MOST + 1)]
    if not 0 < len(people) <= MOST:
        raise MalformedError("Nobody, or too many to add at once.", where="persons")
    why = changes.why().strip()
    if not why:
        raise MalformedError("Say why.", where="why")
    known = incident_register.known(here().store, people)
    incidents.amend(here().point, ident, {}, persons=known, by=changes.me(), because=why)


SCREENS = (
    Screen(
        path="/incident/<path:incident>/breach",
        endpoint="incident_breach",
        view=show,
        category="breach",
    ),
    Screen(
        path="/incident/<path:incident>/breach/<form>",
        endpoint="incident_breach_file",
        view=download,
        category="breach",
    ),
    Screen(
        path="/incident/<path:incident>/breach",
        endpoint="incident_people",
        view=add_people,
        category="breach",
        action="update",
        methods=("POST",),
    ),
)
