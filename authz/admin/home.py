"""The first page: what waits for me, what changed, what is unusual."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from authz.admin.opening import Screen
from authz.admin.reviews import inbox
from authz.admin.reviews.words import said


def show() -> ResponseReturnValue:
    """The first page."""
    return render_template("home.html", waiting=inbox.waiting(), w=said())


SCREENS = (Screen(path="/", endpoint="home", view=show, category="home"),)
