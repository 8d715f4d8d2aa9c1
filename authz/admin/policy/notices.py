"""Notices of the policy to everybody signed in, and their acknowledgement (N-52)."""

from __future__ import annotations

from flask import redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from authz.admin import changes
from authz.admin.context import here
from authz.admin.opening import Screen, change
from authz.service import announcements


def show() -> ResponseReturnValue:
    """What there is to read, and what I have acknowledged."""
    return render_template("notices.html", notices=announcements.mine(here().point, changes.me()))


def acknowledge() -> ResponseReturnValue:
    """Say that I have read one."""
    changes.done(
        lambda: announcements.acknowledge(here().point, changes.named(), by=changes.me()),
        _("Thank you. It is recorded that you have read it."),
    )
    return redirect(url_for("notices"))


SCREENS = (
    Screen(path="/notices", endpoint="notices", view=show, category="notices"),
    change("/notices", "acknowledge", acknowledge, "notices"),
)
