"""The first page: what waits for me, what changed, what is unusual.

Whoever adds a place of work adds to :data:`WAITING` or :data:`UNUSUAL` a function that says
what of it concerns the one who is signed in; it is asked only where its place opens to them.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final, NamedTuple

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from authz.admin import opening
from authz.admin.context import here
from authz.admin.opening import Screen
from authz.admin.reviews import inbox
from authz.admin.reviews.words import said
from authz.admin.viewing import viewer
from authz.service import overview
from authz.service.shown import Viewer


class Notice(NamedTuple):
    """One line: what it is, where it is dealt with (or nowhere), since or until when."""

    text: str
    url: str = ""
    when: datetime | None = None


Provider = Callable[[Viewer], list[Notice]]


def _cases(me: Viewer) -> list[Notice]:
    kinds = {"rights_request": _("Request of rights"), "incident": _("Incident")}
    found = overview.my_cases(here().store, me.person)
    return [Notice(f"{kinds.get(kind, kind)} {ident}", "", since) for ident, kind, since in found]


def _contracts(_me: Viewer) -> list[Notice]:
    number = overview.ending_contracts(here().store)
    text = ngettext(
        "%(num)d contract ends within 60 days.", "%(num)d contracts end within 60 days.", number
    )
    return [Notice(text)] if number else []


def _emergencies(me: Viewer) -> list[Notice]:
    found = overview.emergencies(here().own, me)
    return [Notice(_("Emergency access of %(name)s", name=who), "", until) for who, until in found]


def _refused(me: Viewer) -> list[Notice]:
    number = overview.refused_sign_ins(here().store, me)
    text = ngettext(
        "%(num)d sign-in was refused in the last day.",
        "%(num)d sign-ins were refused in the last day.",
        number,
    )
    return [Notice(text, url_for("trail", event="sign_in_refused"))] if number else []


WAITING: Final[tuple[tuple[str, Provider], ...]] = (("home", _cases), ("contracts", _contracts))
UNUSUAL: Final[tuple[tuple[str, Provider], ...]] = (("people", _emergencies), ("trail", _refused))
"""A place of work, and what of it to tell those to whom it opens."""


def show() -> ResponseReturnValue:
    """The first page."""
    me, console = viewer(), here()
    places = sorted({place for place, _ in (*WAITING, *UNUSUAL)} | {"people", "trail"})
    open_to_me = opening.open_places(places)
    told: dict[str, Any] = {
        name: [line for place, ask in providers if place in open_to_me for line in ask(me)]
        for name, providers in (("waiting", WAITING), ("unusual", UNUSUAL))
    }
    if "people" in open_to_me:
        told["changes"] = overview.lately(console.own, me)
    if "trail" in open_to_me:
        told["chart"] = overview.decisions(console.store, console.settings.local)
    return render_template(
        "home.html", places_open=open_to_me, reviewing=inbox.waiting(), w=said(), **told
    )


SCREENS = (Screen(path="/", endpoint="home", view=show, category="home"),)
