"""The first page: what waits for me, what changed, what is unusual.

Whoever adds a place of work adds to :data:`WAITING` or :data:`UNUSUAL` a function that says
what of it concerns the one who is signed in; it is asked only where its place opens to them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from authz import clock
from authz.admin import names, opening
from authz.admin.context import here
from authz.admin.opening import Screen
from authz.admin.reviews import inbox
from authz.admin.reviews.words import said
from authz.admin.viewing import asked, viewer
from authz.service import (
    children,
    emergencies,
    idle,
    incident_register,
    overview,
    own_rights,
    rights_request_lists,
    ways_in,
    ways_in_notices,
)
from authz.service.reach import Reach
from authz.service.shown import Viewer


class Notice(NamedTuple):
    """One line: what it is, where it is dealt with (or nowhere), since or until when."""

    text: str
    url: str = ""
    when: datetime | None = None


class Asking(NamedTuple):
    """Who opens the page, and how far what it counts reaches."""

    viewer: Viewer
    reach: Reach


Provider = Callable[[Asking], list[Notice]]


def _cases(me: Asking) -> list[Notice]:
    kinds = {"rights_request": _("Request of rights"), "incident": _("Incident")}
    found = overview.my_cases(here().store, me.viewer.person)
    broken = any(each.kind == "incident" for each in found)
    known = {each.id for each in incident_register.register(here().store)} if broken else set()
    return [
        Notice(f"{kinds.get(each.kind, each.kind)} {each.id}", _case_url(each, known), each.since)
        for each in found
    ]


def _case_url(case: overview.Case, incidents_known: set[str]) -> str:
    """Where the case is worked on; an incident that is a fact alone has no page of its own."""
    if case.kind == "incident":
        own = case.id in incidents_known
        return url_for("incident", incident=case.id) if own else url_for("incidents")
    ours = case.kind == "rights_request" and case.person
    return url_for("rights_requests", person=case.person) if ours else ""


def _unread(me: Asking) -> list[Notice]:
    number = overview.unread(here().store, me.viewer.person)
    text = ngettext("%(num)d notice to read.", "%(num)d notices to read.", number)
    return [Notice(text, url_for("notices"))] if number else []


def _approvals(me: Asking) -> list[Notice]:
    now, point = clock.now(), here().point
    rights, more = own_rights.waiting(point, me.reach, now)
    number = len(rights) + len(emergencies.to_review(point, me.reach, now))
    number += len(ways_in.waiting(here().own, me.viewer))
    text = ngettext(
        "%(num)d request of a right or a way to sign in, or emergency, waits for an answer.",
        "%(num)d requests of rights and ways to sign in, and emergencies, wait for an answer.",
        number,
    )
    return [Notice(text + (" +" if more else ""), url_for("approvals"))] if number else []


def _own_ways_in(me: Asking) -> list[Notice]:
    return [
        Notice(
            _(
                "A way to sign in as you was given (%(name)s). Not asked for? Tell your school.",
                name=each.name,
            ),
            url_for("profile"),
            each.answered_at,
        )
        for each in ways_in_notices.own(here().store, me.viewer.person)
    ]


def _ways_in(me: Asking) -> list[Notice]:
    found = ways_in_notices.near(here().own, me.viewer)
    called = names.people(each.person for each in found)
    return [
        Notice(
            _("%(name)s was given a way to sign in", name=called[each.person]),
            url_for("person", person=each.person),
            each.answered_at,
        )
        for each in found
    ]


def _requests(me: Asking) -> list[Notice]:
    console = here()
    found, more = rights_request_lists.waiting(
        console.point, console.own, me.viewer.person, mfa=me.viewer.mfa
    )
    text = ngettext(
        "%(num)d request of somebody's rights is open; it is due:",
        "%(num)d requests of people's rights are open; the first is due:",
        len(found),
    )
    due = found[0].due_at if found else None
    return [Notice(text + (" +" if more else ""), url_for("requests"), due)] if found else []


def _contracts(_me: Asking) -> list[Notice]:
    number = overview.ending_contracts(here().store)
    text = ngettext(
        "%(num)d contract ends within 60 days.", "%(num)d contracts end within 60 days.", number
    )
    return [Notice(text, url_for("contracts"))] if number else []


def _emergencies(me: Asking) -> list[Notice]:
    found = overview.emergencies(here().own, me.viewer)
    names.shows(ident for ident, _name, _until in found)
    return [
        Notice(_("Emergency access of %(name)s", name=who), url_for("rights", person=ident), until)
        for ident, who, until in found
    ]


def _bulk(me: Asking) -> list[Notice]:
    found = overview.bulk_readers(here().own, me.viewer, me.reach)
    names.shows(each.person for each in found if each.name != each.person)
    return [
        Notice(
            _(
                "%(name)s read the data of %(number)s people in an hour",
                name=each.name,
                number=each.people,
            ),
            url_for("trail", subject=each.person)
            if me.reach.everywhere
            else url_for("rights", person=each.person),
            each.hour,
        )
        for each in found
    ]


def _refused(me: Asking) -> list[Notice]:
    number = overview.refused_sign_ins(here().store, me.viewer)
    text = ngettext(
        "%(num)d sign-in was refused in the last day.",
        "%(num)d sign-ins were refused in the last day.",
        number,
    )
    return [Notice(text, url_for("trail", event="sign_in_refused"))] if number else []


def _who(change: Mapping[str, Any]) -> str:
    """Who made a change, as its record names them."""
    return str(change["detail"].get("who") or change["subject"]["id"])


OF_A_CHILD: Final = ("person", "usage")
"""Screens about a child to which the first page leads."""
WAITING: Final[tuple[tuple[str, Provider], ...]] = (
    ("home", _own_ways_in),
    ("home", _cases),
    ("notices", _unread),
    ("approvals", _approvals),
    ("requests", _requests),
    ("contracts", _contracts),
)
UNUSUAL: Final[tuple[tuple[str, Provider], ...]] = (
    ("people", _emergencies),
    ("people", _bulk),
    ("people", _ways_in),
    ("trail", _refused),
)
"""A place of work, and what of it to tell those to whom it opens."""


def _children(me: Viewer) -> dict[str, Any]:
    """A page of the children in somebody's care, with the place that the address asks for."""
    after = asked("children")["children"]
    found = children.children(here().own, me, OF_A_CHILD, after)
    names.shows(each.id for each in found.children)
    return {"children": found, "after": after}


