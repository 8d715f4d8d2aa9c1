"""The explorer: who can see this person, and whom this person can see (N-41, N-46)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from authz.admin import opening
from authz.admin.context import here
from authz.admin.opening import Screen
from authz.admin.viewing import asked, category, day, purpose, reason, viewer
from authz.service import person as person_
from authz.service.exploring import explorer
from authz.service.exploring.ended import Ended
from authz.service.exploring.explorer import WhatIf
from authz.service.exploring.paths import Line

VIEWS = ("person", "access", "rights", "usage")


def access(person: str) -> ResponseReturnValue:
    """Who can see this person."""
    return _page(person, explorer.who, "access")


def rights(person: str) -> ResponseReturnValue:
    """What this person can see."""
    return _page(person, explorer.what, "rights")


def _page(ident: str, look: Any, view: str) -> ResponseReturnValue:
    wanted = asked("day", "without", "after")
    what_if = WhatIf(day(wanted["day"]), Ended.parse(wanted["without"]))
    found = look(here().point, ident, viewer(), what_if, wanted["after"])
    known = person_.person(here().own, ident, [])["person"]
    return render_template(
        "explorer.html",
        found=found,
        cards=_cards(found.lines, view),
        known=known,
        view=view,
        views=opening.would(VIEWS, ident),
        wanted=wanted,
        what_if=what_if,
        category=category,
        purpose=purpose,
        reason=reason,
    )


def _cards(lines: Sequence[Line], view: str) -> list[list[Line]]:
    """The lines of the same two people that go the same way, together."""
    found: dict[Any, list[Line]] = {}
    for each in lines:
        other = each.subject if view == "access" else each.person
        way = tuple((step.fact.kind, step.fact.id) for step in each.path)
        found.setdefault((other, way, each.minor_until, each.changed), []).append(each)
    return list(found.values())


SCREENS = (
    Screen(
        path="/access/<path:person>",
        endpoint="access",
        view=access,
        category="access",
        person="person",
    ),
    Screen(
        path="/rights/<path:person>",
        endpoint="rights",
        view=rights,
        category="rights",
        person="person",
    ),
)
