"""Choosing the language."""

from __future__ import annotations

from flask import abort, redirect, request, session
from flask.typing import ResponseReturnValue

from authz.admin.languages import KEPT, LANGUAGES
from authz.admin.opening import Screen, within


def choose() -> ResponseReturnValue:
    """Speak the language chosen, and go back."""
    chosen = request.form.get("to", "")
    if chosen not in LANGUAGES:
        abort(400)
    session[KEPT] = chosen
    session.permanent = True
    return redirect(within(request.form.get("back", "")))


SCREENS = (
    Screen(path="/language", endpoint="language", view=choose, methods=("POST",), public=True),
)
