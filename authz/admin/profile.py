"""One's own account: password, second factor, open sessions (N-45)."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from authz import clock
from authz.admin.context import here
from authz.admin.opening import Screen
from authz.errors import MalformedError, UnauthenticatedError
from authz.service import sessions, signing_in


def show() -> ResponseReturnValue:
    """What is on file of the sign-in, and where it is open."""
    opened = sessions.listed(here().store, current_user.session, clock.now())
    return render_template("profile.html", sessions=opened)


def new_password() -> ResponseReturnValue:
    """The form of a new password."""
    return render_template("new_password.html", problem="")


def change_password() -> ResponseReturnValue:
    """Take the new password; every other session ends."""
    new = request.form.get("new", "")
    if new != request.form.get("again", ""):
        return _again(_("The new password is not the same twice."))
    try:
        signing_in.change_password(
            here().store, current_user.session, request.form.get("old", ""), new
        )
    except UnauthenticatedError:
        return _again(_("The present password is not right."))
    except MalformedError:
        text = _(
            "Take at least %(number)s characters, and nothing that is easy to guess.",
            number=signing_in.SHORTEST,
        )
        return _again(text)
    flash(_("The password is changed. You are signed out everywhere else."), "good")
    return redirect(url_for("home"))


def _again(problem: str) -> ResponseReturnValue:
    return render_template("new_password.html", problem=problem), 400


SCREENS = (
    Screen(path="/profile", endpoint="profile", view=show, category="profile"),
    Screen(
        path="/profile/password", endpoint="new_password", view=new_password, category="profile"
    ),
    Screen(
        path="/profile/password",
        endpoint="change_password",
        view=change_password,
        category="profile",
        action="update",
        methods=("POST",),
    ),
)
