"""The menu: the places of work that this person's role opens.

What is listed is asked of the decision point's policy, without a record: a menu is no
access. Opening a place is decided and recorded when it is opened.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from flask import Flask, g, request, url_for
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from authz.admin import opening, parts


class Place(NamedTuple):
    """An entry of the menu."""

    endpoint: str
    category: str
    title: Any


PLACES: Final = (
    Place("home", "home", _l("Home")),
    Place("users", "users", _l("Sign-ins")),
    Place("people", "people", _l("People")),
    Place("classes", "classes", _l("Classes")),
    Place("trail", "trail", _l("Trail")),
    Place("reviews", "reviews", _l("My reviews")),
    Place("campaigns", "campaigns", _l("Access reviews")),
    Place("own_rights", "own_rights", _l("My rights")),
    Place("approvals", "approvals", _l("Approvals")),
    Place("requests", "requests", _l("Rights requests")),
    Place("contracts", "contracts", _l("Contracts")),
    Place("incidents", "incidents", _l("Incidents")),
    Place("imports", "imports", _l("Imports")),
    Place("policy", "policy", _l("Policy")),
    Place("notices", "notices", _l("Notices")),
    Place("announcements", "announcements", _l("Announcements")),
)


def register(app: Flask) -> None:
    """Give the menu to every page."""
    app.context_processor(_menu)


def _menu() -> dict[str, Any]:
    if parts.asked() or not current_user.is_authenticated or not current_user.person:
        return {"places": []}
    if "places" not in g:
        open_to_me = opening.open_places([place.category for place in PLACES])
        g.places = [
            {
                "url": url_for(place.endpoint),
                "title": place.title,
                "here": request.endpoint == place.endpoint,
            }
            for place in PLACES
            if place.category in open_to_me
        ]
    return {"places": g.places}
