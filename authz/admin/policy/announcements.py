"""The officer's side of notices: publish them, and see who has not read them (N-52, E-08)."""

from __future__ import annotations

from flask import abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from authz import clock
from authz.admin import changes, names
from authz.admin.context import here
from authz.admin.opening import Screen, change, open_places
from authz.errors import NotFoundError
from authz.service import announcements


def show() -> ResponseReturnValue:
    """All notices, with how many have read each, and the form of a new one."""
    point = here().point
    found = announcements.published(point, clock.now())
    return render_template(
        "announcements.html",
        found=found,
        told=any(each["policy"] == point.policy.digest for each in found),
        digest=point.policy.digest,
        may="announcements" in open_places(["announcements"], "update"),
    )


def publish() -> ResponseReturnValue:
    """Publish a notice."""
    texts = {name: request.form.get(name, "") for name in announcements.TEXTS}
    changes.done(
        lambda: announcements.publish(
            here().point,
            texts,
            request.form.get("audience", ""),
            by=changes.me(),
            why=changes.why(),
        ),
        _("The notice is published."),
    )
    return redirect(url_for("announcements"))


def readers() -> ResponseReturnValue:
    """Who has read a notice, and who has not."""
    ident = request.args.get("id", "")
    if not ident:
        return redirect(url_for("announcements"))
    try:
        notice, people, after = announcements.readers(
            here().point, ident, clock.now(), after=request.args.get("after", "")
        )
    except NotFoundError:
        abort(404)
    names.shows(each.id for each in people)
    return render_template("readers.html", notice=notice, people=people, after=after)


SCREENS = (
    Screen(path="/announcements", endpoint="announcements", view=show, category="announcements"),
    change("/announcements", "publish", publish, "announcements"),
    Screen(
        path="/announcements/readers", endpoint="readers", view=readers, category="announcements"
    ),
)
