"""The audit trail: search, one person's timeline, and where it stands (N-49)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from flask import render_template
from flask.typing import ResponseReturnValue

from authz.admin import names, opening
from authz.admin.context import here
from authz.admin.opening import Screen
from authz.admin.picking import Picked, picked
from authz.admin.viewing import asked, category, day, purpose, reason, viewer
from authz.service import person as person_
from authz.service import usage as usage_
from authz.service.usage import Records
from authz.vocabulary import Event

FILTERS = ("subject", "category", "purpose", "decision", "since", "until", "after")
SEARCHES = (*FILTERS, "person", "application", "rule", "request_id", "event")
VIEWS = ("person", "access", "rights", "usage")


def usage(person: str) -> ResponseReturnValue:
    """Who used this person's data: the trail of the person, filtered."""
    wanted = asked(*FILTERS)
    chosen = {"subject": picked(wanted["subject"])}
    found = _found(wanted, chosen, person=person)
    known = person_.person(here().own, person, [])["person"]
    views = opening.would(VIEWS, person)
    return render_template(
        "usage.html",
        found=found,
        chosen=chosen,
        days=_days(wanted),
        known=known,
        wanted=wanted,
        views=views,
        view="usage",
        **_words(),
    )


def trail() -> ResponseReturnValue:
    """All records, searched."""
    wanted = asked(*SEARCHES)
    chosen = {name: picked(wanted[name]) for name in ("person", "subject")}
    more = {name: wanted[name] for name in ("application", "rule", "request_id", "event")}
    found = _found(wanted, chosen, person=chosen["person"].id, **more)
    return render_template(
        "trail.html",
        found=found,
        chosen=chosen,
        days=_days(wanted),
        wanted=wanted,
        events=list(Event),
        **_words(),
    )


def state() -> ResponseReturnValue:
    """Where the trail stands, and how to verify and export it."""
    return render_template("trail_state.html", state=usage_.state(here().store))


def _found(wanted: dict[str, str], chosen: Mapping[str, Picked], **more: str) -> Records | None:
    """The records that fit; none are looked for before it is said who is meant."""
    if any(each.among for each in chosen.values()):
        return None
    asked_by = chosen["subject"].id
    filters = {**_filters(wanted), "subject": asked_by, **more}
    found = usage_.records(here().store, viewer().name, **filters)
    names.shows(found.names.people)
    return found


def _days(wanted: dict[str, str]) -> dict[str, datetime | None]:
    """The days that are asked for; None is what is no day, and is told."""
    return {name: day(wanted[name]) for name in ("since", "until") if wanted[name]}


def _filters(wanted: dict[str, str]) -> dict[str, Any]:
    """What the form asks, as the trail is asked; the last day is the whole of it."""
    until = day(wanted["until"])
    decision = {"permit": True, "refuse": False}.get(wanted["decision"])
    return {
        "category": wanted["category"],
        "purpose": wanted["purpose"],
        "decision": decision,
        "since": day(wanted["since"]),
        "until": until + timedelta(days=1) if until else None,
        "after": wanted["after"],
    }


def _words() -> dict[str, Any]:
    catalogue = here().point.policy.catalogue
    return {
        "category": category,
        "purpose": purpose,
        "reason": reason,
        "categories": list(catalogue.categories),
        "purposes": list(catalogue.purposes),
    }


SCREENS = (
    Screen(
        path="/usage/<path:person>",
        endpoint="usage",
        view=usage,
        category="usage",
        person="person",
    ),
    Screen(path="/trail", endpoint="trail", view=trail, category="trail"),
    Screen(path="/trail/state", endpoint="trail_state", view=state, category="trail"),
)
