"""Break-glass: the right to look after another school's people at once, for some hours (N-44)."""

from __future__ import annotations

from flask import redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from authz.admin import changes
from authz.admin.context import here
from authz.admin.opening import Screen, change
from authz.service import emergencies, rights


def form() -> ResponseReturnValue:
    """What it opens, what follows, and the form."""
    return render_template("rights_emergency.html", schools=rights.schools(here().store))


def take() -> ResponseReturnValue:
    """Take the right, which begins at once."""
    text = _("The emergency right is in force. Its review is due within 72 hours.")
    if changes.done(_take, text):
        return redirect(url_for("own_rights"))
    return redirect(url_for("emergency"))


def _take() -> None:
    emergencies.break_glass(
        here().point,
        school=request.form.get("organisation", ""),
        hours=changes.number("hours") or 0,
        why=changes.why(),
        by=changes.me(),
    )


SCREENS = (
    Screen(
        path="/rights/emergency",
        endpoint="emergency",
        view=form,
        category="elevations",
        action="update",
    ),
    change("/rights/emergency", "break_glass", take, "elevations"),
)
