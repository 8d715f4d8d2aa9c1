"""One's own account: password, second factor, open sessions (N-45)."""

from __future__ import annotations

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from authz import clock
from authz.admin import signed_in
from authz.admin.context import here
from authz.admin.opening import Screen, change
from authz.errors import MalformedError, TooManyError, UnauthenticatedError
from authz.service import links, passwords, second_factor, sessions, signing_in


def show() -> ResponseReturnValue:
    """What is on file of the sign-in, and where it is open."""
    store, me = here().store, current_user.session
    return render_template(
        "profile.html",
        sessions=sessions.listed(store, me.name, clock.now(), token=me.token),
        codes=second_factor.left(store, me) if me.has_factor else 0,
        links=links.of(store, me.name),
        named={each.issuer: each.name for each in here().settings.oidc},
    )


def new_password() -> ResponseReturnValue:
    """The form of a new password."""
    return render_template("new_password.html", problem="")


def change_password() -> ResponseReturnValue:
    """Take the new password; every other session ends."""
    new = request.form.get("new", "")
    if new != request.form.get("again", ""):
        return _again(_("The new password is not the same twice."))
    console, old = here(), request.form.get("old", "")
    try:
        token = signing_in.change_password(
            console.store, console.settings.key_folder, current_user.session, old, new
        )
    except UnauthenticatedError:
        return _again(_("The present password is not right."))
    except TooManyError as error:
        return _again(too_many(error))
    except MalformedError:
        text = _(
            "Take at least %(number)s characters, and nothing that is easy to guess.",
            number=passwords.SHORTEST,
        )
        return _again(text)
    signed_in.begin(token)
    flash(_("The password is changed. You are signed out everywhere else."), "good")
    return redirect(url_for("home"))


def too_many(error: TooManyError) -> str:
    """That somebody guesses too often, in words."""
    return str(_("There were too many attempts. Try again in %(wait)s seconds.", wait=error.wait))


def _again(problem: str) -> ResponseReturnValue:
    return render_template("new_password.html", problem=problem), 400


SCREENS = (
    Screen(path="/profile", endpoint="profile", view=show, category="profile"),
    Screen(
        path="/profile/password", endpoint="new_password", view=new_password, category="profile"
    ),
    change("/profile/password", "change_password", change_password, "profile"),
)
