"""Setting up the second factor (N-40): a picture, a code, and the recovery codes once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import segno
from flask import redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_login import current_user

from authz.admin import signed_in
from authz.admin.context import here
from authz.admin.opening import Screen, change, within
from authz.admin.profile import too_many
from authz.errors import ConflictError, TooManyError, UnauthenticatedError
from authz.service import console_key, second_factor

DRAFT = "second_factor_draft"
"""The member of the signed cookie that holds a secret which is not on file yet, encrypted."""


def show() -> ResponseReturnValue:
    """The picture; who has a factor but has not shown it signs in again."""
    return _unshown() or _form("")


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
            password=request.form.get("password", ""),
        )
    except UnauthenticatedError as error:
        return _unshown() or _form(_told(error), status=401)
    except TooManyError as error:
        return _form(too_many(error), status=429)
    session.pop(DRAFT, None)
    signed_in.begin(made.token)
    return _codes(_("The second factor is set up"), made.recovery)


def ask() -> ResponseReturnValue:
    """The form of new recovery codes."""
    return render_template("renew_codes.html", problem="")


def renew() -> ResponseReturnValue:
    """Give new recovery codes; the old ones open nothing any more."""
    console = here()
    try:
        codes = second_factor.renew(
            console.store,
            console.settings.key_folder,
            current_user.session,
            request.form.get("password", ""),
        )
    except UnauthenticatedError as error:
        return render_template("renew_codes.html", problem=_told(error)), 401
    except TooManyError as error:
        return render_template("renew_codes.html", problem=too_many(error)), 429
    except ConflictError:
        return redirect(url_for("second_factor"))
    return _codes(_("The recovery codes are new"), codes)


def _unshown() -> ResponseReturnValue | None:
    me = current_user.session
    if not me.has_factor or me.mfa:
        return None
    signed_in.forget()
    return redirect(url_for("sign_in", next=request.values.get("next", "")))


def _told(error: UnauthenticatedError) -> Any:
    if error.where == "code":
        return _("The code is not right. Is the clock of the phone right?")
    if current_user.session.has_password:
        return _("The present password is not right.")
    return _("You signed in some time ago. Sign out, sign in at your provider, and come back.")


def _codes(title: str, codes: Sequence[str]) -> ResponseReturnValue:
    return render_template(
        "recovery_codes.html",
        title=title,
        codes=[second_factor.shown(code) for code in codes],
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
        made = console_key.encrypt(folder, second_factor.new_secret(), purpose=DRAFT)
        session[DRAFT] = made
    return console_key.decrypt(folder, session[DRAFT], purpose=DRAFT)


SCREENS = (
    Screen(path="/second-factor", endpoint="second_factor", view=show, category="profile"),
    change("/second-factor", "second_factor_set", enrol, "profile"),
    Screen(path="/second-factor/codes", endpoint="recovery_codes", view=ask, category="profile"),
    change("/second-factor/codes", "recovery_codes_renew", renew, "profile"),
)
