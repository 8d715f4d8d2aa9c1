"""Rights that nobody used, for whoever can take them away (N-41)."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from authz.admin import changes, names, opening
from authz.admin.context import here
from authz.admin.opening import Screen
from authz.admin.viewing import asked, viewer
from authz.service import idle


def unused() -> ResponseReturnValue:
    """The list, with its chart."""
    point, reach = here().point, changes.reach()
    wanted = asked("role", "after")
    found, after = idle.page(point, viewer(), reach, **wanted)
    return render_template(
        "unused.html",
        found=found,
        names=names.people(each.granted_by for each in found),
        after=after,
        wanted=wanted,
        idle=idle.chart(point, reach),
        since=idle.since(),
        everywhere="reports" in opening.open_places(["reports"]),
        reviews="campaigns" in opening.open_places(["campaigns"], "update"),
    )


SCREENS = (Screen(path="/unused", endpoint="unused", view=unused, category="unused"),)
