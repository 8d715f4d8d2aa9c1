"""Signing in and out (N-40)."""

from __future__ import annotations

from flask import make_response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from authz.admin import signed_in
from authz.admin.context import here
from authz.admin.opening import Screen, within
from authz.errors import (
    AuthzError,
    SettingError,
    TooManyError,
    UnauthenticatedError,
    http_status,
)
from authz.service import signing_in
from authz.service.signing_in import Step

HALF, NAME = "sign_in_half", "sign_in_name"
"""Members of the signed cookie between password and code: half a session, encrypted."""


def show() -> ResponseReturnValue:
    """The form; whoever is signed in is taken on."""
    if current_user.is_authenticated:
        return redirect(within(request.args.get("next", "")))
    return form("sign_in.html")


def with_password() -> ResponseReturnValue:
    """Take name and password; begin a session, or ask for the code."""
    name = request.form.get("name", "").strip()
    password = request.form.get("password", "")
    console = here()
    try:
        step = signing_in.with_password(
            console.store, console.settings.key_folder, name, password, signed_in.attempt(name)
        )
    except (UnauthenticatedError, TooManyError) as error:
        return form("sign_in.html", error)
    return go_on(name, step, request.form.get("next", ""))


def go_on(name: str, step: Step, target: str) -> ResponseReturnValue:
    """Begin the session, or ask for the code that is due."""
    if step.token:
        return _begun(step.token, target)
    session[HALF], session[NAME] = step.half, name
    return form("code.html", target=target)


def with_code() -> ResponseReturnValue:
    """Take the code, and begin the session."""
    console, name = here(), session.get(NAME, "")
    target = request.form.get("next", "")
    try:
        token = signing_in.with_code(
            console.store,
            console.settings.key_folder,
            session.get(HALF, ""),
            request.form.get("code", ""),
            signed_in.attempt(name),
        )
    except (UnauthenticatedError, TooManyError) as error:
        return form("code.html", error)
    except SettingError:  # the password was given too long ago
        return redirect(url_for("sign_in", next=target))
    return _begun(token, target)


def _begun(token: str, target: str) -> ResponseReturnValue:
    signed_in.begin(token)
    response = make_response(redirect(within(target)))
    if current_user.is_authenticated:  # or the sign-in was disabled in this very moment
        signed_in.remember_device(response, current_user.name)
    return response


def sign_out() -> ResponseReturnValue:
    """End the session, or all of one's sessions."""
    provider = ""
    if current_user.is_authenticated:
        provider = current_user.session.provider
        everywhere = request.form.get("everywhere") == "yes"
        signing_in.sign_out(here().store, current_user.session, everywhere=everywhere)
    signed_in.forget()
    key = next((each.key for each in here().settings.oidc if each.issuer == provider), "")
    return redirect(url_for("signed_out", key=key) if key else url_for("sign_in"))


def form(
    template: str, error: AuthzError | None = None, *, target: str | None = None
) -> ResponseReturnValue:
    """A page of signing in, with what went wrong in words that tell no secret."""
    problem = ""
    if isinstance(error, TooManyError):
        problem = _("There were too many attempts. Try again in %(wait)s seconds.", wait=error.wait)
    elif error is not None and error.where == "provider":
        problem = _("The provider's answer could not be used. Try once more.")
    elif error is not None and error.where == "account":
        problem = _("No sign-in here belongs to your account. Ask for an invitation.")
    elif error is not None:
        problem = _("Name, password or code is not right.")
    page = render_template(
        template,
        problem=problem,
        name=request.form.get("name", ""),
        next=request.values.get("next", "") if target is None else target,
        providers=here().settings.oidc,
    )
    return page, http_status(error) if error else 200


SCREENS = (
    Screen(path="/sign-in", endpoint="sign_in", view=show, public=True),
    Screen(
        path="/sign-in",
        endpoint="with_password",
        view=with_password,
        methods=("POST",),
        public=True,
    ),
    Screen(
        path="/sign-in/code", endpoint="with_code", view=with_code, methods=("POST",), public=True
    ),
    Screen(path="/sign-out", endpoint="sign_out", view=sign_out, methods=("POST",), public=True),
)