def _changes(me: Viewer) -> dict[str, Any]:
    """The newest changes, and the names of those who made them."""
    found = overview.lately(here().own, me)
    names.shows(each["person"] for each in found)
    return {"changes": found, "by": names.people(map(_who, found))}


def show() -> ResponseReturnValue:
    """The first page."""
    console = here()
    places = sorted({place for place, _ in (*WAITING, *UNUSUAL)} | {"people", "trail", "unused"})
    open_to_me = opening.open_places(places)
    me = Asking(viewer(), Reach(viewer().person, everywhere="trail" in open_to_me))
    told: dict[str, Any] = {
        name: [line for place, ask in providers if place in open_to_me for line in ask(me)]
        for name, providers in (("waiting", WAITING), ("unusual", UNUSUAL))
    }
    if "people" in open_to_me:
        told |= _changes(me.viewer)
        told["chart"] = overview.decisions(console.point, me.reach)
    else:  # who may search for anybody needs no list of their own
        told |= _children(me.viewer)
    if "unused" in open_to_me:
        told["idle"] = idle.chart(console.point, me.reach)
    return render_template(
        "home.html",
        places_open=open_to_me,
        everywhere=me.reach.everywhere,
        reviewing=inbox.waiting(),
        w=said(),
        **told,
    )


SCREENS = (Screen(path="/", endpoint="home", view=show, category="home"),)
