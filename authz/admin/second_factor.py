"""Setting up the second factor (N-40): a picture, a code, and the recovery codes once."""

from __future__ import annotations

import segno
from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from authz.admin import signed_in
from authz.admin.context import here
from authz.admin.opening import Screen, within
from authz.errors import UnauthenticatedError
from authz.service import console_key, second_factor

DRAFT = "second_factor_draft"
"""The member of the signed cookie that holds a secret which is not on file yet, encrypted."""


def show() -> ResponseReturnValue:
    """The picture; who has a factor but has not shown it signs in again."""
    me = current_user.session
    if me.has_factor and not me.mfa:
        signed_in.forget()
        return redirect(url_for("sign_in", next=request.args.get("next", "")))
    return _form("")


def enrol() -> ResponseReturnValue:
    """Take the first code; show the recovery codes."""
    console = here()
    try:
        made = second_factor.enrol(
            console.store,
            console.settings.key_folder,
            current_user.session,
            _draft(),
            request.form.get("code", ""),
        )
    except UnauthenticatedError:
        return _form(_("The code is not right. Is the clock of the phone right?"), status=401)
    session.pop(DRAFT, None)
    signed_in.begin(made.token)
    return render_template(
        "recovery_codes.html",
        codes=[second_factor.shown(code) for code in made.recovery],
        next=within(request.form.get("next", "")),
    )


def _form(problem: str, *, status: int = 200) -> ResponseReturnValue:
    secret = _draft()
    picture = segno.make(second_factor.address(secret, current_user.name), error="m")
    return render_template(
        "second_factor.html",
        problem=problem,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        picture=picture.svg_data_uri(scale=5, border=3, light="white"),
        next=request.values.get("next", ""),
    ), status


def _draft() -> str:
    folder = here().settings.key_folder
    if DRAFT not in session:
        session[DRAFT] = console_key.encrypt(folder, second_factor.new_secret())
    return console_key.decrypt(folder, session[DRAFT])


SCREENS = (
    Screen(path="/second-factor", endpoint="second_factor", view=show, category="profile"),
    Screen(
        path="/second-factor",
        endpoint="second_factor_set",
        view=enrol,
        category="profile",
        action="update",
        methods=("POST",),
    ),
)
