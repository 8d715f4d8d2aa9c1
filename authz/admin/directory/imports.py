"""Roster imports with their reports, read from the trail (N-02, N-42)."""

from __future__ import annotations

from flask import abort, render_template, request
from flask.typing import ResponseReturnValue

from authz.admin import changes, names
from authz.admin.context import here
from authz.admin.opening import Screen
from authz.errors import NotFoundError
from authz.service import imports


def show() -> ResponseReturnValue:
    """All imports, newest first."""
    found, after = imports.listed(here().point, request.args.get("after", ""))
    return render_template(
        "imports.html",
        found=found,
        after=after,
        names=names.people(each.who for each in found),
    )


def report() -> ResponseReturnValue:
    """One import; its rows, which name people of all schools, for who oversees."""
    whole = changes.reach().everywhere
    try:
        found, rows = imports.report(here().point, request.args.get("at", ""), rows=whole)
    except NotFoundError:
        abort(404)
    return render_template("import.html", found=found, rows=rows, whole=whole)


SCREENS = (
    Screen(path="/imports", endpoint="imports", view=show, category="imports"),
    Screen(path="/imports/report", endpoint="import_report", view=report, category="imports"),
)
